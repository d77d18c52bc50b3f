import { describe, expect, test } from 'vitest';
import type { PurgeOrder } from '../../src/stream/purges.js';
import type { Steps } from '../../src/stream/steps.js';
import type { Stream } from '../../src/stream/stream.js';
import { randomFrom } from '../sim/random.js';
import { messageOf } from '../stream/streams.js';
import { inSteps, type ShardOnDisk, shardOn } from './shardOnDisk.js';

// Invariant 49 of docs/INVARIANTS.md.

/** More than a stream removes in one step, and than one block has entries for; and what just fits into an empty one. */
const many = 1_200;
const few = 250;

type Begin = (shard: ShardOnDisk) => Promise<unknown>;

const purge =
  (asked: (stream: Stream) => Steps<PurgeOrder>): Begin =>
  ({ streams }) =>
    streams.purge('S', asked);

const rollUp =
  (rollup: string): Begin =>
  async (shard) =>
    shard.publishRun('s.1.x', messageOf({ 'Nats-Rollup': rollup }, 'all'));

const removals: readonly [string, number, Begin][] = [
  ['a purge of all', many, purge(inSteps(({ purges }) => purges.below(many + 1)))],
  ['a purge up to a sequence beyond all', many, purge(inSteps(({ purges }) => purges.below(many + 50)))],
  ['a purge to the newest', many, purge(inSteps(({ purges }) => purges.toNewest(7)))],
  ['a purge of a pattern', many, purge(inSteps(({ purges }) => purges.subjects('s.>', many - 9)))],
  ['a purge of a pattern to its newest', many, purge(({ purges }) => purges.subjectsToNewest('s.>', 5))],
  ['a purge of few', few, purge(inSteps(({ purges }) => purges.below(few + 1)))],
  ['a purge of few of a pattern', few, purge(inSteps(({ purges }) => purges.subjects('s.>', few - 1)))],
  ['a message that replaces all', many, rollUp('all')],
  ['a message that replaces those of its subject', many, rollUp('sub')],
];

/** A stream with messages of six subjects that are on disk. */
async function filled(messages: number): Promise<ShardOnDisk> {
  const shard = await shardOn();
  await shard.create({ name: 'S', subjects: ['s.>'], allow_rollup_hdrs: true });
  await shard.create({ name: 'OTHER', subjects: ['other'] });
  for (let run = 0; run < messages / 5; run++)
    shard.publish(`s.${run % 3}.${run % 2 === 0 ? 'x' : 'y'}`, ['1', '2', '3', '4', '5']);
  const { purges } = shard.streams.peek('S') as Stream;
  const remove = purges.remove.bind(purges);
  purges.remove = (...given) => {
    // the block has something already
    shard.publish('other', ['x'.repeat(1_000)]);
    return remove(...given);
  };
  await shard.rest();
  return shard;
}

/** Which messages there are, and which sequence the next one gets. */
function stateOf({ streams }: ShardOnDisk): string {
  const stream = streams.peek('S') as Stream;
  const there = [];
  for (let sequence = 1; sequence <= stream.lastSequence; sequence++) if (stream.has(sequence)) there.push(sequence);
  expect(stream.messages).toBe(there.length);
  return `${there.join(' ')}, next ${stream.lastSequence + 1}`;
}

describe('whenever the power fails there is all that is removed together, or nothing of it', () => {
  test.each(removals)('%s', async (_, messages, begin) => {
    const shard = await filled(messages);
    const before = stateOf(shard);
    const below = randomFrom(3);
    let over = false;
    const removed = begin(shard).then(() => {
      over = true;
    });
    const seen = new Set<string>();
    // and until it is forgotten that it was to be carried out
    for (let behind = 0; behind < 10; behind += over ? 1 : 0) {
      const crashed = await shardOn(shard.disk.crashed(below));
      const state = stateOf(crashed);
      seen.add(state);
      // whoever is interrupted while he carries it out again leaves no less
      if (below(4) === 0) expect(stateOf(await shardOn(crashed.disk.crashed(below)))).toBe(state);
      await shard.step();
    }
    await removed;
    await shard.rest();
    const after = stateOf(shard);
    expect(after).not.toBe(before);
    expect([...seen].sort()).toEqual([before, after].sort());
    expect(stateOf(await shardOn(shard.disk.crashed(below)))).toBe(after);
  });
});
