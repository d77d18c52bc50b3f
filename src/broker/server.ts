import type { FailedError } from '../client/errors.js';
import type { BrokerOptions } from '../options/brokerOptions.js';
import type { SomeOptions } from '../options/options.js';
import type { OptionWords } from '../options/optionWords.js';

/** Where a broker can be reached. */
export interface BrokerPorts {
  pid: number;
  nats: string[];
  monitoring: string[];
  websocket: string[];
  jsonl: string[];
}

/** What has become of new options: names as in `BrokerOptions`. */
export interface Reloaded {
  readonly changed: readonly (keyof BrokerOptions)[];
  /** They differ, too, but need a restart. */
  readonly refused: readonly (keyof BrokerOptions)[];
}

/** A running broker, as whoever runs it for others sees it. */
export interface BrokerServer {
  readonly ports: BrokerPorts;
  /** Drains and stops: what was accepted is delivered or refused. May be called again; resolves when all has ended. */
  stop(): Promise<void>;
  /** Tells clients to go elsewhere, ends their connections gently, then stops. */
  lameDuck(): Promise<void>;
  /**
   * Takes the options that are given as far as they can change while it runs; all others stay as they are. Connections
   * that would not be let in by new credentials are ended. A broker that stops takes nothing.
   *
   * @param words how errors speak of the options: as a program wrote them where nothing else is said
   * @throws OptionsError when there is no such option, or what would result is not allowed; nothing has changed then
   */
  reload(options: SomeOptions, words?: OptionWords): Reloaded;
  /** Resolves, never rejects, when a thread failed: the broker is of no use any more and the process should end. */
  readonly failed: Promise<FailedError>;
}
