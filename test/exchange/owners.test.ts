import { describe, expect, test } from 'vitest';
import { type OwnersOptions, type OwnersResult, OwnersRun } from '../sim/ownersRun.js';

/** Replay a failure with `SIM_SEED=17 npx vitest run test/exchange/owners`; more seeds with `SIM_SEEDS=500`. */
const firstSeed = Number(process.env.SIM_SEED ?? 1);
const seedCount = Number(process.env.SIM_SEEDS ?? (process.env.SIM_SEED === undefined ? 2 : 1));
const seeds = Array.from({ length: seedCount }, (_, i) => firstSeed + i);
const publishesEach = 60;

function expectComplete(result: OwnersResult): void {
  expect(result.done, 'no deadlock').toBe(true);
  const all = [...result.accepted].sort();
  for (const log of result.received) expect([...log].sort()).toEqual(all);
  for (const message of all) expect(result.taken.get(message), `${message} in the group`).toBe(1);
}

/** Of each topic, every publisher's numbers rise. */
function expectRising(log: readonly string[]): void {
  const last = new Map<string, number>();
  for (const entry of log) {
    const [subject, id] = entry.split(' ') as [string, string];
    const [publisher, number] = id.split('.') as [string, string];
    const line = `${subject} ${publisher}`;
    expect(Number(number), entry).toBeGreaterThan(last.get(line) ?? -1);
    last.set(line, Number(number));
  }
}

/** What was published on a subject, in the order that it has for everybody; what shards say themselves has one only for each of them. */
function topicLog(log: readonly string[], subject: string): string[] {
  return log.filter((entry) => entry.startsWith(`${subject} `) && !entry.startsWith(`${subject} v`));
}

async function runOf(options: Partial<OwnersOptions>): Promise<OwnersResult> {
  const all = { threads: 3, clients: 2, order: 'topic' as const, seed: 1, changes: 500, publishesEach, ...options };
  const result = await new OwnersRun(all).run();
  expectComplete(result);
  if (all.late !== true) expect(result).toMatchObject({ failed: [], changed: all.changes });
  for (const log of result.received) expectRising(log);
  return result;
}

describe.each(seeds)('seed %i', (seed) => {
  test('invariant 35: owners change while everybody publishes, order by topic', async () => {
    const result = await runOf({ seed, order: 'topic' });
    const [first, ...others] = result.received as [string[], ...string[][]];
    for (const subject of new Set(result.accepted.map((entry) => entry.split(' ')[0] as string)))
      for (const log of others) expect(topicLog(log, subject)).toEqual(topicLog(first, subject));
  });

  test('invariant 35: owners change while everybody publishes, order by publisher', async () => {
    await runOf({ seed, order: 'publisher' });
  });
});

test.each(['topic', 'publisher'] as const)(
  'invariant 35: threads are late, order by %s: changes fail, and nothing else',
  async (order) => {
    const failures: string[] = [];
    for (const seed of seeds) failures.push(...(await runOf({ seed, order, late: true, changes: 150 })).failed);
    expect(failures.some((text) => text.includes('keeps its owner: shard'))).toBe(true);
    expect(failures.some((text) => / any more, but | as its owner, but /.test(text))).toBe(true);
  },
);
