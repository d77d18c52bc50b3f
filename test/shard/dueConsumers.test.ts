import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DueConsumer, DueConsumers } from '../../src/shard/consumers/dueConsumers.js';

class Timed implements DueConsumer {
  dueMs = Number.POSITIVE_INFINITY;
  listedMs = Number.POSITIVE_INFINITY;
  isGone = false;
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('at' as const), who: fc.nat(4), ms: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('never' as const), who: fc.nat(4), ms: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gone' as const), who: fc.nat(4), ms: fc.constant(0) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), who: fc.constant(0), ms: fc.nat(20) }) },
);

test('whoever is due is taken, at the first look behind its time, and nobody else', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const list = new DueConsumers<Timed>();
      const all = Array.from({ length: 5 }, () => new Timed());
      let nowMs = 0;
      for (const { kind, who, ms } of steps) {
        const one = all[who] as Timed;
        if (kind === 'gone') one.isGone = true;
        else if (kind === 'wait') nowMs += ms;
        else if (!one.isGone) {
          one.dueMs = kind === 'never' ? Number.POSITIVE_INFINITY : nowMs + ms;
          list.list(one);
        }
        const due = all.filter((each) => !each.isGone && each.dueMs <= nowMs);
        const taken: Timed[] = [];
        for (let next = list.next(nowMs); next !== null; next = list.next(nowMs)) {
          next.dueMs = Number.POSITIVE_INFINITY;
          taken.push(next);
        }
        expect(new Set(taken)).toEqual(new Set(due));
        expect(taken.length).toBe(due.length);
        // who waits for the list's time misses nobody
        const first = Math.min(...all.filter((each) => !each.isGone).map((each) => each.dueMs));
        expect(list.firstMs).toBeLessThanOrEqual(first);
      }
    }),
    { numRuns: 300 },
  );
});

test('what was overtaken takes no more room than what is there', () => {
  const list = new DueConsumers<Timed>();
  const one = new Timed();
  for (let ms = 100_000; ms > 0; ms--) {
    one.dueMs = ms;
    list.list(one);
    expect(list.length).toBeLessThan(10_000);
  }
  expect(list.next(1)).toBe(one);
});
