import { describe, expect, test } from 'vitest';
import { saidUnderWayBytesMax, type VoiceResult, VoiceRun } from '../sim/voiceRun.js';

// Invariant 34 of docs/INVARIANTS.md.

/** Replay a failure with `SIM_SEED=17 npx vitest run test/exchange/voice`; more seeds with `SIM_SEEDS=500`. */
const firstSeed = Number(process.env.SIM_SEED ?? 1);
const seedCount = Number(process.env.SIM_SEEDS ?? (process.env.SIM_SEED === undefined ? 20 : 1));

/** What a gateway got of one shard is what that shard put in order, in that order: its own sayings and all others. */
function expectOrderOfEachShard({ ordered, received }: VoiceResult): void {
  for (const log of received) {
    expect(log).toHaveLength(ordered.flat().length);
    for (const order of ordered) {
      const own = new Set(order);
      expect(log.filter((entry) => own.has(entry))).toEqual(order);
    }
  }
}

describe.each([1, 2, 4])('%i shards', (threads) => {
  test.each(['topic', 'publisher'] as const)(
    'order by %s: what a shard says is between what it puts in order',
    (order) => {
      let noRoom = 0;
      for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
        const result = new VoiceRun({ threads, clients: 2, order, seed }).run();
        expect(result, `seed ${seed}`).toMatchObject({ done: true, said: threads * 80 });
        expectOrderOfEachShard(result);
        for (const id of result.ordered.flat().map((entry) => entry.split(' ')[1]!))
          expect(result.taken.get(id), id).toBe(1);
        expect(result.underWayBytesMax).toBeLessThan(saidUnderWayBytesMax(threads + 2));
        noRoom += result.outcomes.get('no-room') ?? 0;
      }
      expect(noRoom, 'lanes were full at times').toBeGreaterThan(0);
    },
  );
});
