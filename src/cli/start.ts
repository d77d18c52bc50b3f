import { startFirstThread } from '../broker/shardWorker.js';
import { closeUnaskedInspector } from './inspector.js';
import { ServeSignals } from './serveSignals.js';

// Before anything else is loaded: Node's own answer to SIGUSR1 is to open its inspector.
if (process.argv[2] === 'serve') {
  ServeSignals.ofProcess();
  startFirstThread();
} else process.on('SIGUSR1', () => {});

const { runCli } = await import('./program.js');
closeUnaskedInspector();
// Nothing that a command left open, such as a standard input nobody closes, may keep the process.
process.exit(await runCli(process.argv.slice(2)));
