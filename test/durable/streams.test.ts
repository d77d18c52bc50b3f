import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { client, collect } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';

// Invariants 42 and 44 of docs/INVARIANTS.md.

let data: string;

beforeEach(() => {
  data = mkdtempSync(`${tmpdir()}/shardcast-data-`);
});

afterEach(() => rmSync(data, { recursive: true }));

async function start(shards: number, ...args: string[]): Promise<Broker> {
  return await Broker.start({ shards, args: ['--data', data, ...args] });
}

async function managerOf(broker: Broker) {
  const connection = await client(broker.port);
  return { connection, js: jetstream(connection as never), manager: await jetstreamManager(connection as never) };
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  test('a declared stream keeps what is published, plain subscribers get it once, in order, and a clean stop loses nothing', async () => {
    const args = ['--durable', 'orders.>', '--durable', 'a.*=X', '--durable', 'b=X'];
    const broker = await start(shards, ...args);
    const { connection, js, manager } = await managerOf(broker);
    const { sub, texts } = collect(connection, 'orders.>');
    const other = collect(await client(broker.port), '>');
    await connection.flush();
    const count = 500;
    const acks = await Promise.all(Array.from({ length: count }, (_, i) => js.publish(`orders.${i % 7}`, `${i}`)));
    expect(acks.map(({ seq }) => seq)).toEqual(acks.map((_, i) => i + 1));
    // without a reply: nobody waits, and it is stored all the same
    for (let i = count; i < 2 * count; i++) connection.publish(`orders.${i % 7}`, `${i}`);
    const wanted = Array.from({ length: 2 * count }, (_, i) => `${i}`);
    await expect.poll(() => texts.length).toBe(2 * count);
    expect(texts).toEqual(wanted);
    await expect.poll(() => other.texts.filter((text) => /^\d+$/.test(text)).length).toBe(2 * count);
    sub.unsubscribe();
    expect(await js.publish('a.b', '')).toMatchObject({ stream: 'X', seq: 1 });
    expect(await js.publish('b', '')).toMatchObject({ stream: 'X', seq: 2 });
    const before = (await manager.streams.info('orders')).state;
    expect((await broker.stop()).code).toBe(0);

    const next = await start(shards, ...args);
    const again = await managerOf(next);
    expect((await again.manager.streams.info('orders')).state).toEqual(before);
    expect((await again.manager.streams.getMessage('orders', { seq: 2 * count }))?.string()).toBe(`${2 * count - 1}`);
    expect(await again.js.publish('orders.x', '')).toMatchObject({ seq: 2 * count + 1 });
    expect((await next.stop()).code).toBe(0);
  });

  test('a publisher that waits for nothing loses nothing, though it is faster than the disk', async () => {
    const broker = await start(shards, '--durable', 'flood.>');
    const { manager } = await managerOf(broker);
    const raw = await RawClient.connect(broker.port);
    const payload = 'x'.repeat(16 * 1024);
    const block = Array.from({ length: 8 }, (_, i) => `PUB flood.${i} ${payload.length}\r\n${payload}\r\n`).join('');
    const blocks = 150;
    for (let i = 0; i < blocks; i++) raw.send(block);
    await raw.exchange('');
    const stored = async () => (await manager.streams.info('flood')).state.messages;
    await expect.poll(stored).toBe(8 * blocks);
    expect((await broker.stop()).code).toBe(0);
  });
});

test('a stream on disk gives up what its limits say, and forgets no id', async () => {
  const broker = await start(2);
  const { js, manager } = await managerOf(broker);
  await manager.streams.add({ name: 'S', subjects: ['s.>'], max_msgs: 10, max_msgs_per_subject: 4 });
  for (let i = 0; i < 40; i++) await js.publish(`s.${i % 5}`, `${i}`, { msgID: `id${i}` });
  expect(await js.publish('s.0', 'again', { msgID: 'id39' })).toMatchObject({ duplicate: true, seq: 40 });
  await broker.kill();

  const next = await start(2);
  const again = await managerOf(next);
  expect((await again.manager.streams.info('S')).state).toMatchObject({ messages: 10, first_seq: 31, last_seq: 40 });
  expect(await again.js.publish('s.0', 'again', { msgID: 'id39' })).toMatchObject({ duplicate: true, seq: 40 });
  expect(await again.js.publish('s.0', 'new')).toMatchObject({ seq: 41 });
  expect((await next.stop()).code).toBe(0);
});

test('a stream is not declared twice in different ways, nor beside last values of its subjects', async () => {
  const broker = await start(1, '--durable', 'a.>=S');
  expect((await broker.stop()).code).toBe(0);
  await expect(start(1, '--durable', 'b=S')).rejects.toThrow('the stream S is there and does not take b');
  await expect(start(1, '--last-value', 'a.b')).rejects.toThrow('the stream S takes subjects of a.b');
});
