import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import {
  ArgumentError,
  BrokerError,
  codecs,
  connectBroker,
  DecodeError,
  NoRespondersError,
  type StoredMessage,
  StreamError,
  SubjectError,
} from 'shardcast';
import { describe, expect, onTestFinished, test } from 'vitest';
import { inProcess } from './broker.js';

// Invariant 42 of docs/INVARIANTS.md.

interface Order {
  readonly id: number;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(`${tmpdir()}/shardcast-test-`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function all<T>(messages: AsyncIterable<StoredMessage<T>>): Promise<StoredMessage<T>[]> {
  const found: StoredMessage<T>[] = [];
  for await (const message of messages) found.push(message);
  return found;
}

const sequencesOf = async (messages: AsyncIterable<StoredMessage<unknown>>): Promise<number[]> =>
  (await all(messages)).map(({ sequence }) => sequence);

describe.each([1, 2, 4])('%i shards', (shards) => {
  test('a stream on disk acknowledges what is published, and gives it again, to any thread', async () => {
    const broker = await inProcess({ listen: false, shards, data: temporaryFolder() });
    const here = broker.stream<Order>('ORDERS');
    const sync = 'interval:100' as const;
    const config = { subjects: ['orders.*'], maxAgeMs: 3_600_000, sync, metadata: { owner: 'us' } };
    expect(await here.create(config)).toMatchObject({ name: 'ORDERS', messages: 0, firstTime: null });
    await using elsewhere = await connectBroker(broker.port());
    const there = elsewhere.stream<Order>('ORDERS');
    const begunMs = Date.now();
    for (let id = 1; id <= 5; id++)
      expect(await (id % 2 === 0 ? here : there).publish(`orders.${id % 2}`, { id })).toEqual({
        stream: 'ORDERS',
        sequence: id,
        duplicate: false,
      });
    expect(await there.info()).toMatchObject({ config, messages: 5, lastSequence: 5, subjects: 2 });
    const second = await there.get(2);
    expect(second?.time.getTime()).toBeGreaterThanOrEqual(begunMs - 1);
    expect(second).toMatchObject({ sequence: 2, subject: 'orders.0', value: { id: 2 }, reply: undefined });
    expect((await here.last('orders.1'))?.value).toEqual({ id: 5 });
    expect(await here.get(9)).toBeNull();
    expect((await all(there.read())).map(({ value }) => value.id)).toEqual([1, 2, 3, 4, 5]);
    expect(await sequencesOf(here.read({ from: 2, subject: 'orders.1' }))).toEqual([3, 5]);
    expect((await there.update({ sync: 'never' })).config).toMatchObject({ sync: 'never', metadata: { owner: 'us' } });
    expect((await there.update({ metadata: { owner: 'you' } })).config).toMatchObject({ sync: 'never' });
    await there.delete();
    await expect(here.info()).rejects.toMatchObject({ name: 'StreamError', code: 'STREAM_NOT_FOUND', status: 404 });
  });
});

test.each([true, false])('all is read in order, whether direct gets are allowed: %s', async (allowDirect) => {
  const broker = await inProcess({ listen: false, shards: 2 });
  const stream = broker.stream<string>('S', { codec: codecs.utf8 });
  await stream.create({ subjects: ['s.>'], storage: 'memory', allowDirect });
  const count = allowDirect ? 700 : 40;
  const texts = Array.from({ length: count }, (_, i) => `${i} ${'x'.repeat(i)}`);
  await Promise.all(texts.map((text, i) => stream.publish(`s.${i % 3}`, text, { headers: { n: `${i}` } })));
  await stream.deleteMessage(7);
  const left = texts.filter((_, i) => i !== 6);
  const read = await all(stream.read());
  expect(read.map(({ value }) => value)).toEqual(left);
  expect(read.map(({ headers }) => headers)).toEqual(left.map((text) => ({ n: text.split(' ')[0] })));
  const from = read[20] as StoredMessage<string>;
  expect(await sequencesOf(stream.read({ from: from.sequence }))).toEqual(read.slice(20).map((each) => each.sequence));
  const since = await sequencesOf(stream.read({ from: from.time }));
  expect(since).toEqual(read.filter(({ time }) => time >= from.time).map(({ sequence }) => sequence));
  expect(await sequencesOf(stream.read({ from: 'last' }))).toEqual([count]);
  expect(await sequencesOf(stream.read({ from: new Date(Date.now() + 60_000) }))).toEqual([]);
  expect(await sequencesOf(stream.read({ from: 'last', subject: 's.none' }))).toEqual([]);
  const taken = stream.read({ signal: AbortSignal.abort(new Error('enough')) });
  await expect(taken.next()).rejects.toMatchObject({ code: 'ABORTED' });
});

test('reading goes on where direct gets are forbidden meanwhile', async () => {
  const broker = await inProcess({ listen: false, shards: 1 });
  const stream = broker.stream<number>('S');
  await stream.create({ storage: 'memory' });
  await Promise.all(Array.from({ length: 300 }, (_, i) => stream.publish('S', i)));
  const read: number[] = [];
  for await (const { value } of stream.read())
    if (read.push(value) === 100) await stream.update({ allowDirect: false });
  expect(read).toEqual(Array.from({ length: 300 }, (_, i) => i));
});

test('a publish says what it expects, and its id makes it one', async () => {
  const broker = await inProcess({ listen: false, shards: 2 });
  const stream = broker.stream<number>('S');
  await stream.create({ subjects: ['s.*'], storage: 'memory', allowRollup: true });
  await stream.publish('s.a', 1, { id: 'one', headers: { own: 'x' } });
  expect((await stream.get(1))?.headers).toEqual({ own: 'x', 'Nats-Msg-Id': 'one' });
  expect(await stream.publish('s.a', 1, { id: 'one' })).toEqual({ stream: 'S', sequence: 1, duplicate: true });
  await stream.publish('s.b', 2, { expectedLastSequence: 1, expectedLastSubjectSequence: 0, expectedLastId: 'one' });
  const code = (options: object) => stream.publish('s.a', 3, options).catch((error: BrokerError) => error.code);
  expect(await code({ expectedLastSequence: 1 })).toBe('WRONG_LAST_SEQUENCE');
  expect(await code({ expectedLastSubjectSequence: 2 })).toBe('WRONG_LAST_SEQUENCE');
  expect(await code({ expectedLastId: 'two' })).toBe('WRONG_LAST_ID');
  expect(await code({ expectedLastSequence: -1 })).toBe('BAD_ARGUMENT');
  await stream.publish('s.a', 4, { rollup: 'subject' });
  expect((await all(stream.read())).map(({ value }) => value)).toEqual([2, 4]);
  expect(await stream.purge({ before: 3 })).toBe(1);
  await stream.update({ maxMessages: 1, discard: 'new', description: 'small' });
  expect((await stream.info()).config).toMatchObject({ maxMessages: 1, description: 'small', allowRollup: true });
  expect(await code({})).toBe('STREAM_FULL');
  expect(await stream.purge()).toBe(1);
});

test('a message lives as long as its publisher says, where the stream lets it', async () => {
  const broker = await inProcess({ listen: false, shards: 1 });
  const stream = broker.stream<number>('S');
  await stream.create({ subjects: ['s'], storage: 'memory', allowMessageTtl: true });
  for (const ttlSeconds of ['never', 1, 3_600] as const) await stream.publish('s', 1, { ttlSeconds });
  expect((await stream.get(2))?.headers).toEqual({ 'Nats-TTL': '1' });
  while ((await stream.get(2)) !== null);
  expect((await all(stream.read())).map(({ sequence }) => sequence)).toEqual([1, 3]);
  for (const ttlSeconds of [0, -1, 1.5, 'ever', '1s'])
    await expect(stream.publish('s', 1, { ttlSeconds } as object)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
  const other = broker.stream<number>('T');
  await other.create({ subjects: ['t'], storage: 'memory' });
  await expect(other.publish('t', 1, { ttlSeconds: 1 })).rejects.toMatchObject({ errorNumber: 10166 });
});

test('what is wrong is told by errors with codes', async () => {
  const broker = await inProcess({ listen: false, shards: 2 });
  const stream = broker.stream<number>('S');
  await expect(stream.create()).rejects.toMatchObject({ code: 'STREAM_REFUSED', errorNumber: 10049 });
  await stream.create({ storage: 'memory' });
  await stream.create({ storage: 'memory' });
  await expect(stream.create({ storage: 'memory', maxMessages: 1 })).rejects.toMatchObject({ code: 'STREAM_EXISTS' });
  const other = broker.stream('T');
  await expect(other.create({ storage: 'memory', subjects: ['*'] })).rejects.toMatchObject({
    code: 'SUBJECTS_OVERLAP',
  });
  await expect(other.publish('nobody', 1)).rejects.toThrow(NoRespondersError);
  await expect(other.get(1)).rejects.toThrow(StreamError);
  await expect(other.read().next()).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' });
  await expect(stream.deleteMessage(5)).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
  await broker.topic('S', { codec: codecs.utf8 }).publish('{');
  const unreadable = await stream.get(1);
  expect(() => unreadable?.value).toThrow(DecodeError);
  expect(new StreamError(1, 2, '')).toBeInstanceOf(BrokerError);
});

test('no options object takes what it does not know, and no name what is none', async () => {
  const broker = await inProcess({ listen: false, shards: 1 });
  const stream = broker.stream<number>('S');
  await stream.create({ storage: 'memory' });
  const odd = { maxAge: 1 } as object;
  expect(() => broker.stream('S', odd)).toThrow(ArgumentError);
  expect(() => stream.read(odd)).toThrow(ArgumentError);
  for (const from of [0, 1.5, new Date(Number.NaN), 'first'])
    expect(() => stream.read({ from: from as 1 })).toThrow(ArgumentError);
  expect(() => stream.read({ subject: 'a..b' })).toThrow(SubjectError);
  for (const call of [
    () => stream.create(odd),
    () => stream.update(odd),
    () => stream.publish('S', 1, odd),
    () => stream.publish('S', 1, { rollup: 'some' as 'all' }),
    () => stream.purge(odd),
    () => stream.purge({ before: 1, keep: 1 }),
    () => stream.get(0),
    () => stream.deleteMessage(1.5),
  ])
    await expect(call()).rejects.toThrow(ArgumentError);
  await expect(stream.publish('S.*', 1)).rejects.toThrow(SubjectError);
  for (const name of ['', 'a.b', 'a b', '*', '>', 'a/b', 'a\\b'])
    expect(() => broker.stream(name)).toThrow(ArgumentError);
});
