import { expect, test } from 'vitest';
import { laneBytesMax, laneBytesMin, lanesTotalBytesMax } from '../../src/base/limits.js';
import { createExchangeMemory } from '../../src/exchange/memory.js';
import { dataOffsetBytes } from '../../src/ring/layout.js';

test.each([1, 2, 4, 8, 16, 32, 64])(
  'invariant 10: the lanes of %i threads together stay within their bound',
  (threads) => {
    const { pairs } = createExchangeMemory(threads, 0);
    const lanes = pairs.flat().flatMap((pair) => (pair === null ? [] : [pair.publish!, pair.deliver!]));
    expect(lanes).toHaveLength(2 * threads * (threads - 1));
    expect(pairs.every((readers, writer) => readers[writer] === null)).toBe(true);
    const sizes = lanes.map((lane) => lane.byteLength - dataOffsetBytes);
    expect(sizes.every((size) => size >= laneBytesMin && size <= laneBytesMax)).toBe(true);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(lanesTotalBytesMax);
  },
);

test('invariant 10: a lane size that is asked for is what every lane has', () => {
  const { pairs } = createExchangeMemory(3, laneBytesMin);
  for (const pair of pairs.flat()) {
    if (pair === null) continue;
    for (const lane of [pair.control, pair.publish, pair.deliver])
      expect(lane!.byteLength - dataOffsetBytes).toBe(laneBytesMin);
  }
});

test.each([laneBytesMin / 2, laneBytesMax * 2, laneBytesMin + 8])(
  'invariant 10: lanes of %i bytes are refused',
  (size) => {
    expect(() => createExchangeMemory(2, size)).toThrow();
  },
);
