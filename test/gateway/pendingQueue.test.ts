import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkPool } from '../../src/gateway/chunkPool.js';
import { PendingQueue } from '../../src/gateway/output/pendingQueue.js';

// Invariant 30 of docs/INVARIANTS.md.

const append = fc.record({
  kind: fc.constant('append' as const),
  size: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 300 }) }, fc.integer({ min: 1, max: 70_000 })),
  // several messages often come in one piece
  pieces: fc.integer({ min: 1, max: 3 }),
});
const advance = fc.record({ kind: fc.constant('advance' as const), part: fc.nat(100) });
const truncate = fc.record({ kind: fc.constant('truncate' as const), keep: fc.nat(100_000) });
const steps = fc.array(
  fc.oneof({ weight: 6, arbitrary: append }, { weight: 4, arbitrary: advance }, { weight: 1, arbitrary: truncate }),
  { maxLength: 50 },
);

/** Copies what is queued out of a queue by emptying it. */
function drain(queue: PendingQueue): Buffer {
  const parts: Buffer[] = [];
  while (queue.bytes > 0) {
    const { headStart, headEnd } = queue;
    parts.push(Buffer.from(queue.headChunk.bytes.subarray(headStart, headEnd)));
    queue.advance(headEnd - headStart);
  }
  return Buffer.concat(parts);
}

/** Left a chunk behind that held nothing. */
const truncatedToNothing = [
  { kind: 'truncate' as const, keep: 0 },
  { kind: 'append' as const, size: 1, pieces: 1 },
  { kind: 'truncate' as const, keep: 0 },
];

test('a queue holds what a plain array of bytes would; truncated, it ends with a whole append', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const memory = { heldBytes: 0 };
      const queue = new PendingQueue(new ChunkPool(), memory);
      let model = Buffer.alloc(0);
      /** Positions in the model at which an append ends. */
      let ends: number[] = [0];
      let next = 0;
      for (const step of all) {
        if (step.kind === 'append') {
          const bytes = Buffer.alloc(step.size * step.pieces + 8, next++ & 0xff);
          for (let i = 0; i < bytes.length; i += 3) bytes[i] = i;
          queue.append(bytes, 4, bytes.length - 4);
          model = Buffer.concat([model, bytes.subarray(4, -4)]);
          ends.push(model.length);
        } else if (step.kind === 'advance') {
          if (queue.bytes === 0) continue;
          const head = queue.headEnd - queue.headStart;
          const taken = Math.min(head, Math.ceil((head * step.part) / 100));
          expect(
            Buffer.compare(
              queue.headChunk.bytes.subarray(queue.headStart, queue.headStart + taken),
              model.subarray(0, taken),
            ),
          ).toBe(0);
          queue.advance(taken);
          model = model.subarray(taken);
          ends = ends.map((end) => end - taken).filter((end) => end >= 0);
        } else {
          queue.truncate(Math.min(step.keep, queue.bytes));
          expect(queue.bytes).toBeGreaterThanOrEqual(Math.min(step.keep, model.length));
          if (model.length > 0) expect(ends).toContain(queue.bytes);
          model = model.subarray(0, queue.bytes);
          ends = ends.filter((end) => end <= queue.bytes);
        }
        expect(queue.bytes).toBe(model.length);
        expect(queue.heldBytes).toBe(memory.heldBytes);
        // of whole chunks, one may be used up to its head and one from its tail on
        expect(queue.heldBytes).toBeGreaterThanOrEqual(queue.bytes);
        if (queue.bytes === 0) expect(queue.heldBytes).toBeLessThanOrEqual(4096);
      }
      expect(drain(queue).equals(model)).toBe(true);
      expect([queue.bytes, memory.heldBytes]).toEqual([0, 0]);
    }),
    { numRuns: 300, examples: [[truncatedToNothing]] },
  );
});
