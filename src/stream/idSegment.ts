import type { PieceWriter } from '../base/pieces.js';
import { copySpan, Span, spansEqual } from '../base/span.js';

/** Ids of a segment at most. */
export const segmentIds = 4096;
const idsMin = 64;
const idBytesMin = 1024;
/** Two columns of doubles, two of words. */
const columnsBytes = 2 * 8 + 2 * 4;

/** Ids that came one behind the other, with what is known of their messages. */
export class IdSegment {
  count = 0;
  sequences = new Float64Array(idsMin);
  times = new Float64Array(idsMin);
  hashes = new Int32Array(idsMin);
  /** Where each id ends; the first begins at 0. */
  #ends = new Int32Array(idsMin);
  #ids = new Span(new Uint8Array(idBytesMin));

  get memoryBytes(): number {
    return this.sequences.length * columnsBytes + this.#ids.bytes.length;
  }

  /** There is room for one more. */
  add(span: Span, start: number, end: number, hash: number, sequence: number, timeUs: number): void {
    const place = this.count++;
    if (place === this.sequences.length) this.#grow();
    const at = this.#startOf(place);
    this.#reserve(at + end - start);
    this.#ends[place] = copySpan(this.#ids, at, span, start, end);
    this.sequences[place] = sequence;
    this.times[place] = timeUs;
    this.hashes[place] = hash;
  }

  /** Lays out ids `from` to `to` (exclusive): what is here stays as it is. */
  save(target: PieceWriter, from: number, to: number): void {
    target.array(this.sequences.subarray(from, to));
    target.array(this.times.subarray(from, to));
    target.array(this.#ends.subarray(from, to));
    target.number(this.#startOf(from));
    target.array(this.#ids.bytes.subarray(this.#startOf(from), this.#ends[to - 1]));
  }

  id(place: number): Uint8Array {
    return this.#ids.bytes.subarray(this.#startOf(place), this.#ends[place]);
  }

  /** Whether the id at a place is `span[start, end)`, whose hash is given. */
  isAt(place: number, span: Span, start: number, end: number, hash: number): boolean {
    if (this.hashes[place] !== hash) return false;
    const at = this.#startOf(place);
    return this.#ends[place] - at === end - start && spansEqual(this.#ids, at, span, start, end - start);
  }

  #startOf(place: number): number {
    return place === 0 ? 0 : this.#ends[place - 1];
  }

  #grow(): void {
    const size = Math.min(2 * this.sequences.length, segmentIds);
    this.sequences = moved(this.sequences, new Float64Array(size));
    this.times = moved(this.times, new Float64Array(size));
    this.hashes = moved(this.hashes, new Int32Array(size));
    this.#ends = moved(this.#ends, new Int32Array(size));
  }

  #reserve(neededBytes: number): void {
    const { bytes } = this.#ids;
    if (neededBytes <= bytes.length) return;
    this.#ids = new Span(new Uint8Array(Math.max(2 * bytes.length, neededBytes)));
    this.#ids.bytes.set(bytes);
  }
}

function moved<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
