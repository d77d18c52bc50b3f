import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bucketCount,
  bucketEnd,
  bucketOf,
  countIn,
  HistogramWriter,
  histogramNumbers,
  mergeHistograms,
  quantile,
} from '../../src/base/histogram.js';
import {
  createTallies,
  histogramIn,
  histogramNames,
  mergedHistograms,
  sumTallies,
  tallyRow,
} from '../../src/base/tally.js';
import { bucketSamples } from '../../src/monitor/histogramSpecs.js';

test('buckets follow each other without gaps, and none is wider than a thirty-second of what lies in it', () => {
  let start = 0;
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    const end = bucketEnd(bucket);
    expect([bucketOf(start), bucketOf(end - 1)]).toEqual([bucket, bucket]);
    expect(end - start).toBeLessThanOrEqual(Math.max(1, start / 32));
    start = end;
  }
  expect(bucketOf(start)).toBe(bucketCount - 1);
  expect(bucketOf(Number.MAX_VALUE)).toBe(bucketCount - 1);
  expect(bucketOf(-1)).toBe(0);
});

test('quantiles of what several threads have counted are those of the values, to a thirty-second or a microsecond', () => {
  const values = fc.array(
    fc.record({ us: fc.integer({ min: 0, max: 10_000_000 }), count: fc.integer({ min: 1, max: 50 }) }),
    {
      minLength: 1,
      maxLength: 200,
    },
  );
  fc.assert(
    fc.property(values, fc.constantFrom(0.5, 0.9, 0.99, 1), (all, part) => {
      const numbers = [0, 1].map(() => new Float64Array(histogramNumbers));
      const writers = numbers.map((each) => new HistogramWriter(each));
      for (const [i, { us, count }] of all.entries()) writers[i % 2]?.add(us / 1000, count);
      const sorted = all.flatMap(({ us, count }) => new Array<number>(count).fill(us)).sort((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] as number;
      const merged = mergeHistograms(numbers);
      expect(Math.abs(quantile(merged, part) - exact)).toBeLessThanOrEqual(exact / 32 + 1);
      expect(countIn(merged)).toBe(sorted.length);
      expect(merged[bucketCount]).toBeCloseTo(
        sorted.reduce((sum, us) => sum + us, 0),
        0,
      );
      const samples = bucketSamples('x', merged);
      for (const { metricName, labels, value } of samples)
        if (metricName === 'x_bucket' && labels.le !== '+Inf')
          // a value of the bound itself lies in the bucket beyond
          expect(value).toBe(sorted.filter((us) => us < Number(labels.le) * 1e6).length);
    }),
  );
});

test('histograms lie beside counts, each in a place of its own', () => {
  const memory = createTallies(3);
  for (let row = 0; row < 3; row++)
    for (const [i, name] of histogramNames.entries())
      histogramIn(tallyRow(memory, row), name).fill(10 ** row * (i + 1));
  expect(Object.values(sumTallies(memory)).every((count) => count === 0)).toBe(true);
  const merged = mergedHistograms(memory);
  for (const [i, name] of histogramNames.entries())
    expect([...merged[name]].every((count) => count === 111 * (i + 1))).toBe(true);
});
