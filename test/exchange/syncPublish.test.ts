import { describe, expect, test } from 'vitest';
import { SyncRun } from '../sim/syncRun.js';

// Invariant 21 of docs/INVARIANTS.md.

const firstSeed = Number(process.env.SIM_SEED ?? 1);
const seedCount = Number(process.env.SIM_SEEDS ?? (process.env.SIM_SEED === undefined ? 15 : 1));

describe.each(['topic', 'publisher'] as const)('order by %s', (order) => {
  test('every synchronous publish ends, and none before all that got it are done', async () => {
    let deliveries = 0;
    for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
      const result = await new SyncRun(order, seed).run();
      expect(result, `seed ${seed}`).toMatchObject({ done: true, early: [], begun: 80, resolved: 80 });
      deliveries += result.deliveries;
    }
    expect(deliveries).toBeGreaterThan(80 * 2 * seedCount);
  });
});
