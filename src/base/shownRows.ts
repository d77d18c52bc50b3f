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
const broughtBytesMax = 64 * 1024;
const readBeyondBytes = 64;
/** What lies between them, of other streams, is brought as well, and may be as much as they are, and so much. */
const betweenBytes = 4 * 1024;
/** To so many addresses they are given at a time. */
export const rowAddressesMax = 8;
const sumCount = 4;
/** What one takes of a run beside its subject, headers, payload and reply, in bytes. */
const ownBytes = shownTextAt(1) + shownAlignment;

/**
 * Records brought to the kernel's memory, which are given to some addresses, for each of which it lays them out. One for all of a thread:
 * what is brought is used at once.
 */
export class ShownRows {
  /** What those that were laid last have of headers and payload, and of subjects, in bytes. */
  messageBytes = 0;
  subjectBytes = 0;
  /** The longest subject of them and the reply, in bytes. */
  textBytesMax = 0;
  /** What those that were given have behind their heads, in bytes. */
  givenBytes = 0;
  /** Where they end in the kernel's memory. */
  end = 0;
  readonly #room: Uint8Array;
  readonly #starts: Uint32Array;
  /** The indices of those that each address gets, one table behind the other, and how many. */
  readonly #indices: Uint32Array;
  readonly #counts = new Uint32Array(rowAddressesMax);
  /** What they surely need at most, in bytes. */
  readonly #needed = new Float64Array(rowAddressesMax);
  readonly #sums: Int32Array;
  readonly #reply: Uint8Array;
  #replySpan: Span | null = null;
  #replyBytes = 0;
  readonly #lay = kernelLayShown();
  #rows: EntryRows | null = null;
  /** Where what was brought begins, as a row and in its own span. */
  #first = 0;
  #from = 0;

  private constructor(room: Uint8Array, tables: Uint8Array, reply: Uint8Array) {
    const { buffer, byteOffset } = tables;
    this.#room = room;
    this.#starts = new Uint32Array(buffer, byteOffset, rowsMax);
    this.#indices = new Uint32Array(buffer, byteOffset + 4 * rowsMax, rowAddressesMax * rowsMax);
    this.#sums = new Int32Array(buffer, byteOffset + 4 * rowsMax * (rowAddressesMax + 1), sumCount);
    this.#reply = reply;
  }

  /** Null where there is no kernel, or no memory left of it. */
  static create(): ShownRows | null {
    const room = takeKernelBytes(broughtBytesMax + readBeyondBytes);
    const tables = takeKernelBytes(4 * rowsMax * (rowAddressesMax + 1) + 4 * sumCount);
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

  /** Begins with the record in a row: nobody has been given any. */
  begin(rows: EntryRows, first: number): void {
    this.#rows = rows;
    this.#first = first;
    this.#from = rows.starts[first];
    this.givenBytes = 0;
    this.#counts.fill(0);
    this.#needed.fill(0);
  }

  /**
   * Gives the next record, the one of that index, to one of the addresses, unless it might need more than there is room for it, or not be
   * brought with the others.
   *
   * @param isOnly whether that address gets all: then a reply is mostly laid out once
   */
  give(index: number, address: number, roomBytes: number, isOnly: boolean): boolean {
    const rows = this.#rows as EntryRows;
    const row = this.#first + index;
    const lengthBytes = rows.bodyBytes(row);
    const needed = this.#needed[address] + lengthBytes + ownBytes + (isOnly ? 0 : this.#replyBytes);
    if (index === rowsMax || needed > roomBytes) return false;
    const broughtBytes = rows.entryEnd(row) - this.#from;
    // of others there may lie as much between them
    if (broughtBytes > broughtBytesMax || broughtBytes > 2 * (this.givenBytes + lengthBytes) + betweenBytes)
      return false;
    this.givenBytes += lengthBytes;
    this.#needed[address] = needed;
    this.#indices[address * rowsMax + this.#counts[address]++] = index;
    return true;
  }

  /** Brings those that were given, the first so many. */
  bring(count: number): void {
    const rows = this.#rows as EntryRows;
    this.#room.set(rows.span.bytes.subarray(this.#from, rows.entryEnd(this.#first + count - 1)));
    for (let i = 0; i < count; i++) this.#starts[i] = rows.starts[this.#first + i];
  }

  /**
   * Lays out what an address was given between two addresses of the kernel's memory, as long as there is room; returns how many.
   *
   * @param delivery the first one's that was brought: its sequence of the consumer's deliveries
   * @param pending what is left for the consumer behind that
   */
  lay(to: number, end: number, address: number, delivery: number, pending: number): number {
    const sums = this.#sums;
    const laid = this.#lay(
      to,
      end,
      this.#indices.byteOffset + 4 * rowsMax * address,
      this.#starts.byteOffset,
      this.#room.byteOffset - this.#from,
      this.#counts[address],
      this.#reply.byteOffset,
      this.#replyBytes,
      delivery,
      pending,
      sums.byteOffset,
    );
    this.end = sums[0];
    this.messageBytes = sums[1];
    this.subjectBytes = sums[2];
    this.textBytesMax = sums[3] + this.#replyBytes;
    return laid;
  }
}
