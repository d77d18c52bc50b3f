import { mixHash } from './hash.js';

/**
 * Bytes together with a view that reads four of them at once, wherever they lie. Short copies and comparisons, which are
 * most of what a broker does, take half the time of a loop over single bytes (docs/decisions/0005).
 */
export class Span {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

/** Up to this many bytes copying word by word beats `TypedArray.prototype.set`, whose call alone takes 50 ns. */
const wordCopyBytesMax = 104;

/** Copies `source[start, end)` to `target` at `at`; returns the position after the copy. The two must not overlap. */
export function copySpan(target: Span, at: number, source: Span, start: number, end: number): number {
  const length = end - start;
  if (length > wordCopyBytesMax) {
    target.bytes.set(source.bytes.subarray(start, end), at);
    return at + length;
  }
  if (length < 4) {
    for (let i = 0; i < length; i++) target.bytes[at + i] = source.bytes[start + i];
    return at + length;
  }
  const to = target.view;
  const from = source.view;
  // the last word may overlap the one before it: cheaper than a loop over the bytes that are left
  const lastWord = end - 4;
  const lastWordAt = at + length - 4;
  while (start < lastWord - 12) {
    to.setInt32(at, from.getInt32(start, true), true);
    to.setInt32(at + 4, from.getInt32(start + 4, true), true);
    to.setInt32(at + 8, from.getInt32(start + 8, true), true);
    to.setInt32(at + 12, from.getInt32(start + 12, true), true);
    start += 16;
    at += 16;
  }
  while (start < lastWord) {
    to.setInt32(at, from.getInt32(start, true), true);
    start += 4;
    at += 4;
  }
  to.setInt32(lastWordAt, from.getInt32(lastWord, true), true);
  return lastWordAt + 4;
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

/** Whether `span[start, start + expected.length)` is `expected`; the caller has checked that so many bytes are there. */
export function spanEqualAt(span: Span, start: number, expected: Span): boolean {
  const length = expected.bytes.length;
  const view = span.view;
  const expectedView = expected.view;
  let i = 0;
  for (; i < length - 3; i += 4) {
    if (view.getInt32(start + i, true) !== expectedView.getInt32(i, true)) return false;
  }
  const bytes = span.bytes;
  const expectedBytes = expected.bytes;
  for (; i < length; i++) if (bytes[start + i] !== expectedBytes[i]) return false;
  return true;
}
