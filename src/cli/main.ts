#!/usr/bin/env node
import { whyUnsupported } from '../base/runtime.js';

// Nothing else is loaded before this is known: much of it would fail, each in its own way, where it cannot run.
const problem = whyUnsupported(process.versions, process.platform);
if (problem !== null) {
  process.stderr.write(`shardcast: ${problem}\n`);
  process.exitCode = 2;
} else if (typeof process.getBuiltinModule === 'function') {
  start(process.getBuiltinModule('node:module'));
} else {
  // Node 21, and 22 before 22.3
  import('node:module').then(start);
}

/** Runs scripts, which load faster than modules do (docs/decisions/0019): that of a broker that is started as it usually is, or that of all commands. */
function start({ createRequire }: Pick<typeof import('node:module'), 'createRequire'>): void {
  // what the build made of `quickStart.ts`
  const { serveAtOnce, runCommand } = createRequire(import.meta.url)('./quickStart.cjs');
  const args = process.argv.slice(2);
  if (args[0] !== 'serve' || !serveAtOnce(args.slice(1))) runCommand(args);
}
