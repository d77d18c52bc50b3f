import { type PackedNumbers, pack, packedWidth, unpack, wordBits } from './packedNumbers.js';

// Whole numbers that rise, each in two bits more than the logarithm of their mean distance (Elias and Fano): the lower bits of each are packed
// as they are, and of the upper ones it is counted how many numbers have them: a bit that is set for each number, one that is not for each step.

/** How numbers are laid that rise. */
export interface RisingNumbers {
  readonly lows: PackedNumbers;
  /** Where the upper bits begin, a word, and the word behind them. */
  readonly highs: number;
  readonly end: number;
}

/** How the first `count` of some numbers, at least one, are laid from bit `at` on. */
export function rising(values: Float64Array, count: number, at: number): RisingNumbers {
  const range = values[count - 1] - values[0];
  const width = Math.max(0, Math.floor(Math.log2(range / count)));
  const highs = Math.ceil((at + count * width) / wordBits);
  const highBits = count + Math.floor(range / 2 ** width) + 1;
  return { lows: { base: 0, width, at }, highs, end: highs + Math.ceil(highBits / wordBits) };
}

/** Lays numbers into words from word `start` on, whose bits there are zero; what says how, but for the first and `highs`, at `head` from there. Leaves lower bits in `values`. */
export function layRising(
  words: Uint32Array,
  start: number,
  head: number,
  { lows, highs }: RisingNumbers,
  values: Float64Array,
  count: number,
): void {
  const [first] = values;
  const step = 2 ** lows.width;
  for (let i = 0; i < count; i++) {
    const value = values[i] - first;
    const bit = Math.floor(value / step) + i;
    words[start + highs + (bit >>> 5)] |= 1 << (bit & 31);
    values[i] = value % step;
  }
  pack(words, start, head, lows, values, count);
}

/** Number `i`, from the first one on. */
export function risen(words: Uint32Array, start: number, head: number, highs: number, i: number): number {
  return unpack(words, start, head, i) + stepsBefore(words, start + highs, i) * 2 ** packedWidth(words, start + head);
}

/** How many bits are not set before the one that is set for number `i`. */
function stepsBefore(words: Uint32Array, highs: number, i: number): number {
  let word = highs;
  let left = i;
  for (let set = ones(words[word]); left >= set; set = ones(words[word])) {
    left -= set;
    word++;
  }
  let rest = words[word];
  for (; left > 0; left--) rest &= rest - 1;
  return wordBits * (word - highs) + 31 - Math.clz32(rest & -rest) - i;
}

/** How many bits of a word are set. */
export function ones(word: number): number {
  let pairs = word - ((word >>> 1) & 0x5555_5555);
  pairs = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((pairs + (pairs >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
