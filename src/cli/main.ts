#!/usr/bin/env node
import { runCli } from './program.js';

// Nothing that a command left open, such as a standard input nobody closes, may keep the process.
process.exit(await runCli(process.argv.slice(2)));
