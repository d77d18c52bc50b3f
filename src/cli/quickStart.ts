import { fileURLToPath } from 'node:url';
import { runProgram } from '../broker/codeCache.js';

// What the build made of `serveProgram.ts` lies beside what it made of this.
const program = runProgram(fileURLToPath(new URL('serveProgram.cjs', import.meta.url)));

export const { serveAtOnce } = program as typeof import('./serveProgram.js');
