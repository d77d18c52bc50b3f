import { assert } from './assert.js';
import { kernelLayShown, kernelLineBytesMax, takeKernelBytes } from './kernel.js';
import { shownAlignment, shownTextAt } from './shownRun.js';
import type { Span } from './span.js';

/** Records where they lie in a block of a journal; what the entry of one is, is drawn in src/log/entryLayout.ts. */
export interface EntryRows {
  readonly count: number;
  readonly span: Span;
  /** Where the entry of each begins. */
  readonly starts: Uint32Array;
  /** What the entry of one has behind its head: subject, headers, payload, and CR LF; in bytes. */
  bodyBytes(row: number): number;
  /** Where it ends. */
  entryEnd(row: number): number;
}

/** What is brought at a time, in records and bytes; the kernel reads a little beyond. */
const rowsMax = 256;
const roomBytes = 64 * 1024;
const readBeyondBytes = 64;
/** What lies between them, of other streams, is brought as well, and may be as much as they are, and so much. */
const betweenBytes = 4 * 1024;

/**
 * Records brought to the kernel's memory, which lays them out as messages to addresses. One for all of a thread: what is brought is used at
 * once.
 */
export class ShownRows {
  /** What those that were laid last have of headers and payload, and of subjects, in bytes. */
  messageBytes = 0;
  subjectBytes = 0;
  /** The longest subject of them and the reply, in bytes. */
  textBytesMax = 0;
  /** Where they end in the kernel's memory. */
  end = 0;
  readonly #room: Uint8Array;
  readonly #starts: Uint32Array;
  readonly #sums: Int32Array;
  readonly #reply: Uint8Array;
  #replySpan: Span | null = null;
  #replyBytes = 0;
  readonly #lay = kernelLayShown();
  /** Where what was brought begins in its own span. */
  #from = 0;
  #count = 0;

  private constructor(room: Uint8Array, tables: Uint8Array, reply: Uint8Array) {
    this.#room = room;
    this.#starts = new Uint32Array(tables.buffer, tables.byteOffset, rowsMax);
    this.#sums = new Int32Array(tables.buffer, tables.byteOffset + 4 * rowsMax, 4);
    this.#reply = reply;
  }

  /** Null where there is no kernel, or no memory left of it. */
  static create(): ShownRows | null {
    const room = takeKernelBytes(roomBytes + readBeyondBytes);
    const tables = takeKernelBytes(4 * rowsMax + 16);
    const reply = takeKernelBytes(kernelLineBytesMax);
    return room === null || tables === null || reply === null ? null : new ShownRows(room, tables, reply);
  }

  /** Sets the reply that they show, up to its numbers. */
  setReply(reply: Span): void {
    if (reply === this.#replySpan) return;
    assert(reply.bytes.length <= kernelLineBytesMax, 'a reply is shorter than a line');
    this.#reply.set(reply.bytes);
    this.#replySpan = reply;
    this.#replyBytes = reply.bytes.length;
  }

  /**
   * Brings records from a row on, `max` at most, that take turns between so many addresses, as long as those of one surely need no more than
   * `laidBytesMax` when they are laid, and as long as what they have is not more than `bytesMax`. Returns how many.
   */
  bring(rows: EntryRows, from: number, max: number, addresses: number, laidBytesMax: number, bytesMax: number): number {
    const { starts } = rows;
    const first = starts[from];
    const countMax = Math.min(max, rowsMax);
    // where one address gets all a reply is mostly laid out once
    const ownBytes = shownTextAt(1) + shownAlignment + (addresses === 1 ? 0 : this.#replyBytes);
    let longestBytes = 0;
    let laidBytes = 0;
    let bytes = 0;
    let count = 0;
    while (count < countMax && bytes < bytesMax) {
      const row = from + count;
      const lengthBytes = rows.bodyBytes(row);
      longestBytes = Math.max(longestBytes, lengthBytes + ownBytes);
      laidBytes =
        addresses === 1 ? laidBytes + lengthBytes + ownBytes : longestBytes * (Math.floor(count / addresses) + 1);
      if (laidBytes > laidBytesMax) break;
      if (rows.entryEnd(row) - first > Math.min(roomBytes, 2 * (bytes + lengthBytes) + betweenBytes)) break;
      bytes += lengthBytes;
      count++;
    }
    this.#count = count - (count % addresses);
    if (this.#count > 0) this.#copy(rows, from, this.#count);
    return this.#count;
  }

  #copy(rows: EntryRows, from: number, count: number): void {
    this.#from = rows.starts[from];
    this.#room.set(rows.span.bytes.subarray(this.#from, rows.entryEnd(from + count - 1)));
    for (let i = 0; i < count; i++) this.#starts[i] = rows.starts[from + i];
  }

  /**
   * Lays those that were brought out between two addresses of the kernel's memory, for one of so many addresses, as long as there is room;
   * returns how many.
   *
   * @param index which one's: the first is the first message's
   * @param delivery the first one's sequence of the consumer's deliveries
   * @param pending what is left for the consumer behind it
   */
  lay(to: number, end: number, index: number, addresses: number, delivery: number, pending: number): number {
    const sums = this.#sums;
    const laid = this.#lay(
      to,
      end,
      this.#starts.byteOffset + 4 * index,
      4 * addresses,
      this.#room.byteOffset - this.#from,
      Math.ceil((this.#count - index) / addresses),
      this.#reply.byteOffset,
      this.#replyBytes,
      delivery,
      pending,
      addresses,
      sums.byteOffset,
    );
    this.end = sums[0];
    this.messageBytes = sums[1];
    this.subjectBytes = sums[2];
    this.textBytesMax = sums[3] + this.#replyBytes;
    return laid;
  }
}
