import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Span } from '../../src/base/span.js';
import { ChunkPool } from '../../src/gateway/chunkPool.js';
import { RecordQueue } from '../../src/gateway/policies/recordQueue.js';

// Invariant 18 of docs/INVARIANTS.md.

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ push: fc.oneof(fc.nat(50), fc.nat(5_000), fc.constant(300_000)) }) },
  { weight: 2, arbitrary: fc.constant('shift' as const) },
  { weight: 1, arbitrary: fc.constant('clear' as const) },
);

test('records come out as they went in, and no memory is kept for what is gone', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = new RecordQueue(new ChunkPool());
      let model: Buffer[] = [];
      let serial = 0;
      for (const each of steps) {
        if (each === 'clear') {
          queue.clear();
          model = [];
        } else if (each === 'shift') {
          if (model.length === 0) continue;
          const record = queue.headSpan.bytes.subarray(queue.headStart, queue.headEnd);
          expect(Buffer.compare(record, model[0]!)).toBe(0);
          queue.shift();
          model.shift();
        } else {
          const record = Buffer.alloc(each.push, ++serial);
          queue.push(new Span(Buffer.concat([Buffer.from('abc'), record])), 3, 3 + record.length);
          model.push(record);
        }
        const bytes = model.reduce((sum, record) => sum + record.length, 0);
        expect([queue.count, queue.bytes]).toEqual([model.length, bytes]);
        expect(queue.heldBytes).toBeGreaterThanOrEqual(bytes);
        if (model.length === 0) expect(queue.heldBytes).toBe(0);
      }
    }),
    { numRuns: 200 },
  );
});
