import { cr, del, lf, nine, space, tab, zero } from './ascii.js';
import { digitsMax } from './publishRuns.js';

/** What is said of a line in place of the position behind it, which is above 0. */
export const noLine = { incomplete: 0, tooLong: -1, tooManyArguments: -2 } as const;

const argumentsMax = 4;

/** Reads the rest of a control line with care: any white space, any number of blanks, control bytes. It allocates nothing. */
export class ControlLine {
  /** Where the arguments of the last line stand. */
  readonly starts = new Int32Array(argumentsMax + 1);
  readonly ends = new Int32Array(argumentsMax + 1);
  count = 0;
  /** Whether one of them holds a control byte: none may reach a subject, a reply, a queue group or a sid. */
  tainted = false;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Finds the end of the line whose rest begins at `start`; returns the position behind its LF, or one of `noLine`. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const bound = Math.min(end, start + this.#maxBytes + 2);
    const at = bytes.subarray(start, bound).indexOf(lf);
    return at >= 0 ? start + at + 1 : this.#missing(start, end);
  }

  /** Splits the rest of a line, which begins at `start`, at white space; returns the position behind its LF, or one of `noLine`. */
  split(bytes: Uint8Array, start: number, end: number): number {
    const bound = Math.min(end, start + this.#maxBytes + 2);
    let count = 0;
    let i = start;
    this.tainted = false;
    for (;;) {
      while (i < bound && (bytes[i] === space || bytes[i] === tab)) i++;
      if (i >= bound) break;
      if (bytes[i] === lf || (bytes[i] === cr && i + 1 < bound && bytes[i + 1] === lf)) {
        this.count = count;
        if (i - start > this.#maxBytes) return noLine.tooLong;
        return bytes[i] === lf ? i + 1 : i + 2;
      }
      const argumentStart = i;
      i = this.#argumentEnd(bytes, i, bound);
      if (i >= bound || i === argumentStart) break;
      if (count > argumentsMax) return noLine.tooManyArguments;
      this.starts[count] = argumentStart;
      this.ends[count] = i;
      count++;
    }
    return this.#missing(start, end);
  }

  /** Where the argument that begins at `start` ends; control bytes in it are noted. */
  #argumentEnd(bytes: Uint8Array, start: number, bound: number): number {
    let i = start;
    for (; i < bound; i++) {
      const byte = bytes[i];
      if (byte > space && byte !== del) continue;
      if (byte === space || byte === tab || byte === lf) break;
      if (byte === cr && (i + 1 >= bound || bytes[i + 1] === lf)) break;
      this.tainted = true;
    }
    return i;
  }

  /** A line of just the greatest length may still lack its CR LF. */
  #missing(start: number, end: number): number {
    return end - start >= this.#maxBytes + 2 ? noLine.tooLong : noLine.incomplete;
  }

  /** Argument `index` as a non-negative decimal number, or -1. */
  number(bytes: Uint8Array, index: number): number {
    const end = this.ends[index];
    let first = this.starts[index];
    while (first < end - 1 && bytes[first] === zero) first++;
    if (end - first > digitsMax) return -1;
    let value = 0;
    for (let i = first; i < end; i++) {
      if (bytes[i] < zero || bytes[i] > nine) return -1;
      value = value * 10 + bytes[i] - zero;
    }
    return value;
  }
}
