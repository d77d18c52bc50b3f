import fc from 'fast-check';
import { expect, test } from 'vitest';
import { policyNames, type SlowPolicy } from '../../src/base/policy.js';
import { decide, hasLostTooMuch, hasRoomAgain, type Verdict } from '../../src/subscriber/slowPolicy.js';

// Invariant 18 of docs/INVARIANTS.md.

const policies: fc.Arbitrary<SlowPolicy> = fc.record({
  policy: fc.constantFrom(...policyNames),
  maxMessages: fc.integer({ min: 1, max: 6 }),
  maxBytes: fc.integer({ min: 1, max: 100 }),
  maxDrops: fc.nat(3),
  by: fc.constant('subject' as const),
});

/** What each policy says of one that finds no room. */
const atBound: Record<SlowPolicy['policy'], readonly Verdict[]> = {
  block: ['blocks'],
  'drop-new': ['lost'],
  'drop-old': ['displaces'],
  conflate: ['displaces'],
  disconnect: ['lost', 'ends'],
};

test('what has room waits, and what has none is what its policy says; only one that blocks is not let have one of any size', () => {
  fc.assert(
    fc.property(
      policies,
      fc.integer({ min: 1, max: 8 }),
      fc.nat(150),
      fc.boolean(),
      fc.nat(5),
      (policy, count, bytes, squeezed, dropsInRow) => {
        const verdict = decide(policy, count, bytes, squeezed, dropsInRow);
        const fits = count <= policy.maxMessages && bytes <= policy.maxBytes && !squeezed;
        const exempt = count === 1 && policy.policy !== 'block';
        if (fits || exempt) expect(verdict).toBe('waits');
        else expect(atBound[policy.policy]).toContain(verdict);
        if (verdict === 'ends') expect(dropsInRow).toBeGreaterThanOrEqual(policy.maxDrops);
        if (verdict === 'lost' && policy.policy === 'disconnect') expect(dropsInRow).toBeLessThan(policy.maxDrops);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a queue that does what is decided stays within its bounds, but for one message, and ends after so many losses in a row', () => {
  const step = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant('take' as const));
  fc.assert(
    fc.property(policies, fc.array(step, { maxLength: 60 }), (policy, steps) => {
      const waiting: number[] = [];
      const bytes = () => waiting.reduce((sum, each) => sum + each, 0);
      let lostInRow = 0;
      for (const each of steps) {
        if (each === 'take') {
          waiting.shift();
          continue;
        }
        const verdict = decide(policy, waiting.length + 1, bytes() + each, false, lostInRow);
        if (verdict === 'ends') {
          expect(lostInRow).toBe(policy.maxDrops);
          return;
        }
        if (verdict === 'lost') lostInRow++;
        else {
          lostInRow = 0;
          waiting.push(each);
        }
        while (decide(policy, waiting.length, bytes(), false, 0) === 'displaces') waiting.shift();
        if (policy.policy === 'block') continue;
        expect(waiting.length).toBeLessThanOrEqual(policy.maxMessages);
        if (waiting.length > 1) expect(bytes()).toBeLessThanOrEqual(policy.maxBytes);
        // the newest is what an older one gives way to
        if (verdict === 'displaces') expect(waiting.at(-1)).toBe(each);
      }
    }),
    { numRuns: 1000 },
  );
});

test('one that had to be waited for goes on before it is at its bound again, and only who disconnects ever loses too much', () => {
  fc.assert(
    fc.property(policies, fc.nat(8), fc.nat(150), fc.nat(8), (policy, count, bytes, dropsInRow) => {
      if (hasRoomAgain(policy, { count, bytes })) expect(decide(policy, count, bytes, false, 0)).toBe('waits');
      expect(hasLostTooMuch(policy, dropsInRow)).toBe(policy.policy === 'disconnect' && dropsInRow > policy.maxDrops);
    }),
    { numRuns: 1000 },
  );
});
