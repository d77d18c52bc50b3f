import { inspect } from 'node:util';
import {
  ArgumentError,
  ClosedError,
  type Codec,
  codecs,
  type Message,
  PayloadTooLargeError,
  SubjectError,
  UnknownTopicError,
  ValidationError,
} from 'shardcast';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { inProcess } from './broker.js';

async function take<T>(stream: AsyncIterator<Message<T>>, count: number): Promise<Message<T>[]> {
  const messages: Message<T>[] = [];
  while (messages.length < count) {
    const { value, done } = await stream.next();
    if (done) break;
    messages.push(value);
  }
  return messages;
}

test('a message shows what it has, printed and as JSON', async () => {
  const broker = await inProcess({ listen: false });
  const topic = broker.topic<number>('t');
  const stream = topic.subscribe();
  await topic.publish(1, { key: 'k' });
  const [whole] = await take(stream, 1);
  const shown = { subject: 't', key: 'k', value: 1, headers: { 'Shardcast-Key': 'k' } };
  expect(JSON.parse(JSON.stringify(whole))).toEqual(shown);
  expect(inspect(whole, { breakLength: Infinity })).toMatch(/^Message \{ subject: 't', key: 'k', value: 1, headers: /);
});

test('a message cannot be changed, and is each subscriber’s own', async () => {
  const broker = await inProcess({ listen: false, shards: 1 });
  const topic = broker.topic<{ list: number[] }>('t');
  const [first, second] = [topic.subscribe(), topic.subscribe()];
  await topic.publish(
    { list: [1] },
    { key: 'k', headers: { a: 'b' }, traceparent: '00-1-2-01', correlationId: 'c', reply: 'r' },
  );
  const [one] = await take(first, 1);
  const [two] = await take(second, 1);
  one!.value.list.push(2);
  one!.bytes.fill(0);
  expect(one!.value).toBe(one!.value);
  expect(two!.value).toEqual({ list: [1] });
  expect(Buffer.from(two!.bytes).toString()).toBe('{"list":[1]}');
  const { subject, key, headers, traceparent, correlationId, reply } = two!;
  expect({ subject, key, traceparent, correlationId, reply }).toEqual({
    subject: 't',
    key: 'k',
    traceparent: '00-1-2-01',
    correlationId: 'c',
    reply: 'r',
  });
  expect(headers.a).toBe('b');
  for (const field of Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(two!))))
    expect(() => Object.assign(two!, { [field]: 'x' }), field).toThrow(TypeError);
  expect(() => Object.assign(headers, { a: 'x' })).toThrow(TypeError);
});

test('the bytes that a decoder gets are its own, and no window on others’', async () => {
  const broker = await inProcess({ listen: false, shards: 1 });
  const seen: Uint8Array[] = [];
  const codec: Codec<string> = {
    encode: (text) => Buffer.from(text),
    decode: (bytes) => {
      seen.push(bytes);
      const text = Buffer.from(bytes).toString();
      new Uint8Array(bytes.buffer).fill(0);
      return text;
    },
  };
  const topic = broker.topic('t', { codec });
  const streams = [topic.subscribe(), topic.subscribe()];
  for (const text of ['one', 'two']) await topic.publish(text);
  for (const stream of streams) expect((await take(stream, 2)).map(({ value }) => value)).toEqual(['one', 'two']);
  expect(seen.every((bytes) => bytes.buffer.byteLength === bytes.length)).toBe(true);
});

test('subjects and headers beyond ASCII pass whole', async () => {
  const broker = await inProcess({ listen: false, shards: 2 });
  const topic = broker.topic('größe.*', { codec: codecs.utf8 });
  const stream = topic.subscribe();
  await topic.publish('ü', { subject: 'größe.日本', key: '鍵' });
  const [message] = await take(stream, 1);
  expect([message!.subject, message!.key, message!.value]).toEqual(['größe.日本', '鍵', 'ü']);
});

describe('what is wrong is said', () => {
  test.each(['', 'a..b', 'a b', '.a', 'a.', '>.a', 'a\r\nb'])('subject %j', async (subject) => {
    const broker = await inProcess({ listen: false, shards: 1 });
    expect(() => broker.topic(subject)).toThrow(SubjectError);
    await expect(broker.request(subject, 1)).rejects.toThrow(SubjectError);
  });

  test('a pattern needs a subject to publish to, and one of its own', async () => {
    const broker = await inProcess({ listen: false, shards: 1 });
    const topic = broker.topic('a.*');
    await expect(topic.publish(1)).rejects.toMatchObject({ code: 'BAD_SUBJECT' });
    await expect(topic.publish(1, { subject: 'a.*' })).rejects.toThrow(SubjectError);
    await expect(topic.publish(1, { subject: 'b.c' })).rejects.toThrow(SubjectError);
    expect(() => topic.offer(1)).toThrow(SubjectError);
    expect(() => topic.at('b')).toThrow(SubjectError);
    await topic.publish(1, { subject: 'a.c' });
    await topic.at('a.c').publish(1);
  });

  test.each([[{ 'a b': 'x' }], [{ 'a:': 'x' }], [{ '': 'x' }], [{ a: 'x\r\nb: y' }], [{ a: 1 as unknown as string }]])(
    'headers %j',
    async (headers) => {
      const broker = await inProcess({ listen: false, shards: 1 });
      await expect(broker.topic('t').publish(1, { headers })).rejects.toThrow(ArgumentError);
    },
  );

  test.each([
    { policy: 'never' as 'block' },
    { bufferCount: 0 },
    { maxBytes: -1 },
    { group: '' },
    { group: 'a b' },
    { group: { name: 'a', orderedBy: 'size' as 'key' } },
    { prefetch: 1 },
    { group: 'g', prefetch: 0.5 },
  ])('subscribe options %j', async (options) => {
    const broker = await inProcess({ listen: false, shards: 1 });
    expect(() => broker.topic('t').subscribe(options)).toThrow(ArgumentError);
  });

  test('a payload that is too large', async () => {
    const broker = await inProcess({ listen: false, shards: 1, maxPayloadBytes: 100 });
    const topic = broker.topic('t', { codec: codecs.bytes });
    await topic.publish(new Uint8Array(100));
    await expect(topic.publish(new Uint8Array(101))).rejects.toThrow(PayloadTooLargeError);
    expect(() => topic.offer(new Uint8Array(90), { key: '1234567890' })).toThrow(PayloadTooLargeError);
  });

  test('a topic that was not declared', async () => {
    const broker = await inProcess({ listen: false, shards: 1, strict: true, topics: ['a.*'] });
    await broker.topic('a.b').publish(1);
    await expect(broker.topic('b').publish(1)).rejects.toThrow(UnknownTopicError);
    expect(() => broker.topic('b').offer(1)).toThrow(UnknownTopicError);
    await expect(broker.request('b', 1)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
  });

  test('a broker that has stopped', async () => {
    const broker = await inProcess({ listen: false, shards: 1 });
    await broker.stop();
    await expect(broker.topic('t').publish(1)).rejects.toThrow(ClosedError);
    expect(() => broker.topic('t').offer(1)).toThrow(ClosedError);
    expect(() => broker.topic('t').subscribe()).toThrow(ClosedError);
    await expect(broker.request('t', 1)).rejects.toThrow(ClosedError);
  });
});

describe('a schema', () => {
  const schema = z.object({ price: z.number() });

  test.each(['publish', 'both'] as const)('is applied on %s', async (validate) => {
    const broker = await inProcess({ listen: false, shards: 1 });
    const topic = broker.topic('t', { schema, validate });
    const wrong = { price: 'high' } as unknown as { price: number };
    await expect(topic.publish(wrong)).rejects.toThrow(ValidationError);
    expect(() => topic.offer(wrong)).toThrow(ValidationError);
  });

  test.each(['receive', 'both'] as const)('is applied on receive: %s', async (validate) => {
    const broker = await inProcess({ listen: false, shards: 1 });
    const stream = broker.topic('t', { schema, validate }).subscribe();
    const untyped = broker.topic<unknown>('t');
    await untyped.publish({ price: 'high' });
    await untyped.publish({ price: 2, more: true });
    const [wrong, right] = await take(stream, 2);
    expect(() => wrong!.value).toThrow(ValidationError);
    expect(right!.value).toEqual({ price: 2 });
  });

  test('that is asynchronous is refused', async () => {
    const broker = await inProcess({ listen: false, shards: 1 });
    const topic = broker.topic('t', { schema: z.number().refine(async () => true) });
    await expect(topic.publish(1)).rejects.toThrow(ValidationError);
  });
});

describe('a subscription ends', () => {
  test('at abort, having given what was buffered', async () => {
    const broker = await inProcess({ listen: false, shards: 2 });
    const topic = broker.topic<number>('t');
    const abort = new AbortController();
    const stream = topic.subscribe({ signal: abort.signal });
    for (let i = 0; i < 10; i++) await topic.publish(i);
    abort.abort();
    await topic.publish(10);
    expect((await take(stream, 100)).map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('when its loop is left', async () => {
    const broker = await inProcess({ listen: false, shards: 1 });
    const topic = broker.topic<number>('t');
    const stream = topic.subscribe();
    await topic.publish(1);
    for await (const _ of stream) break;
    expect(stream.ended).toBe(true);
    expect(await topic.publish(2)).toBe(false);
    expect(await stream.next()).toEqual({ value: undefined, done: true });
  });

  test('with its scope', async () => {
    const broker = await inProcess({ listen: false, shards: 1 });
    const topic = broker.topic<number>('t');
    const values: number[] = [];
    {
      using _subscription = topic.subscribe((message) => values.push(message.value));
      await topic.publish(1);
    }
    expect(await topic.publish(2)).toBe(false);
    await expect.poll(() => values).toEqual([1]);
  });

  test('when the broker stops, also while somebody waits', async () => {
    const broker = await inProcess({ listen: false, shards: 1 });
    const next = broker.topic<number>('t').subscribe().next();
    await broker.stop();
    expect((await next).done).toBe(true);
  });

  test('at once with a signal that was aborted before', async () => {
    const broker = await inProcess({ listen: false, shards: 1 });
    const stream = broker.topic('t').subscribe({ signal: AbortSignal.abort() });
    expect((await stream.next()).done).toBe(true);
    expect(await broker.topic('t').publish(1)).toBe(false);
  });
});

test('a handler gets one message at a time, and its errors do not end it', async () => {
  const broker = await inProcess({ listen: false, shards: 2 });
  const topic = broker.topic<number>('t');
  const log: string[] = [];
  topic.subscribe(
    async ({ value }) => {
      log.push(`begin ${value}`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`end ${value}`);
      if (value === 1) throw new Error('one');
    },
    { onError: (error) => log.push((error as Error).message) },
  );
  for (let i = 0; i < 3; i++) await topic.publish(i);
  await expect.poll(() => log).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1', 'one', 'begin 2', 'end 2']);
});
