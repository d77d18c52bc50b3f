import type { ConnectOptions } from '../../protocol/connectOptions.js';
import type { Dialect } from '../../protocol/dialect.js';
import type { Connection } from '../connection.js';

/**
 * How a stretch of input was left. `parked`: the next operation waits for something; `yielded`: the connection has had its share of
 * the turn.
 */
export type ReadOutcome = 'incomplete' | 'parked' | 'yielded' | 'ended';

/** Cuts the input of a door's connections into operations and has them carried out. One a gateway and protocol. */
export interface DoorReader {
  /** How the last `read` was left. */
  readonly outcome: ReadOutcome;
  /** After `incomplete`: bytes that the whole operation takes from where it began, when that is known, else 0. */
  readonly neededBytes: number;
  /** What stands for the end of the input where it ends in the middle of an operation; empty where that is then no operation. */
  readonly lastWord: Uint8Array;
  /**
   * Carries out the operations in `bytes[start, end)`, which it may not keep; returns where it stopped: behind the last
   * operation that is done with.
   */
  read(connection: Connection, bytes: Uint8Array, start: number, end: number): number;
}

/** A way into the broker: what differs between its connections and those of the others. The rest is the same for all. */
export interface Door {
  readonly name: DoorName;
  /** What its connections speak at first. */
  readonly dialect: Dialect;
  /** Opcode of the WebSocket frames that hold what is sent; 0 where the stream is not framed. */
  readonly frameOpcode: number;
  readonly reader: DoorReader;
  /** What holds for its connections until they say otherwise. */
  readonly options: ConnectOptions;
}

/** The ways in, beside the in-process one: two protocols, each over plain TCP and over WebSocket. */
export type DoorName = 'nats' | 'jsonl' | 'nats-websocket' | 'jsonl-websocket';

/** What listens for connections; a WebSocket's handshake says which door it leads to. */
export type ListenerName = 'nats' | 'jsonl' | 'websocket';
