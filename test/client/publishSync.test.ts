import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { codecs, SyncAbortedError } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { client, collect } from '../harness/officialClient.js';
import { inProcess, portOf } from './broker.js';

// Invariant 21 of docs/INVARIANTS.md.

const threadUrl = new URL('../../dist/test/client/connectedThread.js', import.meta.url);

describe.each([1, 2, 4])('%i shards', (shards) => {
  test('it resolves when all handlers have finished, and not before', async () => {
    const broker = await inProcess({ shards });
    const topic = broker.topic<number>('t');
    const finished: string[] = [];
    for (const name of ['a', 'b'])
      topic.subscribe(async ({ value }) => {
        await new Promise((resolve) => setImmediate(resolve));
        finished.push(`${name}${value}`);
      });
    topic.subscribe(({ value }) => finished.push(`g${value}`), { group: 'g' });
    const nats = await client(portOf(broker));
    const { texts } = collect(nats, 't');
    collect(nats, 't', 'g');
    await nats.flush();
    for (let i = 0; i < 50; i++) {
      finished.length = 0;
      await topic.publishSync(i);
      expect(finished).toContain(`a${i}`);
      expect(finished).toContain(`b${i}`);
    }
    // what a gateway has taken is before whatever its clients ask next
    await nats.flush();
    expect(texts).toHaveLength(50);
  });

  test('nobody listens: it resolves; a wait can be given up and names who is missing', async () => {
    const broker = await inProcess({ listen: false, shards });
    const topic = broker.topic<number>('t');
    await topic.publishSync(0);
    const stream = topic.subscribe();
    const abort = new AbortController();
    const waiting = topic.publishSync(1, { signal: abort.signal });
    await stream.next();
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toMatchObject({ code: 'SYNC_ABORTED', missing: ["this thread's subscribers"] });
    await expect(topic.publishSync(2, { signal: AbortSignal.abort() })).rejects.toThrow();
    // an iterator is done with a message when it asks for more, or leaves
    const second = topic.publishSync(3);
    await stream.next();
    await stream.return();
    await second;
  });

  test('other threads are waited for, unless they have gone', async () => {
    const broker = await inProcess({ listen: false, shards });
    const port = broker.port();
    const thread = new Worker(threadUrl, { workerData: { port, prefix: 'p' }, transferList: [port] });
    await once(thread, 'message');
    const input = broker.topic('in.x', { codec: codecs.utf8 });
    const received: string[] = [];
    broker.topic('out.p', { codec: codecs.utf8 }).subscribe(({ value }) => received.push(value));
    for (let i = 0; i < 20; i++) {
      await input.publishSync(`${i}`);
      // the thread's handler waited until what it published was in order: what we publish now comes after it
      await broker.topic('out.p', { codec: codecs.utf8 }).publishSync('after');
      expect(received.splice(0)).toEqual([`p${i}`, 'after']);
    }
    const never = broker.topic<number>('never');
    const abort = new AbortController();
    const given = never.publishSync(1, { signal: abort.signal });
    await once(thread, 'message');
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: 'SYNC_ABORTED', missing: ['client thread 1'] });
    // not even while it goes
    const waiting = [never.publishSync(3)];
    const gone = thread.terminate();
    for (let i = 0; i < 20; i++) {
      waiting.push(never.publishSync(i));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await gone;
    await Promise.all(waiting);
  });
});

describe('whom it waits for', () => {
  const shards = 2;

  test('a message that a subscription loses is not waited for', async () => {
    const broker = await inProcess({ listen: false, shards });
    const topic = broker.topic<number>('t');
    const slow = topic.subscribe({ policy: 'drop-new', bufferCount: 1 });
    const first = topic.publishSync(1);
    await topic.publishSync(2);
    expect(slow.dropped).toBe(1);
    slow[Symbol.dispose]();
    await first;
  });

  test('members of a group with prefetch say themselves when they are done', async () => {
    const broker = await inProcess({ listen: false, shards });
    const topic = broker.topic<number>('t');
    const first = topic.subscribe({ group: 'g', prefetch: 1 });
    const done = topic.publishSync(1);
    const { value } = await first.next();
    const second = topic.subscribe({ group: 'g', prefetch: 1 });
    // given back with what was not acknowledged: the other member has it now
    await first.return();
    const again = await second.next();
    expect(again.value?.value).toBe(1);
    value?.ack();
    again.value?.ack();
    await done;
  });

  test('the broker’s stop ends the wait', async () => {
    const broker = await inProcess({ listen: false, shards, drainTimeoutMs: 50 });
    const topic = broker.topic<number>('t');
    topic.subscribe(() => new Promise(() => {}));
    const waiting = topic.publishSync(1);
    await Promise.all([broker.stop(), expect(waiting).rejects.toMatchObject({ code: 'CLOSED' })]);
    await expect(topic.publishSync(2)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

test('who is missing is the error’s own list', async () => {
  const broker = await inProcess({ listen: false, shards: 1, drainTimeoutMs: 50 });
  const abort = new AbortController();
  broker.topic('t').subscribe(() => {
    setImmediate(() => abort.abort());
    return new Promise(() => {});
  });
  const waiting = broker.topic('t').publishSync(1, { signal: abort.signal });
  const error = await waiting.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SyncAbortedError);
  expect((error as SyncAbortedError).missing).toEqual(["this thread's subscribers"]);
});
