import { Span } from '../base/span.js';
import type { Bell } from '../ring/bell.js';
import { RingConsumer } from '../ring/consumer.js';
import { fragmentOffset, fragmentTotal, takeFragment } from './records/fragment.js';
import { kindMask, recordKind } from './records/kinds.js';

/** Reads a lane's records and puts fragments together, so that its user sees whole records only. */
export class LaneReader {
  /** Where the record found last lies. */
  span: Span;
  words: Int32Array;
  index = 0;
  readonly #ring: RingConsumer;
  readonly #ringSpan: Span;
  /** The bell of the lane's writer, for when it asked for room. */
  readonly #bell: Bell;
  #assembly: Uint8Array | null = null;
  #ringIndex = -1;

  constructor(memory: SharedArrayBuffer, bell: Bell) {
    this.#ring = new RingConsumer(memory);
    this.#bell = bell;
    this.#ringSpan = new Span(this.#ring.bytes);
    this.span = this.#ringSpan;
    this.words = this.#ring.words;
  }

  /** Up to where everything has been taken. */
  get position(): number {
    return this.#ring.position;
  }

  /** How far ahead its writer may be, in bytes. */
  get reachBytes(): number {
    return this.#ring.reachBytes;
  }

  /** From the next `release` on its writer may be so far ahead, in bytes. */
  setReach(bytes: number): void {
    this.#ring.setReach(bytes);
  }

  snapshot(): number {
    return this.#ring.snapshot();
  }

  hasRecords(): boolean {
    return this.#ring.hasRecords();
  }

  /** Whether all before a snapshot has been taken. */
  hasTaken(position: number): boolean {
    return this.#ring.hasTaken(position);
  }

  /** Finds the next whole record before `limit` and returns its kind with its flags, or 0. Take it with `advance`. */
  next(limit: number): number {
    for (;;) {
      const index = this.#ring.next(limit);
      if (index < 0) return 0;
      const kind = this.#ring.words[(index >> 2) + 1];
      this.#ringIndex = index;
      if ((kind & kindMask) !== recordKind.fragment) {
        this.span = this.#ringSpan;
        this.words = this.#ring.words;
        this.index = index;
        return kind;
      }
      if (this.#assemble(index)) return this.words[1];
      this.#ring.advance(index);
    }
  }

  advance(): void {
    this.#ring.advance(this.#ringIndex);
  }

  /** Up to where all has been taken, if of the record found last what stands before `place` in its span has been; one put together of fragments counts by these. */
  progressAt(place: number): number {
    return this.span === this.#ringSpan ? (this.#ring.position + place - this.index) | 0 : this.#ring.position;
  }

  /** Gives back the room of everything taken, and tells the writer when it waits. */
  release(): void {
    if (this.#ring.release()) this.#bell.ring();
  }

  /** Adds a fragment to the record in assembly; true when it is whole. */
  #assemble(index: number): boolean {
    const { words, bytes } = this.#ring;
    if (fragmentOffset(words, index) === 0) this.#assembly = new Uint8Array(fragmentTotal(words, index));
    const record = this.#assembly as Uint8Array;
    if (!takeFragment(words, bytes, index, record)) return false;
    this.span = new Span(record);
    this.words = new Int32Array(record.buffer);
    this.index = 0;
    this.#assembly = null;
    return true;
  }
}
