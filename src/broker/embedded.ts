import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { BrokerStatistics } from '../base/brokerStatistics.js';
import { BrokerClient } from '../client/brokerClient.js';
import { checkNames, type Names } from '../client/checks.js';
import { ClientEndpoint } from '../client/endpoint.js';
import { ArgumentError, BrokerError, FailedError } from '../client/errors.js';
import type { BrokerOptions } from '../options/brokerOptions.js';
import { checkOptionNames, type SomeOptions } from '../options/options.js';
import { type RunningBroker, startRunning } from './broker.js';
import type { ShardCensus } from './census.js';
import type { Logger } from './logger.js';
import type { BrokerPorts, BrokerServer, Reloaded } from './server.js';

/** Where a broker listens. */
export type ListenOptions = Partial<
  Pick<BrokerOptions, 'host' | 'port' | 'jsonlPort' | 'wsPort' | 'httpPort' | 'httpHost' | 'clientAdvertise'>
>;

/** How a broker is started in a process of the user's own. */
export interface StartOptions extends Partial<BrokerOptions> {
  /** `false` needs no port: the broker is this process's own. Or where to listen; by default as `host` and `port` say. */
  readonly listen?: false | ListenOptions | undefined;
  /** Threads of this process, besides the calling one, that may `connectBroker` at a time; 4 by default, at most 64. */
  readonly clients?: number | undefined;
}

const listenOptionNames: Names<ListenOptions> = {
  host: true,
  port: true,
  jsonlPort: true,
  wsPort: true,
  httpPort: true,
  httpHost: true,
  clientAdvertise: true,
};
const clientsDefault = 4;
const clientsMax = 64;

/** A running broker, and the API to it of the thread that started it. */
export class Broker extends BrokerClient implements BrokerServer, AsyncDisposable {
  readonly #running: RunningBroker;

  /** @internal */
  constructor(running: RunningBroker, endpoint: ClientEndpoint) {
    super(endpoint);
    this.#running = running;
  }

  /** Where it can be reached; empty with `listen: false`. */
  get ports(): BrokerPorts {
    return this.#running.ports;
  }

  /** Resolves, never rejects, when a thread failed: the broker is of no use any more and the process should end. */
  get failed(): Promise<FailedError> {
    return this.#running.failed;
  }

  /** What one more thread of this process needs for `connectBroker`: transfer it there. */
  port(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#running.clients.serve(port1);
    return port2;
  }

  /** Drains and stops: what was accepted is delivered or refused. May be called again; resolves when all has ended. */
  stop(): Promise<void> {
    return this.#running.stop();
  }

  /** Tells clients of the network to go elsewhere, ends their connections gently, then stops. */
  lameDuck(): Promise<void> {
    return this.#running.lameDuck();
  }

  /**
   * Takes the options that are given as far as they can change while it runs; all others stay as they are. Connections
   * that would not be let in by new credentials are ended. A broker that stops takes nothing.
   *
   * @throws OptionsError when there is no such option, or what would result is not allowed; nothing has changed then
   */
  reload(options: SomeOptions): Reloaded {
    return this.#running.reload(options);
  }

  /** What each shard's thread holds at the moment: for monitoring, and to see that nothing is left behind. Not after `stop`. */
  census(): Promise<readonly ShardCensus[]> {
    return this.#running.census();
  }

  /**
   * What it has done and holds, in all and by the busiest subjects and subscribers: what `/metrics` of a monitoring port tells, in one object. Subjects and
   * subscribers are counted by their names from the first call on, or from the start where there is such a port. Not after `stop`.
   */
  stats(): Promise<BrokerStatistics> {
    return this.#running.stats();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/**
 * Opens an endpoint for the calling thread.
 *
 * @internal
 */
export async function openBroker(running: RunningBroker): Promise<Broker> {
  return new Broker(running, await running.clients.openHere((data) => new ClientEndpoint(data)));
}

/** See `start.ts`. */
export async function startBroker(given: StartOptions = {}, logger?: Logger): Promise<Broker> {
  if (typeof given !== 'object' || given === null) throw new ArgumentError('options must be an object');
  const { listen, clients = clientsDefault, ...options } = given;
  checkOptionNames(options, ['listen', 'clients']);
  if (!Number.isInteger(clients) || clients < 0 || clients > clientsMax)
    throw new ArgumentError(`clients must be a whole number from 0 to ${clientsMax}`);
  if (listen !== undefined && listen !== false) {
    if (typeof listen !== 'object' || listen === null)
      throw new ArgumentError('listen must be false, or an object that says where');
    checkNames(listen, listenOptionNames, 'listen');
  }
  const start = { listen: listen !== false, clients: clients + 1 };
  try {
    const running = await startRunning({ ...options, ...(listen || {}) }, start, logger && (() => logger));
    return await openBroker(running);
  } catch (error) {
    throw error instanceof BrokerError ? error : new FailedError(error);
  }
}
