import fc from 'fast-check';
import { expect, test } from 'vitest';
import { spareSlotBytes, spareSlotsMax } from '../../src/base/limits.js';
import { Span } from '../../src/base/span.js';
import { LatestQueue, slotObjectBytes } from '../../src/gateway/policies/latestQueue.js';

// Invariant 18 of docs/INVARIANTS.md.

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), length: fc.oneof(fc.nat(200), fc.nat(9_000)) }),
  },
  { weight: 2, arbitrary: fc.constant('shift' as const) },
  { weight: 1, arbitrary: fc.constant('clear' as const) },
);

test('each key has its latest record, in the order in which the keys began to wait', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const queue = new LatestQueue();
      // a map keeps the place of a key whose value is set again
      const model = new Map<string, Buffer>();
      let serial = 0;
      for (const each of steps) {
        if (each === 'clear') {
          queue.clear();
          model.clear();
        } else if (each === 'shift') {
          const first = [...model][0];
          if (first === undefined) continue;
          const record = queue.headSpan.bytes.subarray(queue.headStart, queue.headEnd);
          expect(Buffer.compare(record, first[1])).toBe(0);
          queue.shift();
          model.delete(first[0]);
        } else {
          const record = Buffer.alloc(each.length, ++serial);
          expect(queue.put(each.key, new Span(record), 0, record.length)).toBe(model.has(each.key));
          model.set(each.key, record);
        }
        const bytes = [...model.values()].reduce((sum, record) => sum + record.length, 0);
        const keyBytes = [...model.keys()].reduce((sum, key) => sum + key.length, 0);
        expect([queue.count, queue.bytes]).toEqual([model.size, bytes]);
        expect(queue.heldBytes).toBeGreaterThanOrEqual(bytes + keyBytes + model.size * slotObjectBytes);
        expect(queue.heldBytes).toBeLessThanOrEqual(2 * bytes + keyBytes + 4 * (64 + slotObjectBytes + spareSlotBytes));
        if (model.size === 0) expect(queue.heldBytes).toBe(0);
      }
    }),
    { numRuns: 300 },
  );
});

test('memory is flat however often values are replaced, and the spare slots are bounded', () => {
  const queue = new LatestQueue();
  const record = new Span(new Uint8Array(100));
  const keys = Array.from({ length: 2 * spareSlotsMax }, (_, i) => `${i}`);
  for (const key of keys) queue.put(key, record, 0, 100);
  const held = queue.heldBytes;
  for (let round = 0; round < 100; round++) for (const key of keys) queue.put(key, record, 0, 100);
  expect(queue.heldBytes).toBe(held);
  while (queue.count > 1) queue.shift();
  const keyBytes = keys.at(-1)!.length;
  expect(queue.heldBytes).toBe(keyBytes + (slotObjectBytes + 128) * (spareSlotsMax + 1));
});
