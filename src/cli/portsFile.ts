import { lstatSync, readFileSync, renameSync, rmSync, type Stats, writeFileSync } from 'node:fs';
import type { Broker } from '../broker/index.js';
import { usageError } from './exit.js';

/**
 * Refuses a path at which something stands that is no regular file: a device, a folder or a link would be replaced, or followed to
 * what somebody else has chosen.
 *
 * @throws CliError with exit code 2
 */
export function checkPortsFile(path: string): void {
  checkReplaceable('--ports-file', path);
}

/** The same of another file. @throws CliError with exit code 2 */
export function checkReplaceable(flag: string, path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined || there.isFile()) return;
  throw usageError(`${flag} ${path}: there is ${kindOf(there)}; only a regular file is replaced`);
}

function kindOf(there: Stats): string {
  if (there.isDirectory()) return 'a directory';
  if (there.isSymbolicLink()) return 'a symbolic link';
  return there.isFIFO() || there.isSocket() ? 'a pipe or a socket' : 'a device';
}

/**
 * Writes where the broker listens. Whoever waits for the file sees all of it or nothing: it is written beside its
 * place and renamed.
 *
 * @throws CliError as `checkPortsFile`; the file system's error
 */
export function writePortsFile(path: string, ports: Broker['ports']): void {
  checkPortsFile(path);
  replaceFile(path, `${JSON.stringify(ports)}\n`);
}

/** Writes a file beside its place, and renames it. @throws the file system's error */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Removes our ports file, unless a broker that took over from this one has written its own there. */
export function removePortsFile(path: string): void {
  try {
    checkPortsFile(path);
    if (JSON.parse(readFileSync(path, 'utf8')).pid === process.pid) rmSync(path);
  } catch {
    // Gone, or no longer ours to judge.
  }
}
