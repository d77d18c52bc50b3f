import fc from 'fast-check';
import { expect, test } from 'vitest';
import { partialSpareBytesMax, partialSparesMax } from '../../src/base/limits.js';
import { PartialBuffers } from '../../src/gateway/partialBuffers.js';

const step = fc.oneof(
  fc.record({
    kind: fc.constant('take' as const),
    needed: fc.nat(15_000),
    room: fc.integer({ min: 1, max: 6_000 }),
  }),
  fc.record({ kind: fc.constant('give' as const), which: fc.nat(100) }),
);

test('a buffer is with one operation at a time, has room for what has come, and is not much larger than what is needed', () => {
  let reused = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const buffers = new PartialBuffers();
      const taken: Uint8Array[] = [];
      const known = new Set<Uint8Array>();
      for (const each of steps) {
        if (each.kind === 'give') {
          const [buffer] = taken.splice(each.which % Math.max(1, taken.length), 1);
          if (buffer !== undefined) buffers.give(buffer);
          continue;
        }
        const buffer = buffers.take(each.needed, each.room);
        const wanted = each.needed === 0 ? each.room : each.needed;
        expect(taken.includes(buffer)).toBe(false);
        expect(buffer.length).toBeGreaterThanOrEqual(Math.min(wanted, each.room));
        expect(buffer.length).toBeLessThanOrEqual(Math.max(each.room, 4 * wanted));
        if (known.has(buffer)) reused++;
        known.add(buffer);
        taken.push(buffer);
      }
    }),
    { numRuns: 300 },
  );
  expect(reused).toBeGreaterThan(0);
});

test('few are kept, and none that are large in all', () => {
  const buffers = new PartialBuffers();
  const large: Uint8Array[] = Array.from({ length: 8 }, () => new Uint8Array(partialSpareBytesMax / 4));
  for (const each of large) buffers.give(each);
  const kept = large.map(() => buffers.take(partialSpareBytesMax / 4, 1)).filter((each) => large.includes(each));
  expect(kept).toHaveLength(4);
  const small: Uint8Array[] = Array.from({ length: 2 * partialSparesMax }, () => new Uint8Array(1024));
  for (const each of small) buffers.give(each);
  const again = small.map(() => buffers.take(1024, 1)).filter((each) => small.includes(each));
  expect(again).toHaveLength(partialSparesMax);
});
