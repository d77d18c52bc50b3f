import { describe, expect, test } from 'vitest';
import { client, clients, collect } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { isOracle, shardCounts } from '../harness/target.js';

// Invariants 5, 11 of docs/INVARIANTS.md.

const orders = isOracle ? (['topic'] as const) : (['topic', 'publisher'] as const);

describe.each(shardCounts.flatMap((shards) => orders.map((order) => [shards, order] as const)))(
  '%i shards, --order %s',
  (shards, order) => {
    const server = useBroker({ shards, order });

    test('publish and flush, then flush elsewhere: it is there', async () => {
      const publishers = await clients(4, server.port);
      const readers = await clients(4, server.port);
      const collected = readers.map((reader) => collect(reader, 'f.>'));
      await Promise.all(readers.map((reader) => reader.flush()));
      for (let i = 0; i < 200; i++) {
        const publisher = publishers[i % 4]!;
        publisher.publish(`f.${i}`, `${i}`);
        await publisher.flush();
        const reader = (i >> 2) % 4;
        await readers[reader]?.flush();
        expect(collected[reader]?.texts).toHaveLength(i + 1);
      }
    });

    test('subscribe and flush, then publish elsewhere: it is found', async () => {
      const publishers = await clients(4, server.port);
      for (let i = 0; i < 150; i++) {
        const reader = await client(server.port);
        const { texts } = collect(reader, i % 3 === 0 ? `s.${i}.*` : `s.${i}.x`, i % 5 === 0 ? 'q' : undefined);
        await reader.flush();
        const publisher = publishers[i % 4]!;
        publisher.publish(`s.${i}.x`, `${i}`);
        await publisher.flush();
        await reader.flush();
        expect(texts).toEqual([`${i}`]);
        await reader.close();
      }
    });

    test('unsubscribe and flush, then publish elsewhere: it is not found', async () => {
      const [reader, publisher] = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
      await publisher.exchange('SUB _R 9\r\n');
      for (let i = 0; i < 150; i++) {
        await reader.exchange(`SUB n.${i % 3} ${i}\r\nUNSUB ${i}\r\n`);
        expect(await publisher.exchange(`PUB n.${i % 3} _R 0\r\n\r\n`)).toEqual([
          `MSG _R 9 {NATS/1.0 503\r\nNats-Subject: n.${i % 3}\r\n\r\n} | `,
        ]);
      }
      expect(await reader.exchange()).toEqual([]);
    });

    test('a chain over connections: each step sees the one before', async () => {
      const chain = await clients(8, server.port);
      for (const [i, connection] of chain.entries()) {
        const callback = (_: unknown, message: { string(): string }): void =>
          connection.publish(`c.${i + 1}`, `${message.string()}${i}`);
        connection.subscribe(`c.${i}`, { callback });
        await connection.flush();
      }
      const end = await client(server.port);
      for (let i = 0; i < 100; i++) {
        const sub = end.subscribe('c.8', { max: 1 });
        await end.flush();
        chain[i % 8]?.publish('c.0', '');
        for await (const message of sub) expect(message.string()).toBe('01234567');
      }
    });

    test('an answer follows what its service published before it', async () => {
      const [asker, service] = await clients(2, server.port);
      const { texts } = collect(asker!, 'before');
      const callback = (_: unknown, message: { respond(text: string): boolean }): void => {
        service!.publish('before', 'x');
        message.respond('done');
      };
      service!.subscribe('ask', { callback });
      await Promise.all([asker!.flush(), service!.flush()]);
      for (let i = 1; i <= 200; i++) {
        await asker!.request('ask', '', { timeout: 30_000 });
        // Between topics only --order publisher keeps the order on the way; the flush pair keeps it always.
        if (order === 'topic') {
          await service!.flush();
          await asker!.flush();
        }
        expect(texts).toHaveLength(i);
      }
    });
  },
);
