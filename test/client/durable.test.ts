import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type Broker, codecs, type Message, startBroker } from 'shardcast';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

// Invariant 54 of docs/INVARIANTS.md.

const said = (message: Message<unknown>) => [message.value, message.sequence, message.deliveries];

/** Messages as they come, and who waits for them. */
class Seen {
  readonly all: unknown[][] = [];
  #wake = () => {};

  readonly take = (message: Message<unknown>): void => {
    this.all.push(said(message));
    this.#wake();
  };

  async until(count: number): Promise<unknown[][]> {
    while (this.all.length < count)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.all;
  }
}

describe.each([1, 2, 4])('durable in process, %i shards', (shards) => {
  const data = mkdtempSync(`${tmpdir()}/shardcast-durable-`);
  /** One for all tests, until one of them ends it. */
  let broker: Broker;
  let streams = 0;
  const begin = async (more = {}) => {
    broker = await startBroker({ listen: false, logLevel: 'silent', shards, data, ...more });
  };
  beforeAll(() => begin());
  afterAll(async () => {
    await broker.stop();
    rmSync(data, { recursive: true, force: true });
  });

  /** A topic that a stream of its own takes, with so many messages. */
  async function stored(count = 0) {
    const name = `S${streams++}`;
    await broker.stream(name).create({ subjects: [`${name}.>`] });
    for (let i = 0; i < count; i++) await publish(name, i);
    return { name, pattern: `${name}.>` };
  }

  const api = async <T>(endpoint: string) =>
    JSON.parse((await broker.request(`$JS.API.CONSUMER.${endpoint}`, '', { codec: codecs.utf8 })).value as string) as T;

  const publish = (name: string, value: number) => broker.topic(`${name}.a`).publish(value);

  test('an acknowledgement that is confirmed is kept when that resolves; one that comes too late is told', async () => {
    const { name, pattern } = await stored();
    const confirmed: Promise<void>[] = [];
    const late: Promise<unknown>[] = [];
    const done = new Promise<void>((resolve) => {
      const subscription = broker.topic(pattern).subscribe(
        async (message) => {
          const kept = message.ack({ confirmed: true });
          confirmed.push(kept);
          await kept;
          late.push(message.ack({ confirmed: true }).catch((error: { code: string }) => error.code));
          if (message.value === 2) resolve();
        },
        { durable: 'C' },
      );
      void subscription.ready.then(async () => {
        for (let i = 0; i < 3; i++) await publish(name, i);
      });
    });
    await done;
    await Promise.all(confirmed);
    expect(await Promise.all(late)).toEqual(Array(3).fill('NOT_IN_FLIGHT'));
    const info = await api<{ ack_floor: { stream_seq: number }; num_ack_pending: number }>(`INFO.${name}.C`);
    expect([info.ack_floor.stream_seq, info.num_ack_pending]).toEqual([3, 0]);
  });

  test('a handler that ends acknowledges, one that fails does not, and what was not done comes to the next', async () => {
    const { name, pattern } = await stored();
    const seen = new Seen();
    const errors: unknown[] = [];
    const subscription = broker.topic(pattern).subscribe(
      (message) => {
        seen.take(message);
        if (message.value === 1 && message.deliveries === 1) throw new Error('once');
      },
      { durable: 'D', onError: (error) => void errors.push(error) },
    );
    await subscription.ready;
    for (let i = 0; i < 3; i++) await publish(name, i);
    expect(await seen.until(4)).toEqual([
      [0, 1, 1],
      [1, 2, 1],
      [2, 3, 1],
      [1, 2, 2],
    ]);
    expect(errors.map(String)).toEqual(['Error: once']);
    // it acknowledges while the broker stops
    await broker.stop();
    await begin();
    await publish(name, 3);
    const next = new Seen();
    broker.topic(pattern).subscribe(next.take, { durable: 'D' });
    expect(await next.until(1)).toEqual([[3, 4, 1]]);
  });

  test('what a handler is at work on, and what waits behind it, comes to the next when the broker does not wait any more', async () => {
    await broker.stop();
    await begin({ drainTimeoutMs: 50 });
    const { pattern } = await stored(3);
    const seen = new Seen();
    broker.topic(pattern).subscribe(
      (message) => {
        seen.take(message);
        return new Promise(() => {});
      },
      { durable: 'D', replay: 'all' },
    );
    await seen.until(1);
    await broker.stop();
    await begin();
    const next = new Seen();
    broker.topic(pattern).subscribe(next.take, { durable: 'D', ackWaitMs: 100 });
    expect((await next.until(3)).map(([value]) => value).sort()).toEqual([0, 1, 2]);
  });

  test('what a handler says of a message counts, and not its end', async () => {
    const { pattern } = await stored(3);
    const seen = new Seen();
    broker.topic(pattern).subscribe(
      (message) => {
        seen.take(message);
        if (message.value === 0 && message.deliveries === 1) message.nack();
        if (message.value === 1) message.terminate();
        message.working();
        expect(message.reply).toBeUndefined();
      },
      { durable: 'D', replay: 'all', maxDeliver: 5 },
    );
    expect((await seen.until(4)).sort()).toEqual([
      [0, 1, 1],
      [0, 1, 2],
      [1, 2, 1],
      [2, 3, 1],
    ]);
  });

  test('an iterator that asks for more has done what it was given; one that is left has not', async () => {
    const { pattern } = await stored(4);
    const values: unknown[] = [];
    for await (const message of broker.topic(pattern).subscribe({ durable: 'D', replay: 'all' })) {
      values.push(message.value);
      if (values.length === 3) break;
    }
    expect(values).toEqual([0, 1, 2]);
    const next = new Seen();
    broker.topic(pattern).subscribe(next.take, { durable: 'D' });
    expect((await next.until(2)).sort()).toEqual([
      [2, 3, 2],
      [3, 4, 2],
    ]);
  });

  test('what waits behind a long handler is not somebody else’s meanwhile', async () => {
    const { pattern } = await stored(3);
    const ackWaitMs = 200;
    const seen = new Seen();
    broker.topic(pattern).subscribe(
      async (message) => {
        seen.take(message);
        if (message.value !== 0 || message.deliveries > 1) return;
        // a sign each time
        for (let i = 0; i < 6; i++) {
          await new Promise((resolve) => setTimeout(resolve, ackWaitMs / 2));
          message.working();
        }
      },
      { durable: 'D', replay: 'all', ackWaitMs },
    );
    expect(await seen.until(3)).toEqual([
      [0, 1, 1],
      [1, 2, 1],
      [2, 3, 1],
    ]);
  });

  test('a stream is read from where it is said, once, or on by a name', async () => {
    const { name, pattern } = await stored(3);
    await broker.topic(`${name}.b`).publish(3);
    const topic = broker.topic(pattern);
    const read = async (replay: 'all' | 'last' | 'new' | number | Date, count: number, more = {}) => {
      const values: unknown[] = [];
      for await (const { value } of topic.subscribe({ replay, ...more })) {
        values.push(value);
        if (values.length === count) return values;
      }
      return values;
    };
    expect(await read('all', 4)).toEqual([0, 1, 2, 3]);
    expect(await read('all', 4, { speed: 1e9, prefetch: 1 })).toEqual([0, 1, 2, 3]);
    expect(await read('last', 2)).toEqual([2, 3]);
    expect(await read(3, 2)).toEqual([2, 3]);
    expect(await read(new Date(0), 4, { stream: name })).toEqual([0, 1, 2, 3]);
    const fresh = topic.subscribe({ replay: 'new' });
    await fresh.ready;
    await publish(name, 4);
    expect((await fresh.next()).value?.value).toBe(4);
    fresh.unsubscribe();
  });

  test('members of one name share, and a NATS consumer is what the name is', async () => {
    const { name, pattern } = await stored(2);
    const begin = () => broker.topic(pattern).subscribe({ durable: 'D', replay: 'all', prefetch: 1 });
    const one = begin();
    expect((await one.next()).value?.value).toBe(0);
    // who has as much as it may asks for no more
    for (let i = 0; i < 3; i++)
      expect(await api(`INFO.${name}.D`)).toMatchObject({ num_ack_pending: 1, num_waiting: 0, num_pending: 1 });
    const other = begin();
    expect((await other.next()).value?.value).toBe(1);
    expect((await api<{ num_ack_pending: number }>(`INFO.${name}.D`)).num_ack_pending).toBe(2);
    one.unsubscribe();
    other.unsubscribe();
  });

  test('what cannot be read ends the subscription and says why', async () => {
    const { pattern } = await stored();
    const warnings: string[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning.message);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const nowhere = broker.topic('nowhere').subscribe({ durable: 'D' });
    const text = 'no stream takes nowhere: shardcast stream add makes one';
    await expect(nowhere.ready).rejects.toMatchObject({ code: 'NOT_READABLE', message: text });
    await expect(nowhere.next()).rejects.toMatchObject({ code: 'NOT_READABLE' });
    expect(nowhere.ended).toBe(true);
    const handled = broker.topic('nowhere').subscribe(() => {}, { durable: 'D' });
    await expect(handled.ready).rejects.toThrow(text);
    const topic = broker.topic(pattern);
    await expect(topic.subscribe({ durable: 'D', stream: 'NO' }).ready).rejects.toMatchObject({
      code: 'STREAM_NOT_FOUND',
    });
    for (const wrong of [
      { durable: 'a.b' },
      { durable: 'D', group: 'g' },
      { durable: 'D', policy: 'conflate' as const },
      { replay: 'all' as const, ackWaitMs: 5 },
      { replay: 0 },
      { speed: 2 },
      { stream: 'S' },
      { durable: 'D', prefetch: 1001 },
    ])
      expect(() => topic.subscribe(wrong), JSON.stringify(wrong)).toThrow(
        expect.objectContaining({ code: 'BAD_ARGUMENT' }),
      );
    expect(warnings).toEqual([`a subscription to nowhere without onError: ${text}`]);
  });

  test('one whose consumer is deleted ends; one that reads for itself goes on behind what it has', async () => {
    const { name, pattern } = await stored(1);
    const lasting = broker.topic(pattern).subscribe({ durable: 'D', replay: 'all' });
    const alone = broker.topic(pattern).subscribe({ replay: 'all' });
    expect((await lasting.next()).value?.value).toBe(0);
    expect((await alone.next()).value?.value).toBe(0);
    const { consumers } = await api<{ consumers: string[] }>(`NAMES.${name}`);
    for (const consumer of consumers) await api(`DELETE.${name}.${consumer}`);
    await expect(lasting.next()).rejects.toMatchObject({ code: 'NOT_READABLE' });
    await publish(name, 1);
    expect((await alone.next()).value?.value).toBe(1);
    alone.unsubscribe();
  });
});
