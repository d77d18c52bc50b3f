import { describe, expect, test } from 'vitest';
import type { Message } from '../harness/frames.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';
import { ask, publication } from './slowSubscriber.js';

const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);
const payloads = (messages: Message[]): string[] => messages.map(({ payload }) => payload.toString());

/** Publishes one message at a time, each in a turn of its own. */
async function publish(publisher: RawClient, subject: string, bodies: string[]): Promise<void> {
  for (const body of bodies) await publisher.exchange(publication(subject, body));
}

/** Counts what comes in one piece. */
function countReads({ socket }: RawClient): () => number {
  let reads = 0;
  socket.on('data', () => reads++);
  return () => reads;
}

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards });
  const connect = (): Promise<RawClient> => RawClient.connect(server.port);

  test('what comes within the time comes together, in order, and nothing else waits for it', async () => {
    const [publisher, lingering, prompt] = await Promise.all([connect(), connect(), connect()]);
    await ask(lingering, { lingerUs: 1_000_000, lingerMessages: 100 });
    for (const client of [lingering, prompt]) await client.exchange('SUB linger 1\r\n');
    const reads = countReads(lingering);
    await publish(publisher, 'linger', upTo(100));
    expect(payloads(await prompt.messages(100))).toEqual(upTo(100));
    expect(payloads(await lingering.messages(100))).toEqual(upTo(100));
    // it was sent when a hundred had come, in one piece; a slow test may have run into the time once or twice
    expect(reads()).toBeLessThan(10);
  });

  test('an answer takes what was held back with it', async () => {
    const [publisher, lingering] = await Promise.all([connect(), connect()]);
    await ask(lingering, { lingerUs: 1_000_000 });
    await lingering.exchange('SUB held 1\r\n');
    await publish(publisher, 'held', ['a', 'b']);
    expect(await lingering.exchange()).toEqual(['MSG held 1 | a', 'MSG held 1 | b']);
  });

  test('bytes end the wait, and so does the time', async () => {
    const [publisher, lingering] = await Promise.all([connect(), connect()]);
    await ask(lingering, { lingerUs: 1_000_000, lingerBytes: 1_000 });
    await lingering.exchange('SUB bytes 1\r\n');
    await publish(publisher, 'bytes', ['x'.repeat(2_000)]);
    expect(await lingering.messages(1)).toHaveLength(1);
    await ask(lingering, { lingerUs: 500 });
    await publish(publisher, 'bytes', ['y']);
    expect(payloads(await lingering.messages(1))).toEqual(['y']);
  });

  test('who leaves gets what was held back, unless it is gone', async () => {
    const [publisher, leaving, gone] = await Promise.all([connect(), connect(), connect()]);
    for (const client of [leaving, gone]) {
      await ask(client, { lingerUs: 1_000_000 });
      await client.exchange('SUB last 1\r\n');
    }
    await publish(publisher, 'last', ['words']);
    gone.close();
    leaving.socket.end();
    expect(await leaving.expectClosed()).toEqual(['MSG last 1 | words']);
  });

  test('it can be switched off again', async () => {
    const [publisher, lingering] = await Promise.all([connect(), connect()]);
    await ask(lingering, { lingerUs: 1_000_000 });
    await ask(lingering, { lingerUs: 0 });
    await lingering.exchange('SUB off 1\r\n');
    await publish(publisher, 'off', ['a']);
    expect(payloads(await lingering.messages(1))).toEqual(['a']);
  });
});

describe('--linger-us', () => {
  const server = useBroker({ args: ['--linger-us', '1000000'] });

  test('holds for every connection that does not say otherwise', async () => {
    const [publisher, other] = await Promise.all([1, 2].map(() => RawClient.connect(server.port)));
    await other!.exchange('SUB all 1\r\n');
    const reads = countReads(other!);
    await publish(publisher!, 'all', upTo(50));
    expect(payloads(await other!.messages(50))).toEqual(upTo(50));
    expect(reads()).toBeLessThan(10);
  });
});
