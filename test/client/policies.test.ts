import { once } from 'node:events';
import { codecs, SlowConsumerError } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { client, collect } from '../harness/officialClient.js';
import { inProcess, portOf } from './broker.js';

// Invariant 13 of docs/INVARIANTS.md.

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each([1, 4])('%i shards', (shards) => {
  test('block makes the publishers wait, loses nothing, and others get everything', async () => {
    const broker = await inProcess({ shards });
    const topic = broker.topic<number>('t');
    const slow = topic.subscribe({ bufferCount: 10 });
    const fast: number[] = [];
    topic.subscribe(({ value }) => fast.push(value));
    const count = 5_000;
    let published = 0;
    const publishing = (async () => {
      for (; published < count; published++) await topic.publish(published);
    })();
    await expect.poll(() => slow.buffered).toBeGreaterThanOrEqual(10);
    // whoever publishes next waits: the topic is blocked
    await expect.poll(() => topic.offer(-1)).toBe(false);
    expect(published).toBeLessThan(count);
    const other = broker.topic<number>('other');
    other.subscribe(() => {});
    await other.publish(1);
    const received: number[] = [];
    for await (const { value } of slow) {
      if (value >= 0) received.push(value);
      if (received.length === count) break;
    }
    await publishing;
    expect(received).toEqual(Array.from({ length: count }, (_, i) => i));
    await expect.poll(() => fast.filter((value) => value >= 0).length).toBe(count);
  });

  test('block parks NATS publishers of that topic only', async () => {
    const broker = await inProcess({ shards });
    const [blocked, free] = [await client(portOf(broker)), await client(portOf(broker))];
    const slow = broker.topic('slow', { codec: codecs.utf8 }).subscribe({ bufferCount: 10 });
    const { texts } = collect(free, 'slow');
    await free.flush();
    for (let i = 0; i < 10; i++) blocked.publish('slow', `${i}`);
    await blocked.flush();
    await expect.poll(() => slow.buffered).toBe(10);
    let flushed = false;
    blocked.publish('slow', '10');
    // the one too many blocks the topic, and every thread hears of that before its next input
    await expect.poll(() => slow.buffered).toBe(11);
    for (let i = 11; i < 50; i++) blocked.publish('slow', `${i}`);
    const flush = blocked.flush().then(() => {
      flushed = true;
    });
    for (let i = 0; i < 20; i++) {
      free.publish('other', 'x');
      await free.flush();
    }
    expect(flushed).toBe(false);
    const received: string[] = [];
    for await (const { value } of slow) {
      received.push(value);
      if (received.length === 50) break;
    }
    await flush;
    await free.flush();
    const all = Array.from({ length: 50 }, (_, i) => `${i}`);
    expect(received).toEqual(all);
    expect(texts).toEqual(all);
  });

  test.each(['drop-new', 'drop-old', 'conflate'] as const)(
    '%s keeps its bound and counts what it lost',
    async (policy) => {
      const broker = await inProcess({ listen: false, shards });
      const topic = broker.topic<number>('t.*');
      const told: number[] = [];
      const slow = topic.subscribe({ policy, bufferCount: 4, onDrop: (dropped, total) => told.push(dropped, total) });
      const fast: number[] = [];
      topic.subscribe(({ value }) => fast.push(value));
      for (let i = 0; i < 100; i++) await topic.publish(i, { subject: `t.${i % 2}` });
      await expect.poll(() => fast.length).toBe(100);
      await turn();
      const kept = [];
      slow.unsubscribe();
      for await (const { value } of slow) kept.push(value);
      const expected = { 'drop-new': [0, 1, 2, 3], 'drop-old': [96, 97, 98, 99], conflate: [98, 99] }[policy];
      // two topics may have two owners: what is kept is the same, its order is each topic's
      expect([...kept].sort((a, b) => a - b)).toEqual(expected);
      expect(slow.dropped).toBe(100 - expected.length);
      expect(told.at(-1)).toBe(slow.dropped);
      expect(told.filter((_, i) => i % 2 === 0).reduce((a, b) => a + b)).toBe(slow.dropped);
    },
  );

  test('conflate by key keeps the latest of each key', async () => {
    const broker = await inProcess({ listen: false, shards });
    const topic = broker.topic<number>('t');
    const slow = topic.subscribe({ policy: 'conflate', by: 'key' });
    for (let i = 0; i < 90; i++) await topic.publish(i, { key: `${i % 3}` });
    await expect.poll(() => slow.dropped).toBe(87);
    slow.unsubscribe();
    const kept = [];
    for await (const { key, value } of slow) kept.push([key, value]);
    expect(kept).toEqual([
      ['0', 87],
      ['1', 88],
      ['2', 89],
    ]);
  });

  test('disconnect gives what was buffered, then the error', async () => {
    const broker = await inProcess({ listen: false, shards });
    const topic = broker.topic<number>('t');
    const slow = topic.subscribe({ policy: 'disconnect', bufferCount: 2, maxDrops: 3 });
    for (let i = 0; i < 6; i++) await topic.publish(i);
    await expect.poll(() => slow.ended).toBe(true);
    expect(slow.error).toBeInstanceOf(SlowConsumerError);
    expect((await slow.next()).value?.value).toBe(0);
    expect((await slow.next()).value?.value).toBe(1);
    await expect(slow.next()).rejects.toThrow(SlowConsumerError);
    expect((await slow.next()).done).toBe(true);
  });

  test('a publish that waits for room can be given up', async () => {
    const broker = await inProcess({ listen: false, shards });
    const topic = broker.topic<number>('t');
    const slow = topic.subscribe({ bufferCount: 1 });
    await topic.publish(0);
    await topic.publish(1);
    await expect.poll(() => topic.offer(-1)).toBe(false);
    const abort = new AbortController();
    const given = topic.publish(2, { signal: abort.signal });
    const kept = topic.publish(3);
    abort.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    const received: number[] = [];
    for await (const { value } of slow) {
      if (value >= 0) received.push(value);
      if (value === 3) break;
    }
    await kept;
    expect(received).toEqual([0, 1, 3]);
  });
});

test('an idle broker lets its loop rest', async () => {
  const broker = await inProcess({ listen: false, shards: 2 });
  broker.topic('t').subscribe(() => {});
  await broker.topic('t').publish(1);
  let turns = 0;
  const abort = new AbortController();
  const count = (): void => {
    turns++;
    if (!abort.signal.aborted) setTimeout(count, 1);
  };
  // a loop that spins has its immediates run at once; one that rests lets `performance` see it idle
  const before = performance.eventLoopUtilization();
  count();
  await once(AbortSignal.timeout(300), 'abort');
  abort.abort();
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.7);
  expect(turns).toBeGreaterThan(0);
});
