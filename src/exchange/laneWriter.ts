import { copyBytes } from '../base/bytes.js';
import { Span } from '../base/span.js';
import type { Bell } from '../ring/bell.js';
import { alignRecord } from '../ring/layout.js';
import { RingProducer } from '../ring/producer.js';
import { Outbox, OutboxRecord } from './outbox.js';
import { fragmentHeaderBytes, writeFragment } from './records/fragment.js';

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
  readonly #outbox = new Outbox();
  /** The record begun last, while it waits in the outbox and nothing of it has left. */
  #open: OutboxRecord | null = null;
  /** Whether the record begun last lies in the ring. */
  #inRing = false;
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
    return this.#outbox.empty;
  }

  /** How much of the ring is in use, and how much there is, in bytes. */
  get usedBytes(): number {
    return this.#ring.usedBytes;
  }

  get capacityBytes(): number {
    return this.#ring.capacityBytes;
  }

  get position(): number {
    return this.#ring.position;
  }

  /** How far ahead of its reader this may be, in bytes. */
  get reachBytes(): number {
    return this.#ring.reachBytes;
  }

  /** Whether a record that is not too long for the ring would go into it at once. */
  hasRoom(lengthBytes: number): boolean {
    return this.#outbox.empty && this.#ring.hasRoom(lengthBytes);
  }

  /** Begins a record in the ring; false when it has no room, or others wait already. */
  tryBegin(lengthBytes: number): boolean {
    if (!this.#outbox.empty) return false;
    const index = this.#ring.claim(lengthBytes);
    if (index < 0) return false;
    this.span = this.#ringSpan;
    this.words = this.#ring.words;
    this.index = index;
    this.#inRing = true;
    this.#open = null;
    return true;
  }

  /** Begins a record that must be taken now: in the ring, or else in the outbox. */
  begin(lengthBytes: number): void {
    if (lengthBytes <= this.inlineBytesMax && this.tryBegin(lengthBytes)) return;
    const record = new OutboxRecord(lengthBytes);
    this.span = record.span;
    this.words = record.words;
    this.index = 0;
    this.#inRing = false;
    this.#open = record;
    if (this.#outbox.empty) this.#backlog.lanes++;
    this.#outbox.add(record);
  }

  /** Makes the record begun last longer, if the room behind it is free, or while it waits in the outbox. */
  extend(lengthBytes: number): boolean {
    const open = this.#open;
    if (open === null) return this.#inRing && this.#outbox.empty && this.#ring.extend(lengthBytes);
    if (open.lengthBytes + lengthBytes > this.inlineBytesMax) return false;
    open.extend(lengthBytes, this.inlineBytesMax);
    this.span = open.span;
    this.words = open.words;
    return true;
  }

  /** Moves what the outbox holds into the ring, as far as there is room. */
  pump(): void {
    for (let record = this.#outbox.first; record !== null; record = this.#outbox.first) {
      if (!this.#move(record)) {
        this.wantRoom();
        return;
      }
      if (record === this.#open) this.#open = null;
      if (this.#sentBytes < record.lengthBytes) continue;
      this.#outbox.removeFirst();
      this.#sentBytes = 0;
      if (this.#outbox.empty) this.#backlog.lanes--;
    }
  }

  /** Throws away what the outbox holds: the reader is gone. */
  abandon(): void {
    if (this.#outbox.empty) return;
    this.#outbox.clear();
    this.#open = null;
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

  #move({ span, lengthBytes: totalBytes }: OutboxRecord): boolean {
    const record = span.bytes;
    const rest = totalBytes - this.#sentBytes;
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
    const { words, bytes } = this.#ring;
    writeFragment(words, bytes, index, lengthBytes, record, totalBytes, this.#sentBytes, slice);
    this.#sentBytes += slice;
    return true;
  }
}
