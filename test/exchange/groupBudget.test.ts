import { beforeEach, describe, expect, test } from 'vitest';
import { blockWindowMs, waitingWorkMessagesMax } from '../../src/base/limits.js';
import { createExchangeMemory } from '../../src/exchange/memory.js';
import { Waiter } from '../../src/router/holds.js';
import { GroupThread } from '../sim/groupThread.js';

// Invariant 32 of docs/INVARIANTS.md.

const blockMaxMs = 2_000;
const roundsMax = 100_000;

describe.each([1, 2, 4])('%i shards', (shards) => {
  let nowMs: number;
  let threads: GroupThread[];

  beforeEach(() => {
    nowMs = 1_000;
    const memory = createExchangeMemory(shards, 65_536);
    threads = Array.from({ length: shards }, (_, i) => new GroupThread(memory, i, shards, blockMaxMs, () => nowMs));
    join('lazy', 0);
    join('other', 0);
    turn();
  });

  const turn = (): void => {
    for (let i = 0; i < 4; i++) for (const thread of threads) thread.turn();
  };
  const join = (group: string, room: number): void => threads[0]!.setRoom(`${group}.>`, group, room);

  /** Subjects of a group that a shard owns. */
  const subjectsOf = (group: string, shard: number, count: number, from = 0): string[] => {
    const found: string[] = [];
    for (let i = from; found.length < count; i++)
      if (threads[0]!.topic(`${group}.${i}`).owner === shard) found.push(`${group}.${i}`);
    return found;
  };

  /** Publishes to subjects in turn until so many went, or the publisher waits; returns how many went. */
  const publish = (publisher: number, subjects: string[], count: number, waiter = new Waiter()): number => {
    let went = 0;
    for (let round = 0; went < count; round++) {
      if (round === roundsMax) throw new Error('a publisher gets nowhere');
      const outcome = threads[publisher]!.publish(subjects[round % subjects.length]!, waiter);
      if (outcome === 'waits') break;
      if (outcome !== 'full') went++;
      if (outcome === 'full' || went % 500 === 0) turn();
    }
    turn();
    return went;
  };

  /** What the shards have told to have dropped of a group, by shard. */
  const dropped = (group: string): number[] => {
    for (const thread of threads) thread.shard.works.tick(nowMs);
    return threads.map((thread) => thread.dropped.get(group) ?? 0);
  };

  /** Has a publisher wait on a shard for as long as anybody may; what it published before. */
  const spend = (group: string, shard: number, publisher: number): void => {
    const waiter = new Waiter();
    const subject = subjectsOf(group, shard, 1);
    expect(publish(publisher, subject, 2 * waitingWorkMessagesMax, waiter)).toBeLessThan(2 * waitingWorkMessagesMax);
    nowMs += blockMaxMs;
    expect(publish(publisher, subject, 1, waiter)).toBe(1);
  };

  test('a group that has used up its budget on one shard is waited for on none, until it has taken enough there', () => {
    const publisher = shards - 1;
    spend('lazy', 0, publisher);
    const before = dropped('lazy');
    const beyond = 300;
    // publishers that have not waited for anybody, and topics that nobody has waited at
    for (let shard = 0; shard < shards; shard++) {
      const room = shard === 0 ? 0 : waitingWorkMessagesMax;
      expect(publish(publisher, subjectsOf('lazy', shard, 3, 1_000), room + beyond)).toBe(room + beyond);
    }
    expect(dropped('lazy').map((messages, i) => messages - before[i]!)).toEqual(threads.map(() => beyond));
    // another group on the same shards is waited for
    const last = shards - 1;
    const most = 2 * waitingWorkMessagesMax;
    expect(publish(publisher, subjectsOf('other', last, 3), most)).toBeLessThan(most);
    expect(dropped('other')).toEqual(threads.map(() => 0));

    join('lazy', most * shards);
    for (let i = 0; i < 1_000; i++) turn();
    expect(threads.map(({ shard }) => shard.works.waiting).slice(0, last)).toEqual(threads.slice(0, last).map(() => 0));
    join('lazy', 0);
    turn();
    nowMs += blockWindowMs;
    for (let shard = 0; shard < shards; shard++)
      expect(publish(publisher, subjectsOf('lazy', shard, 3, 2_000), most)).toBeLessThan(most);
  });

  test('topics at which publishers wait already let them go on when the group is spent on another shard', () => {
    const waiters = threads.map(() => new Waiter());
    const most = 2 * waitingWorkMessagesMax;
    const subjects = threads.map((_, shard) => subjectsOf('lazy', shard, 1));
    // they come one after another, so that only the first one's time is over
    for (let shard = 0; shard < shards; shard++) {
      expect(publish(0, subjects[shard]!, most, waiters[shard])).toBeLessThan(most);
      nowMs += 1;
    }
    nowMs += blockMaxMs - shards;
    expect(publish(0, subjects[0]!, 1, waiters[0])).toBe(1);
    for (let shard = 1; shard < shards; shard++) expect(publish(0, subjects[shard]!, 1, waiters[shard])).toBe(1);
  });
});
