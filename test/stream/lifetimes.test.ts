import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PieceReader, PieceWriter } from '../../src/base/pieces.js';
import { Lifetimes } from '../../src/stream/lifetimes.js';

// Invariant 60 of docs/INVARIANTS.md.

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), lives: fc.option(fc.nat(50)) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), us: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

function restored(lifetimes: Lifetimes): Lifetimes {
  const target = new PieceWriter();
  const steps = lifetimes.save(target);
  // what comes while it is laid out is not there
  lifetimes.add(1e6, 0, () => true);
  Array.from(steps);
  const again = new Lifetimes();
  again.restore(new PieceReader(Buffer.concat(target.pieces)));
  return again;
}

test('messages are taken when their time has come, the first of them first, whatever else is removed meanwhile', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      let lifetimes = new Lifetimes();
      const living = new Map<number, number>();
      let [nowUs, next] = [0, 1];
      for (const each of steps) {
        if (each.kind === 'add') {
          const expiresUs = each.lives === null ? Number.POSITIVE_INFINITY : nowUs + each.lives;
          lifetimes.add(next, expiresUs, (sequence) => living.has(sequence));
          living.set(next++, expiresUs);
        } else if (each.kind === 'remove') {
          living.delete([...living.keys()][each.which % Math.max(1, living.size)] ?? 0);
        } else if (each.kind === 'restart') {
          lifetimes = restored(lifetimes);
        } else {
          nowUs += each.us;
          const taken: number[] = [];
          for (let due = lifetimes.takeDue(nowUs); due > 0; due = lifetimes.takeDue(nowUs))
            if (living.has(due)) taken.push(due);
          const expected = [...living].filter(([, expiresUs]) => expiresUs <= nowUs);
          const timeOf = (sequence: number): number => living.get(sequence)!;
          expect(taken.map(timeOf)).toEqual(expected.map(([, expiresUs]) => expiresUs).sort((a, b) => a - b));
          expect(taken.toSorted((a, b) => a - b)).toEqual(expected.map(([sequence]) => sequence));
          for (const sequence of taken) living.delete(sequence);
        }
        for (const [sequence, expiresUs] of living)
          expect(lifetimes.lasts(sequence)).toBe(expiresUs === Number.POSITIVE_INFINITY);
      }
    }),
  );
});

test.each([60e6, Number.POSITIVE_INFINITY])(
  'a subject whose message is replaced for ever takes little, each living %d',
  (livesUs) => {
    const lifetimes = new Lifetimes();
    const live = 1_000;
    let longest = 0;
    for (let i = 1; i <= 100_000; i++) {
      lifetimes.add(i, livesUs, (sequence) => sequence > i - live);
      longest = Math.max(longest, lifetimes.memoryBytes);
    }
    expect(longest).toBeLessThan(40 * 4 * live);
  },
);
