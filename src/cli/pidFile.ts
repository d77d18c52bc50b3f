import { readFileSync, rmSync } from 'node:fs';
import { checkReplaceable, replaceFile } from './portsFile.js';

/** @throws CliError with exit code 2 where something stands that is no regular file; the file system's error */
export function writePidFile(path: string): void {
  checkReplaceable('--pid', path);
  replaceFile(path, `${process.pid}\n`);
}

/** Removes our file, unless another broker has written its own there. */
export function removePidFile(path: string): void {
  try {
    if (Number(readFileSync(path, 'utf8')) === process.pid) rmSync(path);
  } catch {
    // gone, or no longer ours to judge
  }
}
