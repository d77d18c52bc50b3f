import { fileURLToPath } from 'node:url';
import { runProgram } from '../broker/codeCache.js';

/** What the build made of a module of this folder lies beside what it made of this. */
const program = (name: string): unknown => runProgram(fileURLToPath(new URL(`${name}.cjs`, import.meta.url)));

/** See `serveProgram.ts`. */
export function serveAtOnce(args: readonly string[]): boolean {
  return (program('serveProgram') as typeof import('./serveProgram.js')).serveAtOnce(args);
}

/** See `commandProgram.ts`. */
export function runCommand(args: readonly string[]): void {
  (program('commandProgram') as typeof import('./commandProgram.js')).runCommand(args);
}
