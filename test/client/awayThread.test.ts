import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Broker, SubscribeOptions } from 'shardcast';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { client, collect } from '../harness/officialClient.js';
import { useResident } from '../harness/residents.js';

// Invariant 24 of docs/INVARIANTS.md.

const threadUrl = new URL('../../dist/test/client/awayThread.js', import.meta.url);
/** More than all lanes on the way can take. */
const count = 15_000;
const payload = '.'.repeat(200);

interface Progress {
  received: number;
  dropped: number;
}

interface Report {
  received: string[];
  dropped: number;
}

/** A thread of the user's that can be kept from its event loop. */
class Thread {
  readonly #worker: Worker;
  readonly #gate = new Int32Array(new SharedArrayBuffer(4));

  constructor(broker: Broker, subject: string, options: SubscribeOptions) {
    const port = broker.port();
    const workerData = { port, gate: this.#gate, subject, options };
    this.#worker = new Worker(threadUrl, { workerData, transferList: [port] });
    threads.add(this);
  }

  static async start(broker: Broker, subject: string, options: SubscribeOptions): Promise<Thread> {
    const thread = new Thread(broker, subject, options);
    await once(thread.#worker, 'message');
    return thread;
  }

  async sleep(): Promise<void> {
    this.#worker.postMessage('sleep');
    await once(this.#worker, 'message');
  }

  wake(): void {
    Atomics.store(this.#gate, 0, 1);
    Atomics.notify(this.#gate, 0);
  }

  async #ask(order: 'progress' | 'report'): Promise<unknown> {
    this.#worker.postMessage(order);
    const [answer] = await once(this.#worker, 'message');
    return answer;
  }

  /** What it has got once that is so much as is waited for. */
  async reportOnce(isWhole: (progress: Progress) => boolean): Promise<Report> {
    await expect.poll(async () => isWhole((await this.#ask('progress')) as Progress)).toBe(true);
    return (await this.#ask('report')) as Report;
  }

  async kill(): Promise<void> {
    threads.delete(this);
    await this.#worker.terminate();
  }

  async end(): Promise<void> {
    this.wake();
    const ended = once(this.#worker, 'exit');
    this.#worker.postMessage('close');
    await ended;
  }
}

const threads = new Set<Thread>();

afterEach(async () => {
  await Promise.all([...threads].map((thread) => thread.end()));
  threads.clear();
});

const numbersOf = ({ received }: Report, subject: string): number[] =>
  received.filter((each) => each.startsWith(`${subject} `)).map((each) => Number(each.split(' ')[1]));

describe.each([1, 4])('a thread that does not get round to its event loop, %i shards', (shards) => {
  const server = useResident({ shards });
  /** Begins all topics of one test. */
  let own = '';
  let tests = 0;
  beforeEach(() => {
    own = `own${tests++}`;
  });

  test.each(['drop-old', 'drop-new', 'conflate', 'disconnect'] as const)(
    '%s: everybody else gets everything; it gets the latest, and hears how much it lost',
    async (policy) => {
      const { broker, port } = server;
      const thread = await Thread.start(broker, `${own}.a.*`, { policy, bufferCount: 1_000_000, maxDrops: 1_000_000 });
      const [publisher, subscriber] = [await client(port), await client(port)];
      const { texts } = collect(subscriber, `${own}.a.>`);
      await subscriber.flush();
      await thread.sleep();
      for (let i = 0; i < count; i++) publisher.publish(`${own}.a.${i % 2}`, `${i} ${payload}`);
      // answered when all of it is in order, though the thread sleeps
      await publisher.flush();
      await subscriber.flush();
      expect(texts.length).toBe(count);
      thread.wake();
      const report = await thread.reportOnce((each) => each.received + each.dropped === count);
      expect(report.dropped).toBeGreaterThan(0);
      for (const last of [count - 2, count - 1]) {
        const numbers = numbersOf(report, `${own}.a.${last % 2}`);
        expect(numbers.at(-1)).toBe(last);
        expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers);
      }
    },
  );

  test('block: only publishers of its topics wait, and it gets everything', async () => {
    const { broker, port } = server;
    const thread = await Thread.start(broker, `${own}.a.0`, { policy: 'block' });
    const [publisher, other, subscriber] = [await client(port), await client(port), await client(port)];
    const held = collect(subscriber, `${own}.a.0`);
    const free = collect(subscriber, `${own}.b.*`);
    await subscriber.flush();
    await thread.sleep();
    for (let i = 0; i < count; i++) publisher.publish(`${own}.a.0`, `${i} ${payload}`);
    const flushed = publisher.flush();
    for (let i = 0; i < count; i++) other.publish(`${own}.b.${i % 7}`, `${i} ${payload}`);
    await other.flush();
    await subscriber.flush();
    expect(free.texts.length).toBe(count);
    expect(held.texts.length).toBeLessThan(count);
    thread.wake();
    await flushed;
    await subscriber.flush();
    expect(held.texts.length).toBe(count);
    const report = await thread.reportOnce((each) => each.received === count);
    expect(numbersOf(report, `${own}.a.0`)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(report.dropped).toBe(0);
  });

  test('a group goes on with its other members, and each message still goes to one', async () => {
    const { broker, port } = server;
    const thread = await Thread.start(broker, `${own}.jobs`, { group: 'g' });
    const [publisher, member] = [await client(port), await client(port)];
    const { texts } = collect(member, `${own}.jobs`, 'g');
    await member.flush();
    await thread.sleep();
    for (let i = 0; i < count; i++) publisher.publish(`${own}.jobs`, `${i} ${payload}`);
    await publisher.flush();
    await member.flush();
    // most of them: what was in the thread's lanes before they were full is its own
    expect(texts.length).toBeGreaterThan(count / 2);
    thread.wake();
    const report = await thread.reportOnce((each) => each.received + texts.length === count);
    const numbers = [...numbersOf(report, `${own}.jobs`), ...texts.map((text) => Number.parseInt(text, 10))];
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  test('it may end in its sleep: nobody waits for it any more', async () => {
    const { broker, port } = server;
    const thread = await Thread.start(broker, `${own}.a.0`, { policy: 'block' });
    const [publisher, subscriber] = [await client(port), await client(port)];
    const { texts } = collect(subscriber, `${own}.a.0`);
    await subscriber.flush();
    await thread.sleep();
    for (let i = 0; i < count; i++) publisher.publish(`${own}.a.0`, `${i} ${payload}`);
    const flushed = publisher.flush();
    await thread.kill();
    await flushed;
    await subscriber.flush();
    expect(texts.length).toBe(count);
  });
});
