import { headers } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { client, clients, collect } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

// Invariant 12 of docs/INVARIANTS.md.

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards });

  test('every subscriber gets every message in order', async () => {
    const [publisher, ...readers] = await clients(5, server.port);
    const collected = readers.map((reader) => collect(reader, 'news'));
    await Promise.all(readers.map((reader) => reader.flush()));
    const sent = Array.from({ length: 5000 }, (_, i) => `${i}`);
    for (const text of sent) publisher?.publish('news', text);
    await publisher?.flush();
    await Promise.all(readers.map((reader) => reader.flush()));
    for (const { texts } of collected) expect(texts).toEqual(sent);
  });

  test('wildcards', async () => {
    const connection = await client(server.port);
    const star = collect(connection, 'm.*.b');
    const tail = collect(connection, 'm.>');
    for (const subject of ['m.a.b', 'm.x.b', 'm.a.c', 'm', 'n.a.b', 'm.a.b.c']) connection.publish(subject, subject);
    await connection.flush();
    // Sorted: between topics the default order promises nothing.
    expect(star.texts.sort()).toEqual(['m.a.b', 'm.x.b']);
    expect(tail.texts.sort()).toEqual(['m.a.b', 'm.a.b.c', 'm.a.c', 'm.x.b']);
  });

  test('unsubscribe, and unsubscribe after a number', async () => {
    const connection = await client(server.port);
    const [now, later] = [collect(connection, 'u'), collect(connection, 'u')];
    later.sub.unsubscribe(2);
    connection.publish('u', '1');
    await connection.flush();
    now.sub.unsubscribe();
    for (const text of ['2', '3']) connection.publish('u', text);
    await connection.flush();
    expect([now.texts, later.texts]).toEqual([['1'], ['1', '2']]);
  });

  test('headers', async () => {
    const [publisher, reader] = await clients(2, server.port);
    const sub = reader!.subscribe('h', { max: 1 });
    await reader!.flush();
    const sent = headers();
    sent.append('A', '1');
    sent.append('A', '2');
    sent.set('empty', '');
    publisher!.publish('h', 'body', { headers: sent, reply: 'r' });
    for await (const message of sub) {
      expect([message.headers?.values('A'), message.headers?.get('empty')]).toEqual([['1', '2'], '']);
      expect([message.string(), message.reply]).toEqual(['body', 'r']);
    }
  });

  test('a hundred subjects, each by several publishers, all of it to one wildcard', async () => {
    const reader = await client(server.port);
    const all = collect(reader, 'many.>');
    await reader.flush();
    const publishers = await clients(4, server.port);
    for (let i = 0; i < 1000; i++)
      for (const [p, connection] of publishers.entries()) connection.publish(`many.${i % 100}`, `${p}.${i}`);
    await Promise.all(publishers.map((connection) => connection.flush()));
    await reader.flush();
    expect(new Set(all.texts).size).toBe(4000);
    expect(all.texts).toHaveLength(4000);
  });
});
