/** Where numbers lie in words: each is what it is above `base`, in `width` bits, from bit `at` on. */
export interface PackedNumbers {
  readonly base: number;
  readonly width: number;
  readonly at: number;
}

/** What says so before them takes so many words: the base in two, then the width in six bits, and in the others where they begin. */
export const packedHeadWords = 3;
const widthBits = 6;

export const wordBits = 32;
const wordRange = 2 ** wordBits;

/** How the first `count` of some whole numbers, from zero to below 2^53, are packed from bit `at` on: in as few bits as all of them need. */
export function packing(values: ArrayLike<number>, count: number, at: number): PackedNumbers {
  let least = Number.POSITIVE_INFINITY;
  let greatest = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i];
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  if (count === 0) least = 0;
  return { base: least, width: bitsOf(greatest - least), at };
}

/** How many bits a whole number below 2^53 takes. */
function bitsOf(range: number): number {
  const high = Math.floor(range / wordRange);
  return high > 0 ? 2 * wordBits - Math.clz32(high) : wordBits - Math.clz32(range >>> 0);
}

/** The bit behind `count` numbers. */
export function endOfPacked({ at, width }: PackedNumbers, count: number): number {
  return at + count * width;
}

/**
 * Packs numbers into words from word `start` on, whose bits there are zero, and lays what says where they lie at word `head` from there.
 *
 * @param packed with `at` from `start` on
 */
export function pack(
  words: Uint32Array,
  start: number,
  head: number,
  packed: PackedNumbers,
  values: ArrayLike<number>,
  count: number,
): void {
  const { base, width, at } = packed;
  setLong(words, start + head, base);
  words[start + head + 2] = width | (at << widthBits);
  if (width === 0) return;
  let bit = start * wordBits + at;
  for (let i = 0; i < count; i++, bit += width) {
    const value = values[i] - base;
    setBits(words, bit, value % wordRange);
    if (width > wordBits) setBits(words, bit + wordBits, Math.floor(value / wordRange));
  }
}

/** Number `i` of those that are packed. */
export function unpack(words: Uint32Array, start: number, head: number, i: number): number {
  const base = long(words, start + head);
  const width = packedWidth(words, start + head);
  if (width === 0) return base;
  const bit = packedBit(words, start, head) + i * width;
  if (width <= wordBits) return base + bits(words, bit, width);
  return base + bits(words, bit, wordBits) + wordRange * bits(words, bit + wordBits, width - wordBits);
}

/** The first of the numbers `from` to `to` (exclusive) that is `wanted`, each below 2^32; `to` when none is. */
export function findPacked(
  words: Uint32Array,
  start: number,
  head: number,
  wanted: number,
  from: number,
  to: number,
): number {
  const width = packedWidth(words, start + head);
  const value = wanted - long(words, start + head);
  if (value < 0 || value >= 2 ** width) return to;
  if (width === 0) return from;
  let bit = packedBit(words, start, head) + from * width;
  for (let i = from; i < to; i++, bit += width) if (bits(words, bit, width) === value) return i;
  return to;
}

/** How many bits each of some numbers takes, of which it is said at a word how they are packed. */
export function packedWidth(words: Uint32Array, at: number): number {
  return words[at + 2] & (2 ** widthBits - 1);
}

/** The bit where packed numbers begin. */
function packedBit(words: Uint32Array, start: number, head: number): number {
  return start * wordBits + (words[start + head + 2] >>> widthBits);
}

/** Lays a whole number below 2^53 into two words. */
export function setLong(words: Uint32Array, at: number, value: number): void {
  words[at] = value % wordRange;
  words[at + 1] = Math.floor(value / wordRange);
}

export function long(words: Uint32Array, at: number): number {
  return words[at] + wordRange * words[at + 1];
}

function setBits(words: Uint32Array, bit: number, value: number): void {
  const word = bit >>> 5;
  const shift = bit & 31;
  words[word] |= value << shift;
  if (shift > 0 && value >>> (wordBits - shift) !== 0) words[word + 1] |= value >>> (wordBits - shift);
}

function bits(words: Uint32Array, bit: number, width: number): number {
  const word = bit >>> 5;
  const shift = bit & 31;
  let value = words[word] >>> shift;
  if (shift + width > wordBits) value |= words[word + 1] << (wordBits - shift);
  return width === wordBits ? value >>> 0 : (value & ((1 << width) - 1)) >>> 0;
}
