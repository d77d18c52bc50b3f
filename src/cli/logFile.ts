import { closeSync, openSync } from 'node:fs';
import { usageError } from './exit.js';

/** Finds out before anything is started whether a file can be logged to. @throws CliError with exit code 2 */
export function checkLogFile(path: string): void {
  try {
    closeSync(openSync(path, 'a'));
  } catch (error) {
    throw usageError(`cannot log to ${path} (${(error as NodeJS.ErrnoException).code})`);
  }
}
