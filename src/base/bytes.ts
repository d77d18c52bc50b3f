/** Up to this many bytes a plain loop beats `TypedArray.prototype.set`, whose call alone costs as much. */
const loopCopyBytesMax = 64;

/** Copies `source[start, end)` to `target` at `at`; returns the position after the copy. */
export function copyBytes(target: Uint8Array, at: number, source: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length <= loopCopyBytesMax) {
    for (let i = 0; i < length; i++) target[at + i] = source[start + i];
  } else {
    target.set(source.subarray(start, end), at);
  }
  return at + length;
}

/** A copy of `source[start, end)` with a buffer of its own. */
export function ownCopy(source: Uint8Array, start: number, end: number): Uint8Array {
  if (end - start > loopCopyBytesMax) return source.slice(start, end);
  const copy = new Uint8Array(end - start);
  copyBytes(copy, 0, source, start, end);
  return copy;
}

/** Whether `bytes[start, start + expected.length)` is `expected`; the caller has checked that so many bytes are there. */
export function bytesEqualAt(bytes: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}

/** Digits of the largest safe integer. */
export const decimalDigitsMax = 16;

/** Writes a non-negative integer below 2^31 in decimal at `at`; returns the position after it. */
export function writeDecimal(target: Uint8Array, at: number, value: number): number {
  let end = at + 1;
  for (let bound = 10; value >= bound && end - at < 10; bound *= 10) end++;
  let rest = value;
  for (let i = end - 1; i >= at; i--) {
    const quotient = (rest / 10) | 0;
    target[i] = 48 + rest - quotient * 10;
    rest = quotient;
  }
  return end;
}

/**
 * Bytes of a shared slab, for what is small and lives long: a buffer each would cost ten times their size. Not zeroed.
 */
export function pooledBytes(length: number): Uint8Array {
  const pooled = Buffer.allocUnsafe(length);
  return new Uint8Array(pooled.buffer, pooled.byteOffset, length);
}

/** The bytes of a string whose every character is below U+0100, as subjects and sids are kept off the hot path. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Text as subjects and sids are kept: one character a byte of its UTF-8. */
export function byteText(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** The inverse of {@link byteText}: what people read. */
export function readableText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}

/** Text in UTF-8. */
export function utf8String(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}

/** The inverse of {@link latin1Bytes}: one character a byte, so that nothing is lost whatever the bytes are. */
export function latin1String(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
