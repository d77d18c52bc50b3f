import { describe, expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';
import { ask, numberOf, padding, publication } from './slowSubscriber.js';

// Invariants 9 and 13 of docs/INVARIANTS.md.

const published = 1_500;

function numbered(subject: string, from: number, to: number): string {
  let bytes = '';
  for (let i = from; i < to; i++) bytes += publication(subject, `${i} ${padding}`);
  return bytes;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards, args: ['--write-deadline', '60s', '--block-max', '1m'] });
  const connect = (): Promise<RawClient> => RawClient.connect(server.port);

  /** A subscriber to `subject` that wants everything and does not read. */
  async function blocker(subject: string): Promise<RawClient> {
    const client = await connect();
    await ask(client, { subject, policy: 'block', maxMessages: 50, maxBytes: 1_000_000 });
    await client.exchange(`SUB ${subject} 1\r\n`);
    client.socket.pause();
    return client;
  }

  /** Publishes all at once; resolves when the broker has taken the last one. */
  function flood(publisher: RawClient, subject: string): Promise<string[]> {
    return publisher.exchange(numbered(subject, 0, published));
  }

  test('the publishers of the topic wait, nobody else does, and nothing is lost', async () => {
    const slow = await blocker('must.have');
    const [publisher, reader, other, otherReader] = await Promise.all([connect(), connect(), connect(), connect()]);
    await reader.exchange('SUB must.have 1\r\n');
    await otherReader.exchange('SUB free 1\r\n');
    let done = false;
    const flooded = flood(publisher, 'must.have').then(() => {
      done = true;
    });
    // somebody else's topic goes on meanwhile, for as long as the other one is held up
    for (let i = 0; i < 1_000; i++) {
      await other.exchange(publication('free', `${i}`));
      expect(numberOf((await otherReader.messages(1))[0]!)).toBe(i);
    }
    expect(done).toBe(false);
    slow.socket.resume();
    expect((await slow.messages(published)).map(numberOf)).toEqual(upTo(published));
    expect((await reader.messages(published)).map(numberOf)).toEqual(upTo(published));
    await flooded;
  });

  test('one that holds itself up, and whose answers to PINGs come behind what it publishes, gets everything', async () => {
    const client = await connect();
    await ask(client, { subject: 'own', policy: 'block', maxMessages: 5 });
    await ask(client, { subject: 'values', policy: 'conflate' });
    await client.exchange('SUB own 1\r\nSUB values 2\r\n');
    let bytes = '';
    for (let i = 0; i < 400; i++)
      bytes += publication('own', `${i} ${padding}`) + publication('values', `${i} ${padding}`);
    client.send(bytes);
    const numbers: number[] = [];
    for (let value = -1; numbers.length < 400 || value < 399; ) {
      const [message] = await client.messages(1);
      if (message!.subject === 'own') numbers.push(numberOf(message!));
      else value = numberOf(message!);
    }
    expect(numbers).toEqual(upTo(400));
  });

  test.each([
    ['closes', (slow: RawClient) => slow.close()],
    ['unsubscribes', (slow: RawClient) => slow.send('UNSUB 1\r\n')],
    [
      'takes back what it asked',
      (slow: RawClient) => slow.send(publication('$SHARDCAST.SUB', '{"subject":"held.up"}')),
    ],
  ])('one that %s is waited for no longer', async (_, leave) => {
    const slow = await blocker('held.up');
    const publisher = await connect();
    const taken = flood(publisher, 'held.up');
    // it is held up by now: a ping that follows a message to the topic is not answered, but those of others are
    const other = await connect();
    for (let i = 0; i < 50; i++) await other.exchange();
    leave(slow);
    slow.socket.resume();
    expect(await taken).toEqual([]);
  });
});

describe('one that never reads again', () => {
  const server = useBroker({ shards: 2, args: ['--write-deadline', '1s'] });

  test('is waited for until the write deadline', async () => {
    const [slow, reader, publisher] = await Promise.all([1, 2, 3].map(() => RawClient.connect(server.port)));
    await ask(slow!, { subject: 'stuck', policy: 'block', maxMessages: 50, maxBytes: 1_000_000 });
    await slow!.exchange('SUB stuck 1\r\n');
    slow!.socket.pause();
    await reader!.exchange('SUB stuck 1\r\n');
    const ended = server.broker.logged(/slow consumer/);
    expect(await publisher!.exchange(numbered('stuck', 0, published))).toEqual([]);
    await ended;
    expect((await reader!.messages(published)).map(numberOf)).toEqual(upTo(published));
  });
});
