import { codecs } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { client, collect } from '../harness/officialClient.js';
import { inProcess, useOwnEnd } from './broker.js';

// Invariants 5, 6, 7 of docs/INVARIANTS.md, with the process's own thread at one end.

describe.each([1, 2, 4])('%i shards', (shards) => {
  const own = useOwnEnd({ shards });

  test('what is published in the process is at a NATS client, in order', async () => {
    const { broker, port } = own;
    const reader = await client(port);
    const { texts } = collect(reader, 'a.>');
    await reader.flush();
    const topic = broker.topic('a.*', { codec: codecs.utf8 });
    const expected = Array.from({ length: 500 }, (_, i) => `${i}`);
    const subject = topic.at('a.b');
    await Promise.all(expected.map((text) => subject.publish(text)));
    await reader.flush();
    expect(texts).toEqual(expected);
  });

  test('what a NATS client publishes is in the process, in order', async () => {
    const { broker, port } = own;
    const writer = await client(port);
    const stream = broker.topic('b.*', { codec: codecs.utf8 }).subscribe();
    for (let i = 0; i < 500; i++) writer.publish('b.b', `${i}`);
    const received: string[] = [];
    for await (const message of stream) {
      received.push(message.value);
      if (received.length === 500) break;
    }
    expect(received).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`));
  });

  test('a subscription is in place for whatever follows from it', async () => {
    const { broker, port } = own;
    const writer = await client(port);
    for (let i = 0; i < 200; i++) {
      const topic = broker.topic(`s.${i}`, { codec: codecs.utf8 });
      const texts: string[] = [];
      let onTwo = (): void => {};
      const two = new Promise<void>((resolve) => (onTwo = resolve));
      using _subscription = topic.subscribe(({ value }) => void (texts.push(value) === 2 && onTwo()));
      writer.publish(`s.${i}`, 'x');
      await writer.flush();
      await topic.publish('y');
      await two;
      expect(texts).toEqual(['x', 'y']);
    }
  });

  test('a NATS subscription is found by what follows from it', async () => {
    const { broker, port } = own;
    const reader = await client(port);
    for (let i = 0; i < 200; i++) {
      const { texts, sub } = collect(reader, `n.${i}`);
      await reader.flush();
      await broker.topic(`n.${i}`, { codec: codecs.utf8 }).publish('x');
      await reader.flush();
      expect(texts).toEqual(['x']);
      sub.unsubscribe();
    }
  });

  test('headers and replies pass both ways', async () => {
    const { broker, port } = own;
    const nats = await client(port);
    nats.subscribe('echo', {
      callback: (_, message) => {
        message.respond(`${message.headers?.get('Shardcast-Key')} ${message.headers?.get('a')} ${message.string()}`);
      },
    });
    await nats.flush();
    const answers = broker.topic('answers', { codec: codecs.utf8 }).subscribe();
    await broker
      .topic('echo', { codec: codecs.utf8 })
      .publish('text', { key: 'k', headers: { a: 'ä' }, reply: 'answers' });
    const { value } = await answers.next();
    expect(value?.value).toBe('k ä text');
  });

  test('messages larger than the lanes take whole', async () => {
    const broker = await inProcess({ shards, maxPayloadBytes: 4 * 1024 * 1024, laneBytes: 4096 });
    const topic = broker.topic('large', { codec: codecs.bytes });
    const stream = topic.subscribe();
    const bytes = new Uint8Array(3_000_000).map((_, i) => i * 7);
    for (let i = 0; i < 3; i++) await topic.publish(bytes);
    for (let i = 0; i < 3; i++) {
      const { value } = await stream.next();
      expect(Buffer.from(value!.value).equals(bytes)).toBe(true);
    }
  });
});

test('without a port it is the process’s own', async () => {
  const broker = await inProcess({ listen: false });
  expect(broker.ports.nats).toEqual([]);
  const topic = broker.topic<{ a: number }>('t');
  const stream = topic.subscribe();
  await topic.publish({ a: 1 });
  await broker.stop();
  const received = [];
  for await (const message of stream) received.push(message.value);
  expect(received).toEqual([{ a: 1 }]);
});
