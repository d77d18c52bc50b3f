#!/usr/bin/env node
import { whyUnsupported } from '../base/runtime.js';

// Nothing else is loaded before this is known: much of it would fail, each in its own way, where it cannot run.
const problem = whyUnsupported(process.versions, process.platform);
if (problem === null) {
  import('./start.js');
} else {
  process.stderr.write(`shardcast: ${problem}\n`);
  process.exitCode = 2;
}
