import { describe, expect, test } from 'vitest';
import { client, collect } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards, config: { max_payload: 1000 } });

  test('the client learns the limit from INFO and refuses by itself', async () => {
    const connection = await client(server.port);
    const { texts } = collect(connection, 'p');
    connection.publish('p', 'x'.repeat(1000));
    expect(() => connection.publish('p', 'x'.repeat(1001))).toThrow(/max_payload/);
    await connection.flush();
    expect(texts.map((text) => text.length)).toEqual([1000]);
  });
});

describe.each(shardCounts)('default limit, %i shards', (shards) => {
  const server = useBroker({ shards });

  test('a mebibyte goes through, to several readers, again and again', async () => {
    const connection = await client(server.port);
    const readers = [
      collect(connection, 'big'),
      collect(await client(server.port), 'big'),
      collect(await client(server.port), '>'),
    ];
    await connection.flush();
    const payload = 'x'.repeat(1_048_576);
    const later = await client(server.port);
    for (let i = 0; i < 8; i++) later.publish('big', payload);
    await later.flush();
    await connection.flush();
    expect(readers[0]?.texts.every((text) => text === payload)).toBe(true);
    expect(readers[0]?.texts).toHaveLength(8);
  });
});
