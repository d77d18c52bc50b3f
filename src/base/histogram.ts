/**
 * Counts of durations, in microseconds, by buckets as HdrHistogram has them: 32 to each power of two, so that a bucket is a thirty-second of what lies in it wide, and
 * one for each microsecond below 64. They are plain numbers in memory that one thread writes and any may read. hdr-histogram-js has the same buckets, but memory of its own
 * that no other thread sees.
 */
const subBits = 5;
const subBuckets = 1 << subBits;
const exponentMax = 26;
const largest = 2 ** (exponentMax + 1) - 1;

export const bucketCount = (exponentMax - subBits + 2) * subBuckets;

/** What a histogram takes: its buckets, and the sum of all values. */
export const histogramNumbers = bucketCount + 1;

export function bucketOf(microseconds: number): number {
  const value = Math.max(0, Math.min(largest, microseconds)) | 0;
  const shift = Math.max(0, 31 - subBits - Math.clz32(value));
  return shift * subBuckets + (value >> shift);
}

/** The least that is beyond a bucket, in microseconds. */
export function bucketEnd(bucket: number): number {
  const shift = Math.max(0, (bucket >> subBits) - 1);
  return (bucket - shift * subBuckets + 1) * 2 ** shift;
}

/** Where one thread counts. */
export class HistogramWriter {
  readonly #numbers: Float64Array;

  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }

  add(milliseconds: number, count = 1): void {
    const microseconds = milliseconds * 1000;
    this.#numbers[bucketOf(microseconds)] += count;
    this.#numbers[bucketCount] += microseconds * count;
  }
}

/** Several threads' histograms as one. */
export function mergeHistograms(all: readonly Float64Array[]): Float64Array {
  const merged = new Float64Array(histogramNumbers);
  for (const numbers of all) for (let i = 0; i < histogramNumbers; i++) merged[i] += numbers[i] as number;
  return merged;
}

export function countIn(numbers: Float64Array): number {
  let count = 0;
  for (let i = 0; i < bucketCount; i++) count += numbers[i] as number;
  return count;
}

/** What so much of all that was counted was at most, in microseconds, to the width of a bucket: the middle of that; 0 when nothing was. @param part between 0 and 1 */
export function quantile(numbers: Float64Array, part: number): number {
  const wanted = countIn(numbers) * part;
  let count = 0;
  for (let i = 0; i < bucketCount; i++) {
    count += numbers[i] as number;
    if (count >= wanted && count > 0) return i < 2 * subBuckets ? i : (bucketEnd(i - 1) + bucketEnd(i)) / 2;
  }
  return 0;
}
