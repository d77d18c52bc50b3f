import { mixHash } from './hash.js';
import { kernelAddress } from './kernel.js';

/**
 * Bytes together with a view that reads four of them at once, wherever they lie. Short copies and comparisons, which are
 * most of what a broker does, take half the time of a loop over single bytes (docs/decisions/0005).
 */
export class Span {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the bytes lie in the kernel's memory; -1 outside of it. */
  readonly address: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.address = kernelAddress(bytes);
  }
}

/** Bytes that lie somewhere in a span. */
export interface Place {
  readonly span: Span;
  readonly start: number;
  readonly end: number;
}

/** Bytes as a place of their own. */
export function placeOf(bytes: Uint8Array): Place {
  return { span: new Span(bytes), start: 0, end: bytes.length };
}

/** No bytes at all. */
export const nowhere = placeOf(new Uint8Array(0));

/** The span that `spanAround` made last. */
let lastPool: Span | null = null;

/**
 * A span of all the memory that bytes of a pool lie in, the same for what was taken of it in succession: thousands of small things share
 * its objects, and to use one of them touches its bytes alone. They begin at their `byteOffset`.
 */
export function spanAround(pooled: Uint8Array): Span {
  if (lastPool === null || lastPool.bytes.buffer !== pooled.buffer) lastPool = new Span(new Uint8Array(pooled.buffer));
  return lastPool;
}

/** What `pooledPlace` takes room of, and how much is taken. */
const placesBytes = 8 * 1024;
let places = new Span(new Uint8Array(placesBytes));
let placesUsed = 0;

/** Room for what is small and lives long, in a span that it shares with what was taken before and after it. */
export function pooledPlace(length: number): Place {
  if (length > placesBytes / 8) return { span: new Span(new Uint8Array(length)), start: 0, end: length };
  if (placesUsed + length > placesBytes) {
    places = new Span(new Uint8Array(placesBytes));
    placesUsed = 0;
  }
  const start = placesUsed;
  placesUsed += length;
  return { span: places, start, end: placesUsed };
}

/** Up to this many bytes copying word by word beats `TypedArray.prototype.set`, whose call alone takes 50 ns. */
const wordCopyBytesMax = 232;

/** Copies `source[start, end)` to `target` at `at`; returns the position after the copy. The two must not overlap. */
export function copySpan(target: Span, at: number, source: Span, start: number, end: number): number {
  const length = end - start;
  if (length > wordCopyBytesMax) {
    target.bytes.set(source.bytes.subarray(start, end), at);
    return at + length;
  }
  if (length < 8) return copyFew(target, at, source, start, end);
  const to = target.view;
  const from = source.view;
  // the last word may overlap the one before it: cheaper than a loop over the bytes that are left
  const lastWord = end - 8;
  const lastWordAt = at + length - 8;
  while (start < lastWord - 24) {
    const a = from.getFloat64(start, true);
    const b = from.getFloat64(start + 8, true);
    const c = from.getFloat64(start + 16, true);
    const d = from.getFloat64(start + 24, true);
    if (!(Number.isNaN(a) || Number.isNaN(b) || Number.isNaN(c) || Number.isNaN(d))) {
      to.setFloat64(at, a, true);
      to.setFloat64(at + 8, b, true);
      to.setFloat64(at + 16, c, true);
      to.setFloat64(at + 24, d, true);
    } else {
      for (let i = 0; i < 32; i += 8) copyHalves(to, at + i, from, start + i);
    }
    start += 32;
    at += 32;
  }
  while (start < lastWord) {
    copyWord(to, at, from, start);
    start += 8;
    at += 8;
  }
  copyWord(to, lastWordAt, from, lastWord);
  return lastWordAt + 8;
}

/** Copies eight bytes as a number; the bits of one that is not a number are not sure to survive that, so these go in halves. */
function copyWord(to: DataView, at: number, from: DataView, start: number): void {
  const word = from.getFloat64(start, true);
  if (Number.isNaN(word)) copyHalves(to, at, from, start);
  else to.setFloat64(at, word, true);
}

function copyHalves(to: DataView, at: number, from: DataView, start: number): void {
  to.setInt32(at, from.getInt32(start, true), true);
  to.setInt32(at + 4, from.getInt32(start + 4, true), true);
}

function copyFew(target: Span, at: number, source: Span, start: number, end: number): number {
  const length = end - start;
  if (length < 4) {
    for (let i = 0; i < length; i++) target.bytes[at + i] = source.bytes[start + i];
    return at + length;
  }
  target.view.setInt32(at, source.view.getInt32(start, true), true);
  target.view.setInt32(at + length - 4, source.view.getInt32(end - 4, true), true);
  return at + length;
}

/**
 * A seeded hash of `span[start, end)` for tables in memory, four bytes a step. Its value differs from process to process:
 * what is kept or shared uses `hashBytes`.
 */
export function hashSpan(span: Span, start: number, end: number, seed: number): number {
  const view = span.view;
  let hash = seed ^ (end - start);
  let i = start;
  for (; i + 4 <= end; i += 4) {
    hash = Math.imul(hash ^ view.getInt32(i, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  const bytes = span.bytes;
  for (; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return mixHash(hash);
}

/** Whether the `length` bytes, at least four, at two places of a span are the same. */
export function spanRepeats(span: Span, first: number, second: number, length: number): boolean {
  const view = span.view;
  const last = length - 4;
  for (let i = 0; i < last; i += 4) {
    if (view.getInt32(first + i, true) !== view.getInt32(second + i, true)) return false;
  }
  return view.getInt32(first + last, true) === view.getInt32(second + last, true);
}

/** Whether `length` bytes at two places are the same. */
export function spansEqual(one: Span, start: number, other: Span, otherStart: number, length: number): boolean {
  let i = 0;
  for (; i + 4 <= length; i += 4)
    if (one.view.getInt32(start + i, true) !== other.view.getInt32(otherStart + i, true)) return false;
  for (; i < length; i++) if (one.bytes[start + i] !== other.bytes[otherStart + i]) return false;
  return true;
}

/** Whether the bytes from `start` on are those of a place; the caller has checked that so many bytes are there. */
export function spanEqualAt(span: Span, start: number, expected: Place): boolean {
  const expectedStart = expected.start;
  const length = expected.end - expectedStart;
  const view = span.view;
  const expectedView = expected.span.view;
  if (length < 4) {
    for (let i = 0; i < length; i++)
      if (view.getInt8(start + i) !== expectedView.getInt8(expectedStart + i)) return false;
    return true;
  }
  // the last word may overlap the one before it
  const last = length - 4;
  for (let i = 0; i < last; i += 4) {
    if (view.getInt32(start + i, true) !== expectedView.getInt32(expectedStart + i, true)) return false;
  }
  return view.getInt32(start + last, true) === expectedView.getInt32(expectedStart + last, true);
}
