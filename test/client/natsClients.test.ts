import { codecs } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { client, collect } from '../harness/officialClient.js';
import { inProcess, portOf } from './broker.js';

// Invariants 5, 6, 7 of docs/INVARIANTS.md, with the process's own thread at one end.

describe.each([1, 2, 4])('%i shards', (shards) => {
  test('what is published in the process is at a NATS client, in order', async () => {
    const broker = await inProcess({ shards });
    const reader = await client(portOf(broker));
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
    const broker = await inProcess({ shards });
    const writer = await client(portOf(broker));
    const stream = broker.topic('a.*', { codec: codecs.utf8 }).subscribe();
    for (let i = 0; i < 500; i++) writer.publish('a.b', `${i}`);
    const received: string[] = [];
    for await (const message of stream) {
      received.push(message.value);
      if (received.length === 500) break;
    }
    expect(received).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`));
  });

  test('a subscription is in place for whatever follows from it', async () => {
    const broker = await inProcess({ shards });
    const writer = await client(portOf(broker));
    for (let i = 0; i < 200; i++) {
      const texts: string[] = [];
      const topic = broker.topic(`s.${i}`, { codec: codecs.utf8 });
      using _subscription = topic.subscribe((message) => texts.push(message.value));
      writer.publish(`s.${i}`, 'x');
      await writer.flush();
      await topic.publish('y');
      await expect.poll(() => texts).toEqual(['x', 'y']);
    }
  });

  test('a NATS subscription is found by what follows from it', async () => {
    const broker = await inProcess({ shards });
    const reader = await client(portOf(broker));
    for (let i = 0; i < 200; i++) {
      const { texts, sub } = collect(reader, `s.${i}`);
      await reader.flush();
      await broker.topic(`s.${i}`, { codec: codecs.utf8 }).publish('x');
      await reader.flush();
      expect(texts).toEqual(['x']);
      sub.unsubscribe();
    }
  });

  test('headers and replies pass both ways', async () => {
    const broker = await inProcess({ shards });
    const nats = await client(portOf(broker));
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
