import { fileURLToPath } from 'node:url';
import { runProgram } from '../src/broker/codeCache.js';

// What the build made of `shard.ts` lies beside what it made of this.
runProgram(fileURLToPath(new URL('shardProgram.cjs', import.meta.url)));
