import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { JsonClient } from '../harness/jsonClient.js';
import { client } from '../harness/officialClient.js';
import { Broker, useBroker } from '../harness/server.js';

// Invariant 54 of docs/INVARIANTS.md.

interface Stored {
  topic: string;
  payload: string;
  sequence: number;
  delivery: number;
  deliveries?: number;
  redelivered?: boolean;
}

const json = { command: 'FORMAT', format: 'json' };
const read = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Stored);
const say = (command: string, { delivery }: Stored, more = {}) => ({ command, delivery, ...more });
const payloads = (stored: readonly Stored[]) => stored.map(({ payload }) => payload);

describe.each([1, 2, 4])('durable on JSON lines, %i shards', (shards) => {
  const data = mkdtempSync(`${tmpdir()}/shardcast-durable-`);
  afterAll(() => rmSync(data, { recursive: true, force: true }));
  const server = useBroker({ shards, args: ['--jsonl-port', '0', '--data', data] });
  let stream = '';
  let streams = 0;

  const manager = async () => await jetstreamManager((await client(server.port)) as never);
  const connect = async () => {
    const one = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    await one.exchange(json);
    return one;
  };

  beforeEach(async () => {
    stream = `S${streams++}`;
    await (await manager()).streams.add({ name: stream, subjects: [`${stream}.>`] });
  });

  const durable = (more = {}) => ({ command: 'SUB', topic: `${stream}.>`, durable: 'D', ...more });

  /** A subscriber; what comes at once is among its lines. */
  async function subscriber(more = {}): Promise<JsonClient> {
    const one = await connect();
    one.lines.unshift(...(await one.exchange(durable(more))));
    return one;
  }

  async function publish(from: number, to: number, topic = `${stream}.a`): Promise<void> {
    const publisher = await connect();
    const ids = Array.from({ length: to - from }, (_, i) => from + i);
    publisher.send(...ids.map((id) => ({ command: 'PUB', topic, payload: `${id}`, id })));
    await publisher.take(ids.length);
    publisher.close();
  }

  test.each(['ends', 'is cut off', 'unsubscribes'])('who %s comes back where it left off', async (how) => {
    const one = await subscriber();
    await publish(0, 5);
    const had = read(await one.take(5));
    expect(had.map(({ topic, payload, sequence, delivery }) => [topic, payload, sequence, delivery])).toEqual(
      [0, 1, 2, 3, 4].map((i) => [`${stream}.a`, `${i}`, i + 1, i + 1]),
    );
    one.send(...had.slice(0, 3).map((stored) => say('ACK', stored, { id: stored.sequence })));
    expect((await one.take(3)).sort()).toEqual([1, 2, 3].map((id) => `{"ok":true,"id":${id}}`));
    if (how === 'ends') one.end();
    else if (how === 'is cut off') one.close();
    else
      expect(await one.exchange({ command: 'UNSUB', topic: `${stream}.>`, durable: 'D' }, say('ACK', had[3]!))).toEqual(
        ['{"error":"no delivery 4 waits to be acknowledged"}'],
      );
    // what is published before that is seen would come to it still
    const js = await manager();
    while ((await js.consumers.info(stream, 'D')).num_waiting > 0);
    await publish(5, 7);
    const next = await subscriber();
    const left = read(await next.take(4)).sort((a, b) => a.sequence - b.sequence);
    expect(left.map(({ payload, redelivered }) => [payload, redelivered])).toEqual([
      ['3', true],
      ['4', true],
      ['5', undefined],
      ['6', undefined],
    ]);
  });

  test('it begins where it is told to, and a wildcard in the topic takes what it matches', async () => {
    await publish(0, 2);
    await publish(2, 4, `${stream}.b.c`);
    const all = await subscriber({ replay: 'all' });
    expect(payloads(read(await all.take(4)))).toEqual(['0', '1', '2', '3']);
    const third = await subscriber({ durable: 'E', replay: 3 });
    expect(payloads(read(await third.take(2)))).toEqual(['2', '3']);
    const last = await subscriber({ durable: 'F', replay: 'last' });
    expect(payloads(read(await last.take(2)))).toEqual(['1', '3']);
    const since = await subscriber({ durable: 'G', replay: new Date(Date.now() + 60_000).toISOString() });
    expect(since.lines).toEqual([]);
    const some = await subscriber({ durable: 'H', topic: `${stream}.*`, replay: 'all' });
    expect(payloads(read(await some.take(2)))).toEqual(['0', '1']);
    expect(await some.exchange()).toEqual([]);
  });

  test('what is published behind the SUB on the same connection comes', async () => {
    const one = await connect();
    one.send(durable({ id: 1 }), { command: 'PUB', topic: `${stream}.a`, payload: 'x', id: 2 });
    const lines = await one.take(3);
    expect(lines[0]).toBe('{"ok":true,"id":1}');
    expect(
      lines
        .slice(1)
        .map((line) => JSON.parse(line).payload ?? 'ok')
        .sort(),
    ).toEqual(['ok', 'x']);
  });

  test('no more is in flight than may be; NACK, WORKING and TERM say what becomes of it', async () => {
    const one = await subscriber({ prefetch: 2, maxDeliver: 3 });
    await publish(0, 4);
    const [first, second] = read(await one.take(2));
    expect(await one.exchange(say('WORKING', first!))).toEqual([]);
    one.send(say('NACK', first!), say('TERM', second!));
    const [again, third] = read(await one.take(2)).sort((a, b) => a.sequence - b.sequence);
    expect([again!.payload, again!.deliveries, third!.payload]).toEqual(['0', 2, '2']);
    // more room is more messages
    one.send(durable({ prefetch: 3 }), say('NACK', again!, { delayMs: 1 }));
    const [last, fourth] = read(await one.take(2)).sort((a, b) => a.sequence - b.sequence);
    expect([last!.payload, last!.deliveries, fourth!.payload]).toEqual(['0', 3, '3']);
    one.send(...[last!, third!, fourth!].map((stored) => say('ACK', stored, { id: 1 })));
    await one.take(3);
    const { num_ack_pending, num_pending, ack_floor } = await (await manager()).consumers.info(stream, 'D');
    expect([num_ack_pending, num_pending, ack_floor.stream_seq]).toEqual([0, 0, 4]);
  });

  test('several share what comes, and a NATS client takes part by the same name', async () => {
    const some = [await subscriber({ prefetch: 1 }), await subscriber({ prefetch: 1 })];
    const js = jetstream((await client(server.port)) as never);
    await publish(0, 3);
    const [one, other] = await Promise.all(some.map(async (each) => read(await each.take(1))[0]!));
    const third = await (await js.consumers.get(stream, 'D')).next();
    expect([one!.payload, other!.payload, third!.string()].sort()).toEqual(['0', '1', '2']);
    // what is its own is its alone
    expect(await some[0]!.exchange({ command: 'ACK', delivery: 2 })).toEqual([
      '{"error":"no delivery 2 waits to be acknowledged"}',
    ]);
  });

  test('what cannot be is said', async () => {
    const js = await manager();
    await js.streams.add({ name: `${stream}-2`, subjects: [`${stream}2.>`] });
    await js.consumers.add(stream, {
      durable_name: 'other',
      filter_subject: `${stream}.x`,
      ack_policy: AckPolicy.Explicit,
    });
    await js.consumers.add(stream, { durable_name: 'push', deliver_subject: 'somewhere' });
    await js.consumers.add(stream, { durable_name: 'none', ack_policy: AckPolicy.None });
    const one = await connect();
    const errors = async (more: object) => {
      one.send({ ...durable(more), id: 1 });
      return (JSON.parse((await one.take(1))[0]!) as { error: string }).error;
    };
    expect(await errors({ topic: 'nobody.takes' })).toBe(
      'no stream takes nobody.takes: shardcast stream add makes one',
    );
    expect(await errors({ topic: '*.x' })).toMatch(/^\*\.x is in more than one stream \(.*\): name it with "stream"$/);
    expect(await errors({ stream: 'NO' })).toBe('stream not found (10059)');
    expect(await errors({ durable: 'other' })).toBe(
      `consumer other of stream ${stream} is for ${stream}.x, not for ${stream}.>`,
    );
    expect(await errors({ durable: 'push' })).toBe(`consumer push of stream ${stream} pushes to somewhere`);
    expect(await errors({ durable: 'none' })).toBe(`consumer none of stream ${stream} has acks none, not explicit`);
    expect(await errors({ durable: 'a.b' })).toMatch(/^durable must be a name/);
    expect(await errors({ group: 'g' })).toBe('durable and group exclude each other');
    expect(await errors({ policy: 'conflate' })).toBe('durable and policy exclude each other');
    expect(await errors({ replay: 'soon' })).toMatch(/^replay must be/);
    expect(await errors({ durable: undefined, replay: 'all' })).toBe(
      'replay is for durable subscriptions: give a durable',
    );
    expect(await one.exchange({ command: 'FORMAT', format: 'text' }, durable())).toEqual([
      expect.stringContaining('send FORMAT json first; durable is for subscriptions'),
    ]);
  });

  test('one whose consumer is deleted hears of it, and may begin anew', async () => {
    const one = await subscriber();
    await (await manager()).consumers.delete(stream, 'D');
    expect(await one.take(1)).toEqual(['{"error":"the consumer gives no more messages: Consumer Deleted"}']);
    expect(await one.exchange(durable({ id: 1 }))).toEqual(['{"ok":true,"id":1}']);
    await publish(0, 1);
    expect(payloads(read(await one.take(1)))).toEqual(['0']);
  });
});

test.each([1, 2, 4])(
  'kill -9, %i shards: what was confirmed does not come again, and what was not does',
  async (shards) => {
    const data = mkdtempSync(`${tmpdir()}/shardcast-durable-`);
    onTestFinished(() => rmSync(data, { recursive: true, force: true }));
    const begin = () =>
      Broker.start({ shards, args: ['--jsonl-port', '0', '--data', data, '--durable', 'orders.>=ORDERS'] });
    const subscribe = async (broker: Broker) => {
      const one = await JsonClient.overTcp(broker.doorPort('jsonl'));
      one.lines.unshift(
        ...(await one.exchange(json, {
          command: 'SUB',
          topic: 'orders.>',
          durable: 'D',
          prefetch: 100,
          ackWaitMs: 1500,
        })),
      );
      return one;
    };
    let broker = await begin();
    const one = await subscribe(broker);
    for (let id = 0; id < 60; id++) one.send({ command: 'PUB', topic: `orders.${id % 7}`, payload: `${id}`, id });
    const confirmed = new Set<number>();
    const enough = new Promise<void>((resolve) => {
      one.onLine = (line) => {
        const said = JSON.parse(line) as Partial<Stored> & { id?: number | string };
        if (said.sequence !== undefined) {
          if (said.sequence % 2 === 1) one.send(say('ACK', said as Stored, { id: `ack ${said.sequence}` }));
        } else if (typeof said.id === 'string') confirmed.add(Number(said.id.split(' ')[1]));
        if (confirmed.size === 20) resolve();
        return true;
      };
    });
    await enough;
    const certain = new Set(confirmed);
    await broker.kill();
    broker = await begin();
    onTestFinished(async () => void (await broker.stop()));
    const js = await jetstreamManager((await client(broker.port)) as never);
    const { messages } = (await js.streams.info('ORDERS')).state;
    const next = await subscribe(broker);
    const left = new Set<number>();
    const never = Array.from({ length: messages }, (_, i) => i + 1).filter((sequence) => sequence % 2 === 0);
    while (!never.every((sequence) => left.has(sequence))) left.add(read(await next.take(1))[0]!.sequence);
    for (const { sequence } of read(await next.exchange())) left.add(sequence);
    expect([...left].filter((sequence) => certain.has(sequence))).toEqual([]);
  },
);
