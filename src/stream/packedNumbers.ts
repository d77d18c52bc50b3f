import type { PieceReader, PieceWriter } from '../base/pieces.js';

/** Where numbers lie in words: each is what it is above `base`, in `width` bits, from bit `at` on. */
export interface PackedNumbers {
  readonly base: number;
  readonly width: number;
  readonly at: number;
}

const wordBits = 32;
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

function bitsOf(range: number): number {
  const high = Math.floor(range / wordRange);
  return high > 0 ? 2 * wordBits - Math.clz32(high) : wordBits - Math.clz32(range >>> 0);
}

/** Lays out how numbers are packed. */
export function savePacking({ base, width, at }: PackedNumbers, target: PieceWriter): void {
  for (const value of [base, width, at]) target.number(value);
}

export function restorePacking(source: PieceReader): PackedNumbers {
  return { base: source.number(), width: source.number(), at: source.number() };
}

/** The bit behind `count` numbers. */
export function endOfPacked({ at, width }: PackedNumbers, count: number): number {
  return at + count * width;
}

/** Packs numbers into words whose bits there are zero. */
export function pack(words: Uint32Array, packed: PackedNumbers, values: ArrayLike<number>, count: number): void {
  const { base, width, at } = packed;
  if (width === 0) return;
  for (let i = 0; i < count; i++) {
    const value = values[i] - base;
    setBits(words, at + i * width, value % wordRange);
    if (width > wordBits) setBits(words, at + i * width + wordBits, Math.floor(value / wordRange));
  }
}

/** Number `i` of those that are packed. */
export function unpack(words: Uint32Array, { base, width, at }: PackedNumbers, i: number): number {
  if (width === 0) return base;
  const bit = at + i * width;
  if (width <= wordBits) return base + bits(words, bit, width);
  return base + bits(words, bit, wordBits) + wordRange * bits(words, bit + wordBits, width - wordBits);
}

/** The first of the numbers `from` to `to` (exclusive) that is `wanted`, each below 2^32; `to` when none is. */
export function findPacked(
  words: Uint32Array,
  packed: PackedNumbers,
  wanted: number,
  from: number,
  to: number,
): number {
  const { base, width, at } = packed;
  const value = wanted - base;
  if (value < 0 || value >= 2 ** width) return to;
  if (width === 0) return from;
  let bit = at + from * width;
  for (let i = from; i < to; i++, bit += width) if (bits(words, bit, width) === value) return i;
  return to;
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
