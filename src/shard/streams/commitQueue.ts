import { assert } from '../../base/assert.js';
import { answerBytesMin } from '../../base/limits.js';
import { Span } from '../../base/span.js';
import type { Stream } from '../../stream/stream.js';

// An entry:
//
//   0           4            8               16
//   | total u32 | stream u32 | position f64  | content
//
const totalAt = 0;
const streamAt = totalAt + 4;
const positionAt = streamAt + 4;
const headBytes = positionAt + 8;

/** Whether what an entry waits for is on disk, or never will be. */
export type Commit = 'waiting' | 'committed' | 'failed';

/**
 * Things to be done in order, each when what was asked of a stream before is committed. Kept as bytes one behind the other, so that one
 * costs no object.
 */
export class CommitQueue {
  span = new Span(new Uint8Array(answerBytesMin));
  #start = 0;
  #end = 0;
  /** Where the last entry begins. */
  #last = 0;
  /** How far entries came since `tidy`. */
  #reached = 0;
  /** What is waited for, by its number; 0 is nothing. */
  readonly #streams: (Stream | null)[] = [null];
  readonly #numbers = new Map<Stream, number>();

  /** What is there, in bytes. */
  get bytes(): number {
    return this.#end - this.#start;
  }

  /**
   * Makes room for an entry behind all others.
   *
   * @param stream whose operations so far have to be committed first; null for nothing
   * @returns where its content is to be laid in `span`, which may be another one now
   */
  add(contentBytes: number, stream: Stream | null): number {
    const total = headBytes + contentBytes;
    this.#makeRoom(total);
    const { view } = this.span;
    const at = this.#end;
    this.#last = at;
    view.setUint32(at + totalAt, total, true);
    view.setUint32(at + streamAt, stream === null ? 0 : this.#numberOf(stream), true);
    view.setFloat64(at + positionAt, stream === null ? 0 : stream.storage.position, true);
    this.#end += total;
    return at + headBytes;
  }

  /**
   * Makes room for more at the end of the last entry, which waits for the same stream, for what has been asked of that by now.
   *
   * @returns where it is to be laid in `span`, which may be another one now
   */
  extend(moreBytes: number): number {
    this.#makeRoom(moreBytes);
    const { view } = this.span;
    const at = this.#end;
    const stream = this.#streams[view.getUint32(this.#last + streamAt, true)];
    view.setUint32(this.#last + totalAt, at + moreBytes - this.#last, true);
    if (stream !== null) view.setFloat64(this.#last + positionAt, stream.storage.position, true);
    this.#end += moreBytes;
    return at;
  }

  /** Where the content of the last entry begins; there is one. */
  get last(): number {
    return this.#last + headBytes;
  }

  /** Where the content of the first entry begins; there is one. */
  get first(): number {
    assert(this.bytes > 0, 'there is a first entry');
    return this.#start + headBytes;
  }

  get firstEnd(): number {
    return this.#start + this.#firstTotal;
  }

  /** What the first entry waits for. */
  get firstStream(): Stream | null {
    return this.#streams[this.span.view.getUint32(this.#start + streamAt, true)];
  }

  get firstCommit(): Commit {
    const stream = this.firstStream;
    if (stream === null || stream.storage.committed >= this.span.view.getFloat64(this.#start + positionAt, true))
      return 'committed';
    return stream.failure === null ? 'waiting' : 'failed';
  }

  /** Whether there is but one entry. */
  get isLast(): boolean {
    return this.#firstTotal === this.bytes;
  }

  /** Removes the first entry. */
  drop(): void {
    this.#start += this.#firstTotal;
    if (this.bytes === 0) this.#clear();
  }

  /** Moves the first entry behind all others. */
  putOff(): void {
    const total = this.#firstTotal;
    const entry = this.span.bytes.slice(this.#start, this.#start + total);
    this.#start += total;
    this.#makeRoom(total);
    this.#last = this.#end;
    this.span.bytes.set(entry, this.#end);
    this.#end += total;
  }

  /** Called now and then: gives back most of the room that was not needed since. Not each time when it is empty: that may be in each turn. */
  tidy(): void {
    const roomBytes = Math.max(answerBytesMin, 2 * this.#reached);
    this.#reached = 0;
    if (this.bytes === 0 && 2 * roomBytes <= this.span.bytes.length) this.span = new Span(new Uint8Array(roomBytes));
  }

  get #firstTotal(): number {
    return this.span.view.getUint32(this.#start + totalAt, true);
  }

  #clear(): void {
    this.#start = this.#end = 0;
    if (this.#numbers.size > 0) {
      this.#streams.length = 1;
      this.#numbers.clear();
    }
  }

  #numberOf(stream: Stream): number {
    let number = this.#numbers.get(stream);
    if (number === undefined) {
      number = this.#streams.push(stream) - 1;
      this.#numbers.set(stream, number);
    }
    return number;
  }

  #makeRoom(neededBytes: number): void {
    const { length } = this.span.bytes;
    if (this.#end + neededBytes > this.#reached) this.#reached = Math.min(this.#end + neededBytes, length);
    if (this.#end + neededBytes <= length) return;
    const { bytes: usedBytes, span: old } = this;
    if (2 * (usedBytes + neededBytes) > old.bytes.length)
      this.span = new Span(new Uint8Array(2 * Math.max(old.bytes.length, usedBytes + neededBytes)));
    this.span.bytes.set(old.bytes.subarray(this.#start, this.#end));
    this.#last -= this.#start;
    this.#start = 0;
    this.#end = usedBytes;
  }
}
