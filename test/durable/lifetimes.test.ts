import { expect, test } from 'vitest';
import { streamStepMessages } from '../../src/base/limits.js';
import type { Stream } from '../../src/stream/stream.js';
import { randomFrom } from '../sim/random.js';
import { messageOf } from '../stream/streams.js';
import { type ShardOnDisk, shardOn } from './shardOnDisk.js';

// Invariant 60 of docs/INVARIANTS.md.

const day = 86_400_000_000;

/** What is left of a stream at a time. */
function left({ streams }: ShardOnDisk, timeUs: number): number[] {
  const stream = streams.peek('S') as Stream;
  while (stream.expire(timeUs, streamStepMessages));
  return Array.from({ length: stream.lastSequence }, (_, i) => i + 1).filter((sequence) => stream.has(sequence));
}

test('behind a crash messages live as long as they said', async () => {
  const shard = await shardOn();
  await shard.create({ name: 'S', subjects: ['s'], allow_msg_ttl: true, max_age: (day * 1000) / 2 });
  for (const ttl of ['1', '1h', 'never', '240h']) shard.publishRun('s', messageOf({ 'Nats-TTL': ttl }, ''));
  shard.publishRun('s', messageOf({ Other: 'x' }, ''));
  await shard.rest();
  const times: readonly [number, number[]][] = [
    [500_000, [1, 2, 3, 4, 5]],
    [2_000_000, [2, 3, 4, 5]],
    [day / 3, [3, 4, 5]],
    [day, [3]],
  ];
  for (const [timeUs, expected] of times)
    expect(left(await shardOn(shard.disk.crashed(randomFrom(1))), timeUs)).toEqual(expected);
});
