import { describe, expect, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';
import { ask, padding, publication } from './slowSubscriber.js';

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards, args: ['--write-deadline', '60s', '--refuse', 'strict.>', '--block-max', '1m'] });

  /** Has a subscriber hold `subject` up, and publishes until that is known. Returns who holds it up. */
  async function fill(subject: string): Promise<RawClient> {
    const slow = await RawClient.connect(server.port);
    await ask(slow, { subject, policy: 'block', maxMessages: 10 });
    await slow.exchange(`SUB ${subject} 1\r\n`);
    slow.socket.pause();
    const publisher = await RawClient.connect(server.port);
    const expected = `-ERR 'Topic Full for "${subject}"'`;
    for (let refused = ''; refused !== expected; )
      [refused = ''] = await publisher.exchange(publication(subject, padding).repeat(8));
    return slow;
  }

  test('what is published to a full topic is refused, by name, and taken again when there is room', async () => {
    const slow = await fill('strict.a');
    const publisher = await RawClient.connect(server.port);
    expect(await publisher.exchange('PUB strict.a 1\r\nx\r\nPUB strict.b 1\r\nx\r\n')).toEqual([
      `-ERR 'Topic Full for "strict.a"'`,
    ]);
    slow.close();
    for (let replies = ['']; replies.length > 0; ) replies = await publisher.exchange('PUB strict.a 1\r\nx\r\n');
    expect(publisher.closed).toBe(false);
  });

  test('a request to it fails at once', async () => {
    await fill('strict.request');
    const requester = await client(server.port);
    await expect(requester.request('strict.request', 'x', { timeout: 30_000 })).rejects.toThrow(/no responders/);
    const raw = await RawClient.connect(server.port);
    expect(await raw.exchange('SUB answer 1\r\nPUB strict.request answer 1\r\nx\r\n')).toEqual([
      'MSG answer 1 {NATS/1.0 503 Topic Full\r\n\r\n} | ',
    ]);
  });
});
