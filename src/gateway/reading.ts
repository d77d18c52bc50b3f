import { kernelOrOwnBytes } from '../base/kernel.js';
import { carryBytesMax, glanceUnits, readBufferBytes } from '../base/limits.js';
import type { Turn } from '../base/turn.js';
import { readShift, type Work } from '../base/work.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Topic } from '../router/topic.js';
import type { Connection } from './connection.js';
import type { Ingress } from './ingress.js';
import type { Latency } from './latency.js';
import type { Policing } from './policies/policing.js';
import { ReadBuffer } from './readBuffer.js';
import type { Shares } from './shares.js';

/** The parts of a gateway that what clients say goes through. */
export interface ReadingParts {
  readonly connections: ReadonlyMap<number, Connection>;
  readonly exchange: Exchange<Topic>;
  readonly ingress: Ingress;
  readonly shares: Shares;
  readonly policing: Policing;
  readonly work: Work;
  readonly latency: Pick<Latency, 'readAt'>;
  readonly turn: Turn;
  /** Sends out what has collected, in the middle of a turn. */
  flush(): void;
}

const inputBytes = carryBytesMax + readBufferBytes;

/** Has what sockets bring carried out, a share a turn, and says which of them are read. */
export class Reading {
  readonly #parts: ReadingParts;
  /** Where every socket of the gateway is read into, with room before it for what an earlier read left. */
  readonly #input = kernelOrOwnBytes(inputBytes);
  readonly buffer = this.#input.subarray(carryBytesMax);
  /** How much of it each socket gets. */
  readonly rooms: ReadBuffer;
  /** Whether nothing more is read: who was parked would be read again, and a new client for the first time. */
  #ended = false;
  /** The turn, and the units of it at which other threads are looked after next. */
  #turn = 0;
  #nextGlanceUnits = glanceUnits;

  constructor(parts: ReadingParts) {
    this.#parts = parts;
    this.rooms = new ReadBuffer(this.buffer, parts.work);
  }

  /** Takes the input of a connection that stands in the read buffer; returns false when its socket must be paused. */
  onInput(connection: Connection, lengthBytes: number): boolean {
    if (connection.state !== 'open') return true;
    const { shares, work, exchange, ingress, policing, turn, latency } = this.#parts;
    if (this.#ended) {
      ingress.cut(connection);
      return false;
    }
    connection.clock.hear();
    connection.traffic.readMs = latency.readAt();
    turn.request();
    const own = shares.begin(connection, lengthBytes);
    work.units += lengthBytes >> readShift;
    exchange.drainControl();
    const reading = ingress.onRead(connection, this.#input, carryBytesMax, carryBytesMax + lengthBytes);
    const spent = own && shares.end(connection);
    if (own) this.#glance();
    if (connection.parked) policing.onParked(connection);
    if (!reading || !spent || connection.state !== 'open') return reading;
    shares.defer(connection);
    return false;
  }

  /** A client will say no more. */
  onInputEnd(connection: Connection): void {
    if (connection.state !== 'open') return;
    this.#parts.exchange.drainControl();
    this.#parts.ingress.onEnd(connection);
    this.#parts.turn.request();
    this.#glance();
  }

  /** Tries one parked connection again: what it waited for was its own. */
  resume(connection: Connection): void {
    this.#parts.ingress.resume(connection);
    this.#parts.turn.request();
  }

  /** Has those go on that have had their share of an earlier turn, as far as this one lasts. */
  goOn(): void {
    this.#parts.shares.serve((connection) => this.#goOn(connection));
  }

  /** Stops reading: what has been read is still carried out. */
  stop(): void {
    this.#ended = true;
    for (const connection of this.#parts.connections.values()) connection.socket.pause();
  }

  /**
   * Passes on what has come from other threads, now and then: a crowd's sockets are all read before a turn's end comes, and a message passes three threads.
   */
  #glance(): void {
    const { work, exchange } = this.#parts;
    if (work.turn !== this.#turn) {
      this.#turn = work.turn;
      this.#nextGlanceUnits = glanceUnits;
    }
    if (work.units < this.#nextGlanceUnits) return;
    if (exchange.glance(glanceUnits)) this.#parts.flush();
    this.#nextGlanceUnits = work.units + glanceUnits;
  }

  /** Returns whether that was work, and not only a socket to be read. */
  #goOn(connection: Connection): boolean {
    if (this.#parts.ingress.goOn(connection) || connection.parked || connection.state !== 'open') return true;
    if (!this.#ended) connection.resumeReading();
    return false;
  }
}
