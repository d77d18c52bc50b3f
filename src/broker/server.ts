import type { FailedError } from '../client/errors.js';
import type { BrokerOptions } from './options.js';

/** Where a broker can be reached. */
export interface BrokerPorts {
  pid: number;
  nats: string[];
  http: string[];
  websocket: string[];
  jsonl: string[];
}

/** A running broker, as whoever runs it for others sees it. */
export interface BrokerServer {
  readonly ports: BrokerPorts;
  /** Drains and stops: what was accepted is delivered or refused. May be called again; resolves when all has ended. */
  stop(): Promise<void>;
  /** Tells clients to go elsewhere, ends their connections gently, then stops. */
  lameDuck(): Promise<void>;
  /**
   * Takes new options as far as they can change while it runs.
   *
   * @throws OptionsError when what would result is not allowed; nothing has changed then
   */
  reload(options: BrokerOptions): { changed: string[]; refused: string[] };
  /** Resolves, never rejects, when a thread failed: the broker is of no use any more and the process should end. */
  readonly failed: Promise<FailedError>;
}
