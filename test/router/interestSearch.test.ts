import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { InterestEntry, LocalSubscription } from '../../src/router/interestEntry.js';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

// Invariant 39 of docs/INVARIANTS.md.

const token = fc.constantFrom('a', 'a', 'b', '*');
/** Patterns that share beginnings, so that nodes of the tree are split and become one again all the time. */
const pattern = fc
  .tuple(fc.array(token, { minLength: 1, maxLength: 7 }), fc.boolean())
  .map(([tokens, rest]) => (rest ? [...tokens, '>'] : tokens).join('.'));
const change = fc.record({ subject: pattern, queue: fc.constantFrom('', 'q'), which: fc.nat(), add: fc.boolean() });
const subject = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 7 }).map((tokens) => tokens.join('.'));

test('what is found a node at a time, while interest changes, is what takes the subject at the end', () => {
  fc.assert(
    fc.property(
      fc.array(pattern, { maxLength: 60 }),
      subject,
      fc.array(fc.oneof(fc.constant(null), change), { maxLength: 60 }),
      (before, wanted, steps) => {
        const { interest } = new RouterUnderTest(0, 2).router;
        const all: LocalSubscription[] = [];
        const add = (to: string, queue = '') => {
          const subscription = subscriptionTo(to, queue);
          interest.addLocal(subscription);
          all.push(subscription);
        };
        for (const each of before) add(each);
        const search = interest.search(wanted);
        let done = false;
        for (const step of steps) {
          if (step === null) done = search.step(1);
          else if (step.add || all.length === 0) add(step.subject, step.queue);
          else interest.removeLocal(all.splice(step.which % all.length, 1)[0]!);
          if (done && step !== null && step.which % 3 === 0) search.entries();
        }
        while (!search.step(1));
        const found = search.entries();
        const expected: InterestEntry[] = [];
        interest.match(wanted, expected);
        expect(found).toHaveLength(expected.length);
        expect(new Set(found)).toEqual(new Set(expected));
        interest.close(search);
      },
    ),
    { numRuns: 3_000 },
  );
});
