import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sorted, sortedAtOnce } from '../../src/stream/sorting.js';

// Invariant 25 of docs/INVARIANTS.md.

type Item = readonly [key: number, place: number];

/** Sorts by keys; returns what comes out, and how often keys were compared in one step at most. */
function sort(keys: readonly number[]): { items: Item[]; most: number } {
  let compared = 0;
  let most = 0;
  const items = keys.map((key, place): Item => [key, place]);
  const steps = sorted(items, ([one], [other]) => {
    compared++;
    return one - other;
  });
  for (;;) {
    compared = 0;
    const { done, value } = steps.next();
    most = Math.max(most, compared);
    if (done === true) return { items: value as Item[], most };
  }
}

const byKeyAndPlace = ([one, first]: Item, [other, second]: Item) => one - other || first - second;

test('it is in order, and those that are alike stay in theirs', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 5 * sortedAtOnce, size: 'max' }), (keys) => {
      const { items } = sort(keys);
      expect(items).toEqual(keys.map((key, place): Item => [key, place]).sort(byKeyAndPlace));
    }),
    { numRuns: 50 },
  );
});

test('however many there are, a step compares some of them', () => {
  const { items, most } = sort(Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 100_003));
  expect(items.every(([key], i) => i === 0 || (items[i - 1] as Item)[0] <= key)).toBe(true);
  expect(most).toBeLessThanOrEqual(sortedAtOnce * Math.log2(sortedAtOnce));
});
