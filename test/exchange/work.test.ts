import { describe, expect, test } from 'vitest';
import type { Order } from '../../src/options/brokerOptions.js';
import { WorkRun } from '../sim/workRun.js';

// Invariant 23 of docs/INVARIANTS.md.

/** Replay a failure with `SIM_SEED=17 npx vitest run test/exchange/work`; more seeds with `SIM_SEEDS=500`. */
const firstSeed = Number(process.env.SIM_SEED ?? 1);
const seedCount = Number(process.env.SIM_SEEDS ?? (process.env.SIM_SEED === undefined ? 40 : 1));
const seeds = Array.from({ length: seedCount }, (_, i) => firstSeed + i);

describe.each<[number, number, Order]>([
  [1, 0, 'topic'],
  [1, 2, 'topic'],
  [3, 2, 'topic'],
  [3, 2, 'publisher'],
])('%i shards, %i threads of the user’s, order by %s', (threads, clients, order) => {
  test.each(seeds)('seed %i', (seed) => {
    const run = new WorkRun({ threads, clients, order, seed });
    run.run();
    expect(run.wrong.slice(0, 5)).toEqual([]);
    expect(run.taken.size).toBeGreaterThan(0);
  });
});
