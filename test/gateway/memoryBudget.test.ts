import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBudgetMemory, MemoryBudget } from '../../src/gateway/memoryBudget.js';

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
        all[thread]!.hold(bytes);
        held[thread] = Math.ceil(bytes / unitBytes) * unitBytes;
        const sum = held.reduce((total, each) => total + each, 0);
        for (const budget of all) expect(budget.usedBytes).toBe(sum);
      }
    }),
  );
});

test('exhausted at the bound, relieved well below it', () => {
  const [one, other] = budgets(2, 8 * unitBytes) as [MemoryBudget, MemoryBudget];
  one.hold(4 * unitBytes);
  expect([one.exhausted, one.relieved]).toEqual([false, true]);
  other.hold(4 * unitBytes);
  expect([one.exhausted, one.relieved]).toEqual([true, false]);
  other.hold(3 * unitBytes);
  expect([one.exhausted, one.relieved]).toEqual([false, false]);
  other.hold(2 * unitBytes);
  expect([one.exhausted, one.relieved]).toEqual([false, true]);
});

test('more than 32 bits of bytes are counted', () => {
  const all = budgets(4, 2 ** 40);
  for (const budget of all) budget.hold(2 ** 33);
  expect(all[0]!.usedBytes).toBe(2 ** 35);
});
