import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Broker } from '../broker/index.js';

/**
 * Writes where the broker listens. Whoever waits for the file sees all of it or nothing: it is written beside its
 * place and renamed.
 *
 * @throws the file system's error
 */
export function writePortsFile(path: string, ports: Broker['ports']): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, `${JSON.stringify(ports)}\n`);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Removes our ports file, unless a broker that took over from this one has written its own there. */
export function removePortsFile(path: string): void {
  try {
    if (JSON.parse(readFileSync(path, 'utf8')).pid === process.pid) rmSync(path);
  } catch {
    // Gone, or no longer ours to judge.
  }
}
