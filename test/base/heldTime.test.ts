import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeldTime } from '../../src/base/heldTime.js';

// Invariant 31 of docs/INVARIANTS.md.

const windowMs = 60_000;

test('it is never less than what was counted in the last window, and no more than in that and a twelfth more', () => {
  const step = fc.record({ restMs: fc.integer({ min: 0, max: 20_000 }), heldMs: fc.integer({ min: 0, max: 2_000 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 1_000_000 }), (steps, startMs) => {
      const held = new HeldTime(windowMs);
      const spans: [number, number][] = [];
      let nowMs = startMs;
      for (const { restMs, heldMs } of steps) {
        const fromMs = nowMs + restMs;
        nowMs = fromMs + heldMs;
        held.add(fromMs, nowMs);
        spans.push([fromMs, nowMs]);
        const within = (ms: number): number =>
          spans.reduce((sum, [from, to]) => sum + Math.max(0, to - Math.max(from, nowMs - ms)), 0);
        expect(held.inWindow(nowMs)).toBeGreaterThanOrEqual(within(windowMs));
        // a span counts as a whole in the part of the window in which it ended
        expect(held.inWindow(nowMs)).toBeLessThanOrEqual(within((windowMs * 13) / 12 + 2_000));
      }
    }),
  );
});

test('what two wait for at once is counted once', () => {
  const held = new HeldTime(windowMs);
  held.add(0, 100);
  held.add(50, 120);
  held.add(10, 90);
  expect(held.inWindow(120)).toBe(120);
});

test('it is forgotten when a window has passed', () => {
  const held = new HeldTime(windowMs);
  held.add(0, 2_000);
  expect(held.inWindow(windowMs)).toBe(2_000);
  expect(held.inWindow(windowMs * 2)).toBe(0);
});
