import { expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ask, feed, numberOf, padding, publication } from './slowSubscriber.js';

// Invariants 10 and 13 of docs/INVARIANTS.md.

const server = useBroker({ args: ['--write-deadline', '60s', '--max-pending', '4MB'] });
const connect = (): Promise<RawClient> => RawClient.connect(server.port);
const perSubscription = { policy: 'drop-old', maxMessages: 1_000, maxBytes: 100_000_000 };

/** A subscriber that does not read, `count` times to the same subject, each time with a generous bound. */
async function manyTimes(subject: string, count: number): Promise<RawClient> {
  const slow = await connect();
  await ask(slow, perSubscription);
  let subscribe = '';
  for (let sid = 1; sid <= count; sid++) subscribe += `SUB ${subject} ${sid}\r\n`;
  await slow.exchange(subscribe);
  slow.socket.pause();
  return slow;
}

test('what waits for all subscriptions of a connection together is bounded: policies act before their own bounds', async () => {
  const [slow, reader, publisher] = [await manyTimes('shared', 10), await connect(), await connect()];
  await reader.exchange('SUB shared 1\r\n');
  const before = server.broker.residentBytes;
  await feed({ publisher, reader, slow }, 'shared', 0, 2_000);
  // ten backlogs of a thousand such messages would be 160 MB
  expect(server.broker.residentBytes - before).toBeLessThan(80_000_000);
  slow.socket.resume();
  const last = new Set<string>();
  while (last.size < 10) {
    const [message] = await slow.messages(1);
    if (numberOf(message!) === 1_999) last.add(message!.sid);
  }
});

test('too many subscriptions for that are ended, and nobody else is harmed', async () => {
  const [slow, reader, publisher] = [await manyTimes('crowd', 2_000), await connect(), await connect()];
  await reader.exchange('SUB crowd 1\r\n');
  const ended = server.broker.logged(/slow consumer/);
  await feed({ publisher, reader, slow }, 'crowd', 0, 40);
  await ended;
  slow.socket.resume();
  expect((await slow.expectClosed()).at(-1)).toBe("-ERR 'Slow Consumer'");
  expect(await reader.exchange(publication('crowd', padding))).toHaveLength(1);
});
