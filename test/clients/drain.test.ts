import { describe, expect, test } from 'vitest';
import { clients, collect } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards });

  test('draining a connection handles all that was given to it and publishes all it has', async () => {
    const [publisher, reader] = await clients(2, server.port);
    const { texts } = collect(reader!, 'd');
    await reader!.flush();
    for (let i = 0; i < 5000; i++) publisher!.publish('d', `${i}`);
    await publisher!.drain();
    await reader!.drain();
    expect(texts).toHaveLength(5000);
    expect([publisher!.isClosed(), reader!.isClosed()]).toEqual([true, true]);
  });

  test('draining a subscription leaves the connection', async () => {
    const [publisher, reader] = await clients(2, server.port);
    const { sub, texts } = collect(reader!, 's');
    const other = collect(reader!, 't');
    await reader!.flush();
    for (let i = 0; i < 100; i++) publisher!.publish('s', `${i}`);
    await publisher!.flush();
    await sub.drain();
    publisher!.publish('s', 'late');
    publisher!.publish('t', 'on');
    await publisher!.flush();
    await reader!.flush();
    expect(texts).toHaveLength(100);
    expect(other.texts).toEqual(['on']);
  });
});
