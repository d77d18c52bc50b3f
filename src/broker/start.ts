import type { MessagePort } from 'node:worker_threads';
import { whyUnsupported } from '../base/runtime.js';
import { UnsupportedError } from '../client/errors.js';
import type { ConnectedBroker } from './connect.js';
import type { Broker, StartOptions } from './embedded.js';
import type { Logger } from './logger.js';

// The broker's modules are loaded by the first call: much of it would fail, each in its own way, where it cannot run.

/**
 * Starts a broker in this process.
 *
 * @param options what differs from the defaults
 * @param logger where it logs to; by default as the options say
 * @throws OptionsError, ArgumentError for options that are not allowed; ListenError, with the system's code (`EADDRINUSE`), when it
 * cannot listen; FailedError when a thread cannot start; UnsupportedError where it cannot run at all
 */
export async function startBroker(options?: StartOptions, logger?: Logger): Promise<Broker> {
  checkRuntime();
  const embedded = await import('./embedded.js');
  return await embedded.startBroker(options, logger);
}

/**
 * Connects a thread to the broker that another thread of the process has started. Until it is closed the connection keeps
 * its thread alive, as a socket would.
 *
 * @param port from `broker.port()`, transferred to this thread; it serves one connection
 * @throws rejects with ArgumentError for what is no such port, BrokerError `REFUSED` when as many threads are connected as may
 * be, ClosedError when the broker has stopped; UnsupportedError where it cannot run at all
 */
export async function connectBroker(port: MessagePort): Promise<ConnectedBroker> {
  checkRuntime();
  const connect = await import('./connect.js');
  return await connect.connectBroker(port);
}

function checkRuntime(): void {
  const why = whyUnsupported(process.versions, process.platform);
  if (why !== null) throw new UnsupportedError(why);
}
