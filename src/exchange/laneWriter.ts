import { copyBytes } from '../base/bytes.js';
import { Span } from '../base/span.js';
import type { Bell } from '../ring/bell.js';
import { alignRecord } from '../ring/layout.js';
import { RingProducer } from '../ring/producer.js';
import { fragmentHeaderBytes, fragmentOffsetWord, fragmentTotalWord, recordKind } from './records.js';

/** How many lanes of one kind have something in their outbox. */
export class Backlog {
  lanes = 0;
}

/**
 * Writes records into a ring, or, when the ring has no room, into an outbox that is moved into the ring as room comes.
 * The outbox keeps the order: while it holds anything, everything goes through it. Who may not wait (a shard that is
 * half through a fan-out, a gateway that takes a connection's interest away) uses it; who may wait asks `hasRoom` first.
 */
export class LaneWriter {
  /** Where the record begun last is to be written. */
  span: Span;
  words: Int32Array;
  index = 0;
  /** Larger records are sent in fragments, in bytes. */
  readonly inlineBytesMax: number;
  readonly #ring: RingProducer;
  readonly #ringSpan: Span;
  readonly #bell: Bell;
  readonly #outbox: Uint8Array[] = [];
  /** Bytes of the outbox's first record that are in the ring already. */
  #sentBytes = 0;
  readonly #backlog: Backlog;
  /** Whether somebody found the ring full and waits for the reader. */
  #roomWanted = false;

  constructor(memory: SharedArrayBuffer, bell: Bell, backlog: Backlog) {
    this.#backlog = backlog;
    this.#ring = new RingProducer(memory);
    this.#bell = bell;
    this.#ringSpan = new Span(this.#ring.bytes);
    this.span = this.#ringSpan;
    this.words = this.#ring.words;
    this.inlineBytesMax = this.#ring.capacityBytes >> 2;
  }

  /** Whether everything written so far is in the ring. */
  get clear(): boolean {
    return this.#outbox.length === 0;
  }

  get position(): number {
    return this.#ring.position;
  }

  /** Whether a record that is not too long for the ring would go into it at once. */
  hasRoom(lengthBytes: number): boolean {
    return this.#outbox.length === 0 && this.#ring.hasRoom(lengthBytes);
  }

  /** Begins a record in the ring; false when it has no room, or others wait already. */
  tryBegin(lengthBytes: number): boolean {
    if (this.#outbox.length !== 0) return false;
    const index = this.#ring.claim(lengthBytes);
    if (index < 0) return false;
    this.span = this.#ringSpan;
    this.words = this.#ring.words;
    this.index = index;
    return true;
  }

  /** Begins a record that must be taken now: in the ring, or else in the outbox. */
  begin(lengthBytes: number): void {
    if (lengthBytes <= this.inlineBytesMax && this.tryBegin(lengthBytes)) return;
    const record = new ArrayBuffer(lengthBytes);
    this.span = new Span(new Uint8Array(record));
    this.words = new Int32Array(record);
    this.index = 0;
    if (this.#outbox.push(this.span.bytes) === 1) this.#backlog.lanes++;
  }

  /** Makes the record begun last longer, if it lies in the ring and the room behind it is free. */
  extend(lengthBytes: number): boolean {
    return this.#outbox.length === 0 && this.#ring.extend(lengthBytes);
  }

  /** Moves what the outbox holds into the ring, as far as there is room. */
  pump(): void {
    while (this.#outbox.length > 0) {
      const record = this.#outbox[0];
      if (!this.#move(record)) {
        this.wantRoom();
        return;
      }
      if (this.#sentBytes < record.length) continue;
      this.#outbox.shift();
      this.#sentBytes = 0;
      if (this.#outbox.length === 0) this.#backlog.lanes--;
    }
  }

  /** Throws away what the outbox holds: the reader is gone. */
  abandon(): void {
    if (this.#outbox.length === 0) return;
    this.#outbox.length = 0;
    this.#sentBytes = 0;
    this.#backlog.lanes--;
  }

  /** Makes everything written visible to the reader and wakes it if it sleeps. */
  publish(): void {
    if (this.#ring.publish()) this.#bell.ring();
  }

  /** Whether the reader has taken everything before `position`. */
  isConsumed(position: number): boolean {
    return this.#ring.isConsumed(position);
  }

  /** Asks the reader to ring when it has taken something, until relief is taken. */
  wantRoom(): void {
    this.#roomWanted = true;
    this.#ring.requestRoomSignal();
  }

  /** Whether somebody waits for room, and the reader has taken something since. Asking ends the wait. */
  takeRelief(): boolean {
    if (!this.#roomWanted || !this.#ring.consumerMoved()) return false;
    this.#roomWanted = false;
    this.#ring.withdrawRoomRequest();
    return true;
  }

  /** Whether `takeRelief` would be true, for the last look before a sleep. */
  hasRelief(): boolean {
    return this.#roomWanted && this.#ring.consumerMoved();
  }

  #move(record: Uint8Array): boolean {
    const rest = record.length - this.#sentBytes;
    if (this.#sentBytes === 0 && rest <= this.inlineBytesMax) {
      const index = this.#ring.claim(rest);
      if (index < 0) return false;
      copyBytes(this.#ring.bytes, index, record, 0, rest);
      this.#sentBytes = rest;
      return true;
    }
    const slice = Math.min(rest, this.inlineBytesMax - fragmentHeaderBytes);
    const lengthBytes = alignRecord(fragmentHeaderBytes + slice);
    const index = this.#ring.claim(lengthBytes);
    if (index < 0) return false;
    const word = index >> 2;
    this.#ring.words[word] = lengthBytes;
    this.#ring.words[word + 1] = recordKind.fragment;
    this.#ring.words[word + fragmentTotalWord] = record.length;
    this.#ring.words[word + fragmentOffsetWord] = this.#sentBytes;
    copyBytes(this.#ring.bytes, index + fragmentHeaderBytes, record, this.#sentBytes, this.#sentBytes + slice);
    this.#sentBytes += slice;
    return true;
  }
}
