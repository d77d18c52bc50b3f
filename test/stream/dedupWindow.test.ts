import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DedupWindow } from '../../src/stream/dedupWindow.js';

// Invariant 42 of docs/INVARIANTS.md.

const step = fc.record({
  id: fc.nat(9),
  pauseUs: fc.nat(3),
  windowUs: fc.integer({ min: 1, max: 30 }),
  count: fc.nat(4),
});

test('ids are found as long as they are young enough, and forgotten oldest first, so many at a time', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const window = new DedupWindow();
      let kept: { id: string; sequence: number; timeUs: number }[] = [];
      let nowUs = 100;
      for (const [sequence, { id: number, pauseUs, windowUs, count }] of steps.entries()) {
        nowUs += pauseUs;
        const id = `${number}`;
        const sinceUs = nowUs - windowUs;
        const known = kept.find((each) => each.id === id && each.timeUs >= sinceUs);
        expect(window.find(id, sinceUs)).toBe(known?.sequence ?? 0);
        if (known === undefined) {
          window.add(id, sequence + 1, nowUs);
          kept = [...kept.filter((each) => each.id !== id), { id, sequence: sequence + 1, timeUs: nowUs }];
        }
        window.expire(sinceUs, count);
        const old = kept.filter(({ timeUs }) => timeUs < sinceUs).length;
        const before = kept.length;
        while (kept.length * 151 > window.memoryBytes) kept.shift();
        expect(kept.length * 151).toBe(window.memoryBytes);
        expect(before - kept.length).toBeLessThanOrEqual(Math.min(old, count));
      }
      window.expire(Number.POSITIVE_INFINITY, 1_000);
      expect(window.memoryBytes).toBe(0);
    }),
    { numRuns: 500 },
  );
});
