import { assert } from '../base/assert.js';
import { carryBytesMax } from '../base/limits.js';
import type { Connection } from './connection.js';
import { PartialBuffers } from './partialBuffers.js';
import type { Shares } from './shares.js';

const noBytes = new Uint8Array(0);
/** Operations larger than this are put together in a buffer of their own, smaller ones are read again, in bytes. */
const assembledBytesMin = 8 * 1024;
/** Most that is kept to be read again, in bytes: it goes into the room before the read buffer. */
const carriedBytesMax = carryBytesMax / 2;

/** Who ends a connection whose input has all been carried out. */
export interface InputFinisher {
  /** Returns false when what it caused has to be waited for. */
  finishInput(connection: Connection, reason: string): boolean;
}

/** Told who is tried again, for the room that others may not have meanwhile. */
export interface Retries {
  beginRetry(connection: Connection): void;
  endRetry(): void;
}

/** Told who waits with what it has said, and who does not any more. */
export interface Waits {
  onParked(connection: Connection): void;
  onReleased(connection: Connection): void;
}

const uncounted: Waits = { onParked: () => {}, onReleased: () => {} };

/**
 * The way in: cuts what a socket delivers into operations, wherever the stream was split, and has them carried out in
 * order. A connection whose publish finds no room is parked: its input is kept, its socket is not read, and
 * it is tried again when room may have come. One that has had its share of a turn is kept in the same way, and goes on in a later one.
 */
export class Ingress {
  /** Connections that wait, first come first. */
  #parked: Connection[] = [];
  /** Those of them that are to be tried in this round. */
  #untried = 0;
  /** Those whose input is kept since they have had their share. */
  #yielded = 0;
  /** Memory that input takes which waits, or waits for its rest, in bytes. */
  heldBytes = 0;
  readonly #buffers = new PartialBuffers();
  readonly #shares: Shares;
  readonly #finisher: InputFinisher;
  readonly #retries: Retries;
  readonly #parking: Waits;

  constructor(shares: Shares, finisher: InputFinisher, retries: Retries, parking: Waits = uncounted) {
    this.#parking = parking;
    this.#retries = retries;
    this.#shares = shares;
    this.#finisher = finisher;
  }

  /** Connections whose input is kept. */
  get parkedCount(): number {
    return this.#parked.length + this.#untried + this.#yielded;
  }

  /**
   * Takes `bytes[start, end)` that a socket delivered, with `carryBytesMax` of room before `start` that it may
   * overwrite. Returns false when the socket is not to be read for now.
   */
  onRead(connection: Connection, bytes: Uint8Array, start: number, end: number): boolean {
    const reading = this.#read(connection, bytes, start, end);
    this.#count(connection);
    return reading;
  }

  #read(connection: Connection, bytes: Uint8Array, start: number, end: number): boolean {
    if (connection.input.parked !== null) {
      // a stream that was resumed may be read once more after it was stopped again: what comes belongs behind the rest
      connection.input.parked = concat(connection.input.parked, bytes.subarray(start, end));
      return false;
    }
    if (connection.input.partial !== null) return this.#onPartial(connection, bytes, start, end);
    let position = start;
    if (connection.input.carry !== null) {
      position -= connection.input.carry.length;
      bytes.set(connection.input.carry, position);
      connection.input.carry = null;
    }
    return this.#run(connection, bytes, position, end, false);
  }

  /** Takes the end of a connection's input, when it has carried out what came before: the last operation ends with it. */
  onEnd(connection: Connection): void {
    connection.input.ended = true;
    if (connection.parked) return;
    // crowds leave together
    if (this.#shares.turnSpent) this.#yield(connection, noBytes);
    else this.#onLast(connection);
  }

  #onLast(connection: Connection): void {
    const { lastWord } = connection.reader;
    const unfinished = connection.input.carry !== null || connection.input.partial !== null;
    if (unfinished && lastWord.length > 0 && !connection.input.cut) {
      const room = new Uint8Array(carryBytesMax + lastWord.length);
      room.set(lastWord, carryBytesMax);
      if (!this.onRead(connection, room, carryBytesMax, room.length)) return;
    }
    if (connection.state !== 'open') return;
    this.#shares.begin(connection);
    const finished = this.#finisher.finishInput(connection, 'client closed the connection');
    const spent = this.#shares.end(connection);
    if (finished) return;
    if (spent) this.#yield(connection, noBytes);
    else this.#park(connection, noBytes);
  }

  /** Something of a connection's input was not taken, and will not be. */
  cut(connection: Connection): void {
    connection.input.cut = true;
  }

  /** Forgets what a connection has said that was not carried out: it is gone. */
  discard(connection: Connection): void {
    const { partial, partialBytes } = connection.input;
    if (partial !== null) this.#buffers.drop(partial, partialBytes);
    connection.input.carry = null;
    connection.input.partial = null;
    this.#parking.onReleased(connection);
    // it may still be on a list of those that go on
    if (connection.parked) connection.input.parked = noBytes;
    this.#count(connection);
  }

  /**
   * Tries parked connections again, as far as the turn lasts, one of them in any case. Those that were not tried are first the next time, and whoever got something of the
   * room that there was is last: else one that has much to say would have all of it.
   *
   * @returns whether all were tried
   */
  resumeParked(): boolean {
    if (this.#parked.length === 0) return true;
    const waiting = this.#parked;
    this.#parked = [];
    let tried = 0;
    this.#untried = waiting.length;
    while (tried < waiting.length && (tried === 0 || !this.#shares.turnSpent)) {
      this.#untried--;
      this.#tryAgain(waiting[tried++]);
    }
    this.#untried = 0;
    const stuck = this.#parked.filter(({ input }) => !input.gotOn);
    const served = this.#parked.filter(({ input }) => input.gotOn);
    this.#parked = [...waiting.slice(tried), ...stuck, ...served];
    return tried === waiting.length;
  }

  #tryAgain(connection: Connection): void {
    connection.input.gotOn = false;
    if (connection.awaitsVerdict) this.#parked.push(connection);
    else this.#resume(connection);
  }

  /** Goes on with a connection that has had its share of an earlier turn; false when none of its input is kept. */
  goOn(connection: Connection): boolean {
    if (!connection.input.yielded) return false;
    connection.input.yielded = false;
    this.#yielded--;
    this.#resume(connection);
    return true;
  }

  /** Tries one parked connection again: what it waited for was its own. */
  resume(connection: Connection): void {
    const at = this.#parked.indexOf(connection);
    if (at < 0) return;
    this.#parked.splice(at, 1);
    this.#resume(connection);
  }

  #resume(connection: Connection): void {
    this.#retries.beginRetry(connection);
    this.#goOnWithParked(connection);
    this.#retries.endRetry();
  }

  #goOnWithParked(connection: Connection): void {
    const input = parkedOf(connection);
    connection.input.parked = null;
    if (connection.state !== 'open') {
      this.#count(connection);
      return;
    }
    this.#shares.begin(connection);
    const reading = this.#rerun(connection, input);
    this.#shares.end(connection);
    this.#count(connection);
    if (!reading || connection.state !== 'open') return;
    if (connection.input.ended) this.#onLast(connection);
    else connection.resumeReading();
  }

  /** Counts what a connection keeps now instead of what it kept before. */
  #count(connection: Connection): void {
    const { carry, partial, parked } = connection.input;
    // what is parked may be the end of a longer stretch that was parked before
    const parkedBytes = parked === null ? 0 : parked.buffer.byteLength;
    const partialBytes = partial === null ? 0 : this.#buffers.memoryBytes(partial, connection.input.partialBytes);
    const heldBytes = (carry === null ? 0 : carry.length) + partialBytes + parkedBytes;
    this.heldBytes += heldBytes - connection.input.heldBytes;
    connection.input.heldBytes = heldBytes;
  }

  /** Carries out input that was kept; false when the connection has to wait once more. */
  #rerun(connection: Connection, input: Uint8Array): boolean {
    if (connection.input.partial === null) return this.#run(connection, input, 0, input.length, true);
    // held back in the middle of a large operation
    const room = new Uint8Array(carryBytesMax + input.length);
    room.set(input, carryBytesMax);
    return this.onRead(connection, room, carryBytesMax, room.length);
  }

  /** Goes on with a large operation, and with what follows it. */
  #onPartial(connection: Connection, bytes: Uint8Array, start: number, end: number): boolean {
    const position = this.#fillPartial(connection, bytes, start, end);
    const openEnded = connection.input.partialNeededBytes === 0;
    const wholeBytes = openEnded ? connection.input.partialBytes : connection.input.partialNeededBytes;
    if (connection.input.partialBytes < wholeBytes) return true;
    const whole = partialOf(connection);
    connection.input.partial = null;
    const reader = connection.reader;
    const reached = reader.read(connection, whole, 0, wholeBytes);
    const { outcome } = reader;
    if (outcome === 'incomplete' && openEnded && reached === 0) {
      connection.input.partial = whole;
      return true;
    }
    const waits = outcome !== 'incomplete' && outcome !== 'ended';
    if (waits) this.#wait(connection, concat(whole.subarray(reached, wholeBytes), bytes.subarray(position, end)));
    else if (outcome === 'incomplete' && openEnded) this.#keepRest(connection, whole, reached, wholeBytes);
    this.#buffers.give(whole, wholeBytes);
    if (outcome === 'incomplete' && !openEnded) return this.#run(connection, bytes, position, end, false);
    return !waits;
  }

  /** @param kept whether the bytes are the connection's own, and need no copy when it is parked */
  #run(connection: Connection, bytes: Uint8Array, start: number, end: number, kept: boolean): boolean {
    const reader = connection.reader;
    const reached = reader.read(connection, bytes, start, end);
    if (reached > start) this.#noteProgress(connection);
    if (reader.outcome === 'ended') return true;
    if (reader.outcome !== 'incomplete') {
      const rest = bytes.subarray(reached, end);
      if (!kept) this.#shares.keep(rest.length);
      this.#wait(connection, kept ? rest : rest.slice());
      return false;
    }
    this.#keepRest(connection, bytes, reached, end);
    return true;
  }

  #noteProgress(connection: Connection): void {
    connection.input.gotOn = true;
    if (connection.input.parkedFor !== null) this.#parking.onReleased(connection);
  }

  /** Keeps the input of a connection that has to wait, for what its reader says. */
  #wait(connection: Connection, input: Uint8Array): void {
    if (connection.reader.outcome === 'yielded') this.#yield(connection, input);
    else this.#park(connection, input);
  }

  #park(connection: Connection, input: Uint8Array): void {
    connection.input.parked = input;
    this.#parked.push(connection);
    this.#parking.onParked(connection);
  }

  #yield(connection: Connection, input: Uint8Array): void {
    connection.input.parked = input;
    connection.input.yielded = true;
    this.#yielded++;
    this.#shares.defer(connection);
  }

  /** Keeps the beginning of an operation until the rest comes. */
  #keepRest(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const neededBytes = connection.reader.neededBytes;
    const lengthBytes = end - start;
    if (neededBytes <= assembledBytesMin && lengthBytes <= carriedBytesMax) {
      connection.input.carry = bytes.slice(start, end);
      return;
    }
    const partial = this.#buffers.take(neededBytes, lengthBytes);
    partial.set(bytes.subarray(start, end));
    connection.input.partial = partial;
    connection.input.partialNeededBytes = neededBytes;
    connection.input.partialBytes = lengthBytes;
  }

  /** Adds to a large operation; its buffer takes memory for what has come, not for what was promised. */
  #fillPartial(connection: Connection, bytes: Uint8Array, start: number, end: number): number {
    const { input } = connection;
    const neededBytes = input.partialNeededBytes === 0 ? Infinity : input.partialNeededBytes;
    const take = Math.min(end - start, neededBytes - input.partialBytes);
    if (input.partialBytes + take > partialOf(connection).length)
      this.#growPartial(connection, input.partialBytes + take);
    const partial = partialOf(connection);
    this.#shares.keep(take, this.#buffers.memoryBytes(partial, 0) === 0);
    partial.set(bytes.subarray(start, start + take), input.partialBytes);
    input.partialBytes += take;
    return start + take;
  }

  #growPartial(connection: Connection, cameBytes: number): void {
    const { input } = connection;
    const partial = partialOf(connection);
    const larger = this.#buffers.take(input.partialNeededBytes, cameBytes);
    larger.set(partial.subarray(0, input.partialBytes));
    this.#shares.keep(input.partialBytes, true);
    this.#buffers.drop(partial, input.partialBytes);
    input.partial = larger;
  }
}

function parkedOf({ input: { parked } }: Connection): Uint8Array {
  assert(parked !== null, 'a parked connection has input');
  return parked;
}

function partialOf({ input: { partial } }: Connection): Uint8Array {
  assert(partial !== null, 'a large operation has come in part');
  return partial;
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
