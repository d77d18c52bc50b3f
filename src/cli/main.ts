#!/usr/bin/env node
import { whyUnsupported } from '../base/runtime.js';

// Nothing else is loaded before this is known: much of it would fail, each in its own way, where it cannot run.
const problem = whyUnsupported(process.versions, process.platform);
if (problem !== null) {
  process.stderr.write(`shardcast: ${problem}\n`);
  process.exitCode = 2;
} else if (process.argv[2] !== 'serve' || !servesAtOnce()) {
  import('./start.js');
}

/** Whether a broker starts as it is usually started: from scripts, which load faster than modules do (docs/decisions/0019). */
function servesAtOnce(): boolean {
  // Node 21, and 22 before 22.3, do not have it
  if (typeof process.getBuiltinModule !== 'function') return false;
  const load = process.getBuiltinModule('node:module').createRequire(import.meta.url);
  // what the build made of `quickStart.ts`
  return load('./quickStart.cjs').serveAtOnce(process.argv.slice(3));
}
