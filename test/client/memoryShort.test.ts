import { codecs } from 'shardcast';
import { expect, test } from 'vitest';
import { Shortage } from '../../src/exchange/shortage.js';
import { createBudgetMemory } from '../../src/gateway/memoryBudget.js';
import { connected } from '../harness/connected.js';
import { inProcess } from './broker.js';

// Invariant 30 of docs/INVARIANTS.md: the process's own threads wait, too.

test('while memory is short nothing is published in the process, and when it is not all of it is, in order', async () => {
  const broker = await inProcess({ listen: false, shards: 2 });
  const budget = createBudgetMemory(2);
  const shortage = new Shortage(budget);
  const end = await connected(broker, { budget }, null);
  const topic = end.topic<string>('a', { codec: codecs.utf8 });
  const seen: string[] = [];
  const finished = new Promise<void>((resolve) => {
    broker.topic('a', { codec: codecs.utf8 }).subscribe(({ value }) => {
      seen.push(value);
      if (value === 'end') resolve();
    });
  });
  expect(await topic.publish('0')).toBe(true);
  shortage.say(true);
  let settled = 0;
  const waiting = ['1', '2', '3'].map((text) => topic.publish(text).finally(() => settled++));
  expect(topic.offer('lost')).toBe(false);
  // nobody takes it: nothing has to be held
  expect(await end.topic('nobody').publish('x')).toBe(false);
  expect(await broker.topic<string>('a', { codec: codecs.utf8 }).publish('other')).toBe(true);
  expect(settled).toBe(0);
  shortage.say(false);
  expect(await Promise.all(waiting)).toEqual([true, true, true]);
  await topic.publish('end');
  await finished;
  expect(seen).toEqual(['0', 'other', '1', '2', '3', 'end']);
});
