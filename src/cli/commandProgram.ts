import { startFirstThread } from '../broker/shardWorker.js';
import { closeUnaskedInspector } from './inspector.js';
import { ServeSignals } from './serveSignals.js';

/** Does what a command line says that is no plain `serve`, and ends the process. */
export function runCommand(args: readonly string[]): void {
  // before anything else is loaded: Node's own answer to SIGUSR1 is to open its inspector
  if (args[0] === 'serve') {
    ServeSignals.ofProcess();
    startFirstThread();
  } else process.on('SIGUSR1', () => {});
  void runLoaded(args);
}

async function runLoaded(args: readonly string[]): Promise<void> {
  const { runCli } = await import('./program.js');
  closeUnaskedInspector();
  // Nothing that a command left open, such as a standard input nobody closes, may keep the process.
  process.exit(await runCli(args));
}
