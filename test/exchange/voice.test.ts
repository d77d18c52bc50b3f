import { describe, expect, test } from 'vitest';
import { saidUnderWayBytesMax, type VoiceResult, VoiceRun } from '../sim/voiceRun.js';

// Invariant 34 of docs/INVARIANTS.md.

/** Replay a failure with `SIM_SEED=17 npx vitest run test/exchange/voice`; more seeds with `SIM_SEEDS=500`. */
const firstSeed = Number(process.env.SIM_SEED ?? 1);
const seedCount = Number(process.env.SIM_SEEDS ?? (process.env.SIM_SEED === undefined ? 12 : 1));

/** What a gateway got of one shard is what that shard put in order for it, in that order: its own sayings and all others. */
function expectOrderOfEachShard({ ordered, received }: VoiceResult): void {
  for (const [gateway, log] of received.entries()) {
    const due = ordered.map((order) => order.filter((entry) => isFor(entry, gateway)));
    expect(log).toHaveLength(due.flat().length);
    for (const order of due) {
      const own = new Set(order);
      expect(log.filter((entry) => own.has(entry))).toEqual(order);
    }
  }
}

function isFor(entry: string, gateway: number): boolean {
  return !entry.startsWith('in.') || entry.startsWith(`in.${gateway}.`);
}

describe.each([1, 2, 4])('%i shards', (threads) => {
  test.each(['topic', 'publisher'] as const)(
    'order by %s: what a shard says is between what it puts in order',
    (order) => {
      let noRoom = 0;
      let answers = 0;
      let runs = 0;
      for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
        const result = new VoiceRun({ threads, clients: 2, order, seed }).run();
        expect(result, `seed ${seed}`).toMatchObject({ done: true, said: threads * 80 });
        expectOrderOfEachShard(result);
        const forGroup = result.ordered.flat().filter((entry) => entry.startsWith('all.'));
        for (const entry of forGroup) expect(result.taken.get(entry.split(' ')[1]!), entry).toBe(1);
        answers += result.answers;
        runs += result.runs;
        expect(result.underWayBytesMax).toBeLessThan(saidUnderWayBytesMax(threads + 2));
        noRoom += result.outcomes.get('no-room') ?? 0;
      }
      expect(noRoom, 'lanes were full at times').toBeGreaterThan(0);
      expect(answers, 'answers went without a topic').toBeGreaterThan(0);
      expect(runs, 'runs of answers went as a whole').toBeGreaterThan(0);
    },
  );
});
