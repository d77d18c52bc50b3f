import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { Span } from '../../src/base/span.js';
import { DedupWindow } from '../../src/stream/dedupWindow.js';

// Invariant 42 of docs/INVARIANTS.md.

const step = fc.record({
  id: fc.nat(40),
  pauseUs: fc.nat(3),
  count: fc.nat(4),
});

/** Ids of several lengths, with something around them. */
function spanOf(id: number): [span: Span, start: number, end: number] {
  const text = `${id}`.repeat(1 + (id % 5));
  return [new Span(latin1Bytes(`<${text}>`)), 1, 1 + text.length];
}

test('ids are found as long as they are young enough, and forgotten oldest first, so many at a time', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 90 }), (steps, windowUs) => {
      const window = new DedupWindow();
      const kept = new Map<number, { sequence: number; timeUs: number }>();
      let nowUs = 100;
      for (const [i, { id, pauseUs, count }] of steps.entries()) {
        nowUs += pauseUs;
        const sinceUs = nowUs - windowUs;
        const known = kept.get(id);
        const isYoung = known !== undefined && known.timeUs >= sinceUs;
        expect(window.find(...spanOf(id), sinceUs)).toBe(isYoung ? known.sequence : 0);
        if (!isYoung) {
          window.add(...spanOf(id), i + 1, nowUs);
          kept.set(id, { sequence: i + 1, timeUs: nowUs });
        }
        window.expire(sinceUs, count);
        for (const [other, { sequence, timeUs }] of kept)
          if (timeUs >= sinceUs) expect(window.find(...spanOf(other), sinceUs)).toBe(sequence);
      }
      window.expire(Number.POSITIVE_INFINITY, 1_000);
      expect(window.memoryBytes).toBe(0);
      for (const id of kept.keys()) expect(window.find(...spanOf(id), 0)).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test('very many ids take some forty bytes beside their own, each, and no more as others take their place', () => {
  const window = new DedupWindow();
  const live = 30_000;
  let [span, highest] = [new Span(new Uint8Array(8)), 0];
  for (let i = 1; i <= 5 * live; i++) {
    span = new Span(latin1Bytes(`id ${`${i}`.padStart(9, '0')}`));
    window.add(span, 3, 12, i, i);
    window.expire(i - live, 2);
    highest = Math.max(highest, window.memoryBytes);
  }
  expect(highest / live).toBeLessThan(9 + 60);
  for (let i = 5 * live; i > 4 * live; i -= 7)
    expect(window.find(new Span(latin1Bytes(`${i}`.padStart(9, '0'))), 0, 9, 0)).toBe(i);
  expect(window.find(new Span(latin1Bytes('000000001')), 0, 9, 0)).toBe(0);
});
