import { describe, expect, test } from 'vitest';
import { client, collect, status } from '../harness/officialClient.js';
import { Broker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

describe.each(shardCounts)('%i shards', (shards) => {
  test.each(['stop', 'kill'] as const)('clients come back after %s and restart on the same port', async (end) => {
    let broker = await Broker.start({ shards });
    const { port } = broker;
    const always = { reconnect: true, maxReconnectAttempts: -1, reconnectTimeWait: 20, reconnectJitter: 0 };
    const [publisher, reader] = [await client(port, always), await client(port, always)];
    const { texts } = collect(reader, 'r.*');
    collect(reader, 'other', 'q');
    await reader.flush();
    for (let round = 0; round < 3; round++) {
      const back = Promise.all([status(publisher, 'reconnect'), status(reader, 'reconnect')]);
      await broker[end]();
      broker = await Broker.start({ shards, port });
      await back;
      await reader.flush();
      publisher.publish('r.a', `${round}`);
      await publisher.flush();
      await reader.flush();
    }
    expect(texts).toEqual(['0', '1', '2']);
    await Promise.all([publisher.close(), reader.close()]);
    await broker.stop();
  });
});
