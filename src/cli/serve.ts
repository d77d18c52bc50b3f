import { startServer } from '../broker/broker.js';
import { DataError } from '../broker/dataError.js';
import type { BrokerOptions } from '../broker/index.js';
import { ListenError } from '../broker/listenError.js';
import { logWhenNeeded } from '../broker/log.js';
import type { Logger } from '../broker/logger.js';
import type { BrokerServer } from '../broker/server.js';
import { packageVersion } from '../broker/version.js';
import { type ConfigSources, loadOptions } from '../options/config.js';
import { CliError, EXIT } from './exit.js';
import { closeUnaskedInspector } from './inspector.js';
import { checkLogFile } from './logFile.js';
import { removePidFile, writePidFile } from './pidFile.js';
import { checkPortsFile, checkReplaceable, removePortsFile, writePortsFile } from './portsFile.js';
import { ServeLife } from './serveLife.js';
import { ServeSignals } from './serveSignals.js';

/** Reads and validates the options, and says so. Throws OptionsError when they are not allowed. */
export function checkConfig(sources: ConfigSources): void {
  const { warnings } = loadOptions(sources);
  for (const warning of warnings) process.stderr.write(`shardcast: warning: ${warning}\n`);
  process.stdout.write('the options are valid\n');
}

/**
 * Starts a broker and stays until it has ended.
 *
 * @returns the code to end the process with
 * @throws OptionsError, or CliError with exit code 2, when the broker cannot start as it was told to
 */
export async function serveUntilEnded(sources: ConfigSources): Promise<number> {
  const { options, warnings } = loadOptions(sources);
  if (options.portsFile !== null) checkPortsFile(options.portsFile);
  if (options.logFile !== null) checkLogFile(options.logFile);
  if (options.pidFile !== null) checkReplaceable('--pid', options.pidFile);
  const signals = ServeSignals.ofProcess();
  const log = logWhenNeeded(options, warnings);
  const broker = await start(options, log);
  if (options.pidFile !== null) await writeOrStop(broker, 'pid file', options.pidFile, writePidFile);
  // a thread of Node's own opens it, as late as a busy machine lets that run
  closeUnaskedInspector();
  await announce(broker, options, log);
  const life = new ServeLife(broker, sources, log());
  signals.deliverTo((signal, atMs) => life.onSignal(signal, atMs));
  const exitCode = await life.ended;
  if (options.portsFile !== null) removePortsFile(options.portsFile);
  if (options.pidFile !== null) removePidFile(options.pidFile);
  return exitCode;
}

async function start(options: BrokerOptions, log: () => Logger): Promise<BrokerServer> {
  try {
    return await startServer(options, log);
  } catch (error) {
    const message = startFailure(error, options);
    // of a thread that failed, what it threw says more than where we heard of it
    throw message === null ? ((error as Error).cause ?? error) : new CliError(message, EXIT.usage, { cause: error });
  }
}

/** What the user can mend, in one line; null for a mistake of ours. */
function startFailure(error: unknown, { shards }: BrokerOptions): string | null {
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  if (code === 'EMFILE' || code === 'ENFILE') return `cannot start: too many files are open, see ulimit -n (${code})`;
  if (code === 'ERR_WORKER_INIT_FAILED') return `cannot start the threads of ${shards} shards: ${message}`;
  return error instanceof ListenError || error instanceof DataError ? error.message : null;
}

/** Writes a file that says something of the broker, which stops when that cannot be. */
async function writeOrStop(
  broker: BrokerServer,
  what: string,
  path: string,
  write: (path: string) => void,
): Promise<void> {
  try {
    write(path);
  } catch (error) {
    await broker.stop();
    if (error instanceof CliError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError(`cannot write the ${what} ${path} (${code})`, EXIT.usage, { cause: error });
  }
}

async function announce(broker: BrokerServer, options: BrokerOptions, log: () => Logger): Promise<void> {
  const { portsFile } = options;
  if (portsFile !== null)
    await writeOrStop(broker, 'ports file', portsFile, (path) => writePortsFile(path, broker.ports));
  const { shards, order } = options;
  const streams = options.data ?? 'in memory only';
  const { nats, jsonl, websocket, monitoring } = broker.ports;
  const doors = {
    nats,
    ...(jsonl.length > 0 ? { jsonl } : {}),
    ...(websocket.length > 0 ? { websocket } : {}),
    ...(monitoring.length > 0 ? { monitoring } : {}),
  };
  log().info({ version: packageVersion(), ...doors, shards, order, streams }, 'listening');
}
