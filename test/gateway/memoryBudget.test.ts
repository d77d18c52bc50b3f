import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBudgetMemory, MemoryBudget } from '../../src/gateway/memoryBudget.js';

// Invariant 30 of docs/INVARIANTS.md.

const unitBytes = 1024;

function budgets(threads: number, maxBytes: number): MemoryBudget[] {
  const memory = createBudgetMemory(threads);
  return Array.from({ length: threads }, (_, self) => new MemoryBudget(memory, self, maxBytes));
}

test('every thread sees what all hold together, each rounded up', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(1 << 30)), { maxLength: 30 }), (holds) => {
      const all = budgets(4, 1 << 30);
      const held = [0, 0, 0, 0];
      for (const [thread, bytes] of holds) {
        all[thread]!.report(bytes);
        held[thread] = Math.ceil(bytes / unitBytes) * unitBytes;
        const sum = held.reduce((total, each) => total + each, 0);
        for (const budget of all) expect(budget.usedBytes).toBe(sum);
      }
    }),
  );
});

test('memory is short from the bound on until it is below nine tenths', () => {
  const [one, other] = budgets(2, 100 * unitBytes) as [MemoryBudget, MemoryBudget];
  const reviews = [99, 100, 95, 90, 89, 95, 100].map((units) => {
    one.report(40 * unitBytes);
    other.report((units - 40) * unitBytes);
    return [one.review(), other.review()];
  });
  expect(reviews.map(([first]) => first)).toEqual([false, true, true, true, false, false, true]);
  expect(reviews.map(([, second]) => second)).toEqual(reviews.map(([first]) => first));
});

test('more than 32 bits of bytes are counted', () => {
  const all = budgets(4, 2 ** 40);
  for (const budget of all) budget.report(2 ** 33);
  expect(all[0]!.usedBytes).toBe(2 ** 35);
});

test('who has stopped reading comes before all who read, unless it holds next to nothing', () => {
  const [budget] = budgets(1, 2 ** 30) as [MemoryBudget];
  expect(budget.rankOf(2 ** 20, true)).toBeGreaterThan(budget.rankOf(2 ** 45, false));
  expect(budget.rankOf(2 ** 20, true)).toBeLessThan(budget.rankOf(2 ** 21, true));
  expect(budget.rankOf(2 ** 20 - 1, true)).toBeLessThan(budget.rankOf(2 ** 21, false));
});

test('one thread at a time has the largest', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }), (ranks) => {
      const all = budgets(4, 2 ** 30);
      for (const [thread, rank] of ranks.entries()) all[thread]!.sayLargest(rank);
      const largest = ranks.indexOf(Math.max(...ranks));
      expect(all.map((budget, thread) => budget.isLargest(ranks[thread]!))).toEqual(ranks.map((_, i) => i === largest));
    }),
  );
});
