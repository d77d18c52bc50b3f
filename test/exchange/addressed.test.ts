import { describe, expect, test } from 'vitest';
import { nameOf, runAddressed } from '../sim/addressedRun.js';

// Invariants 4 and 33 of docs/INVARIANTS.md.

/** Replay a failure with `SIM_SEED=17 npx vitest run test/exchange/addressed`; more seeds with `SIM_SEEDS=500`. */
const firstSeed = Number(process.env.SIM_SEED ?? 1);
const seedCount = Number(process.env.SIM_SEEDS ?? (process.env.SIM_SEED === undefined ? 8 : 1));
const seeds = Array.from({ length: seedCount }, (_, i) => firstSeed + i);

describe.each([
  [1, false],
  [2, false],
  [4, false],
  [2, true],
  [4, true],
])('%i threads, several messages together: %s', (threads, together) => {
  test.each(seeds)('whoever a message was sent to takes it, or its sender hears that nobody did, seed %i', (seed) => {
    const { sent, received, outcomes, damaged, done } = runAddressed(threads, seed, together);
    expect(done, 'everything comes to an end').toBe(true);
    expect(damaged).toEqual([]);
    expect(outcomes.sent).toBeGreaterThan(0);
    for (const [name, { targets, taken, undelivered }] of sent)
      expect(taken + undelivered, `${name}, sent to ${targets}`).toBe(targets);
    for (const items of received) {
      const last = new Map<number, number>();
      for (const item of items) {
        // a plain subscription and a group of one gateway are two targets
        expect(item.number, nameOf(item)).toBeGreaterThanOrEqual(last.get(item.shard) ?? 0);
        last.set(item.shard, item.number);
      }
    }
  });
});

test.each([false, true])(
  'the runs above meet takers that have gone, and addresses that nobody takes; together: %s',
  (together) => {
    const runs = Array.from({ length: 10 }, (_, seed) => runAddressed(4, seed, together));
    const total = (of: (run: (typeof runs)[number]) => number) => runs.reduce((sum, run) => sum + of(run), 0);
    expect(
      total(({ sent }) => [...sent.values()].reduce((sum, { undelivered }) => sum + undelivered, 0)),
    ).toBeGreaterThan(0);
    expect(total(({ outcomes }) => outcomes.nobody)).toBeGreaterThan(0);
    // wide lanes have room
    if (!together) expect(total(({ outcomes }) => outcomes['no-room'])).toBeGreaterThan(0);
  },
);
