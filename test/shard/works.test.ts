import { expect, test } from 'vitest';
import { workKeepMs } from '../../src/base/limits.js';
import { createExchangeMemory } from '../../src/exchange/memory.js';
import { ShardWorkThread } from '../sim/workThread.js';

// Invariant 23 of docs/INVARIANTS.md.

function oneThread(): { thread: ShardWorkThread; given: number[] } {
  const given: number[] = [];
  const options = { threads: 1, clients: 0, order: 'topic' as const, seed: 1 };
  const thread = new ShardWorkThread(
    createExchangeMemory(1, 4096, 0),
    0,
    options,
    (_, number) => given.push(number),
    () => {},
  );
  return { thread, given };
}

test('what waits for a group without members is kept for one that comes in time, and given up after that', () => {
  const { thread, given } = oneThread();
  const { works } = thread.shard;
  works.tick(1000);
  const first = thread.join('jobs', 1);
  for (let i = 0; i < 3; i++) thread.publish('jobs', i);
  first.leave();
  thread.turn();
  expect([given, works.waiting]).toEqual([[0], 3]);
  works.tick(1000 + workKeepMs - 1);
  const second = thread.join('jobs', 2);
  thread.turn();
  expect([given, works.waiting]).toEqual([[0, 0, 1], 1]);
  // from the second one's end it counts anew
  second.leave();
  thread.turn();
  works.tick(1000 + 2 * workKeepMs - 2);
  expect([works.waiting, thread.kept]).toEqual([3, 3]);
  works.tick(1000 + 2 * workKeepMs - 1);
  expect([works.waiting, thread.kept]).toEqual([0, 0]);
});

test('lines that waited before a subject had members, and lines that came after, are all found', () => {
  const { thread, given } = oneThread();
  const full = thread.join('>', 1);
  thread.publish('first', 0);
  for (let i = 1; i < 4; i++) thread.publish(`line.${i}`, i);
  thread.join('line.*', 1);
  thread.turn();
  thread.publish('line.4', 4);
  expect([given, thread.shard.works.waiting]).toEqual([[0, 1], 3]);
  thread.join('line.*', 9);
  thread.turn();
  expect([[...given].sort(), thread.shard.works.waiting]).toEqual([[0, 1, 2, 3, 4], 0]);
  full.acknowledge(0);
});
