import { startFirstThread } from '../broker/shardWorker.js';
import { endOf } from './end.js';
import { closeUnaskedInspector } from './inspector.js';
import { serveUntilEnded } from './serve.js';
import { readPlainFlags, sourcesOf } from './serveFlags.js';
import { ServeSignals } from './serveSignals.js';

/**
 * Serves, and ends the process, as plain arguments of `serve` say.
 *
 * @returns whether they are; else nothing has been done
 */
export function serveAtOnce(args: readonly string[]): boolean {
  const flags = readPlainFlags(args);
  if (flags === null) return false;
  // first of all: Node's own answer to SIGUSR1 is to open its inspector
  ServeSignals.ofProcess();
  startFirstThread();
  closeUnaskedInspector();
  void endOf(() => serveUntilEnded(sourcesOf(flags))).then((code) => process.exit(code));
  return true;
}
