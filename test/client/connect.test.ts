import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Broker, codecs, connectBroker } from 'shardcast';
import { afterEach, describe, expect, test } from 'vitest';
import { client, collect } from '../harness/officialClient.js';
import { inProcess, portOf } from './broker.js';

const threadUrl = new URL('../../dist/test/client/connectedThread.js', import.meta.url);
const threads = new Set<Worker>();

async function connectThread(broker: Broker, prefix: string): Promise<Worker> {
  const port = broker.port();
  const thread = new Worker(threadUrl, { workerData: { port, prefix }, transferList: [port] });
  threads.add(thread);
  await once(thread, 'message');
  return thread;
}

afterEach(async () => {
  await Promise.all([...threads].map((thread) => thread.terminate()));
  threads.clear();
});

describe.each([1, 2, 4])('%i shards', (shards) => {
  test('threads publish, subscribe and answer with lanes of their own', async () => {
    const broker = await inProcess({ shards });
    const nats = await client(portOf(broker));
    const { texts } = collect(nats, 'out.*');
    await nats.flush();
    const received: string[] = [];
    broker.topic('out.*', { codec: codecs.utf8 }).subscribe(({ value }) => received.push(value));
    await Promise.all(['a', 'b', 'c'].map((prefix) => connectThread(broker, prefix)));
    const input = broker.topic('in.x', { codec: codecs.utf8 });
    const expected: string[] = [];
    for (let i = 0; i < 100; i++) {
      expected.push(`a${i}`, `b${i}`, `c${i}`);
      await input.publish(`${i}`);
    }
    nats.publish('in.y', 'n');
    expected.push('an', 'bn', 'cn');
    await expect.poll(() => [...received].sort()).toEqual(expected.sort());
    await expect.poll(() => [...texts].sort()).toEqual(expected);
    expect((await broker.request('ask.b', 'x', { codec: codecs.utf8 })).value).toBe('bx');
  });

  test('a thread that comes late knows who listens already, one that goes is not waited for', async () => {
    const broker = await inProcess({ shards });
    const received: string[] = [];
    broker.topic('out.*', { codec: codecs.utf8 }).subscribe(({ value }) => received.push(value));
    const input = broker.topic('in.x', { codec: codecs.utf8 });
    for (let round = 0; round < 6; round++) {
      const thread = await connectThread(broker, `${round}:`);
      await input.publish(`${round}`);
      await expect.poll(() => received.at(-1)).toBe(`${round}:${round}`);
      if (round % 2 === 0) await thread.terminate();
      else {
        const [closed, exited] = [once(thread, 'message'), once(thread, 'exit')];
        thread.postMessage('close');
        await closed;
        await exited;
      }
      // nobody is left: as soon as that is known, nobody wants it
      await expect.poll(() => input.publish('')).toBe(false);
    }
  });

  test('who comes while another leaves, and has its place, gets everything, and is told of the stop', async () => {
    const broker = await inProcess({ shards });
    const topic = broker.topic('in.x', { codec: codecs.utf8 });
    let next = await connectBroker(broker.port());
    for (let round = 0; round < 5; round++) {
      const left = next.close();
      next = await connectBroker(broker.port());
      await left;
      // a request and its answer go by the same thread: whoever is forgotten by mistake is so by then
      await broker.census();
      const stream = next.topic('in.x', { codec: codecs.utf8 }).subscribe();
      await stream.ready;
      await topic.publish(`${round}`);
      expect((await stream.next()).value?.value).toBe(`${round}`);
    }
    await broker.stop();
    await next.closed;
  });

  test('a thread that ends in the middle of everything holds nobody up', async () => {
    const broker = await inProcess({ shards, laneBytes: 4096 });
    const input = broker.topic('in.x', { codec: codecs.bytes });
    let received = 0;
    input.subscribe(() => {
      received++;
    });
    const doomed = await connectThread(broker, 'd');
    const payload = new Uint8Array(1000);
    const count = 2_000;
    const publishing = (async () => {
      for (let i = 0; i < count; i++) await input.publish(payload);
    })();
    await doomed.terminate();
    await publishing;
    await expect.poll(() => received).toBe(count);
  });
});

test('no more threads than may, and none after the stop', async () => {
  const broker = await inProcess({ listen: false, shards: 1, clients: 1 });
  const one = await connectBroker(broker.port());
  await expect(connectBroker(broker.port())).rejects.toMatchObject({ code: 'REFUSED' });
  await one.close();
  const two = await connectBroker(broker.port());
  const stream = two.topic('t').subscribe();
  await broker.topic('t').publish(1);
  await broker.stop();
  expect((await stream.next()).value?.value).toBe(1);
  expect((await stream.next()).done).toBe(true);
  await two.closed;
  await expect(connectBroker(broker.port())).rejects.toMatchObject({ code: 'CLOSED' });
});
