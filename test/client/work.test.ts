import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { codecs, type Message } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { type OwnEnd, useOwnEnd } from './broker.js';

// Invariant 23 of docs/INVARIANTS.md.

const threadUrl = new URL('../../dist/test/client/workThread.js', import.meta.url);
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);

/** A member on a thread of its own, that acknowledges what it is told to. */
async function memberElsewhere(own: OwnEnd, prefetch: number, acknowledges: boolean, deadLetter?: string) {
  const port = own.whole.port();
  const worker = new Worker(threadUrl, {
    workerData: { port, topic: own.named('jobs'), prefetch, acknowledges, deadLetter },
    transferList: [port],
  });
  const had: number[] = [];
  const [ready] = await once(worker, 'message');
  expect(ready).toBe('ready');
  worker.on('message', (value: number) => had.push(value));
  return { had, close: () => worker.postMessage('close'), gone: once(worker, 'exit'), kill: () => worker.terminate() };
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  const own = useOwnEnd({ shards });

  test('a member has its prefetch and no more; the rest goes to one that comes later', async () => {
    const { broker, named } = own;
    const jobs = broker.topic<number>(named('jobs'));
    const held: Message<number>[] = [];
    const idle = jobs.subscribe((message) => void held.push(message), { group: 'g', prefetch: 2 });
    for (const i of numbers(0, 100)) await jobs.publish(i);
    await expect.poll(() => held.length).toBe(2);
    const done: number[] = [];
    jobs.subscribe(
      (message) => {
        done.push(message.value);
        message.ack();
      },
      { group: 'g', prefetch: 10 },
    );
    await expect.poll(() => done.length).toBe(98);
    expect([held.length, idle.buffered]).toEqual([2, 0]);
    expect(sorted([...done, ...held.map(({ value }) => value)])).toEqual(numbers(0, 100));
    idle.unsubscribe();
    await expect.poll(() => done.length).toBe(100);
    // whoever acknowledges what is not his any more changes nothing
    for (const message of held) message.ack();
  });

  test('members on other threads share it, and one that leaves gives back what it has', async () => {
    const { broker, named } = own;
    const jobs = broker.topic<number>(named('jobs'));
    const idle = await memberElsewhere(own, 3, false);
    for (const i of numbers(0, 60)) await jobs.publish(i);
    await expect.poll(() => idle.had.length).toBe(3);
    const busy = await memberElsewhere(own, 5, true);
    await expect.poll(() => busy.had.length).toBe(57);
    idle.close();
    await idle.gone;
    await expect.poll(() => busy.had.length).toBe(60);
    expect(sorted(busy.had)).toEqual(numbers(0, 60));
    busy.close();
    await busy.gone;
  });

  test('a thread that dies while its dead letters wait takes nothing of others with it', async () => {
    const { broker, named } = own;
    const full = broker.topic<number>(named('dead')).subscribe({ bufferCount: 1 });
    for (const i of [-2, -1]) void broker.topic<number>(named('dead')).publish(i);
    await expect.poll(() => full.buffered).toBeGreaterThan(0);
    const doomed = await memberElsewhere(own, 3, false, named('dead'));
    const jobs = broker.topic<number>(named('jobs'));
    for (const i of numbers(0, 3)) await jobs.publish(i);
    const other = broker.topic<number>(named('other'));
    other.subscribe((message) => message.terminate(), { group: 'h', prefetch: 3, deadLetter: named('dead') });
    for (const i of numbers(100, 103)) await other.publish(i);
    await expect.poll(() => doomed.had.length).toBe(3);
    await doomed.kill();
    const letters: number[] = [];
    const read = (async () => {
      for await (const { value } of full) {
        letters.push(value);
        if (numbers(100, 103).every((each) => letters.includes(each)) && letters.includes(-1)) break;
      }
    })();
    await read;
    expect(sorted(letters.filter((value) => value < 0 || value >= 100))).toEqual([-2, -1, 100, 101, 102]);
    const done: number[] = [];
    jobs.subscribe(
      (message) => {
        done.push(message.value);
        message.ack();
      },
      { group: 'g', prefetch: 1 },
    );
    await jobs.publish(3);
    await expect.poll(() => done.filter((value) => value === 3)).toEqual([3]);
  });

  test('what a handler fails with comes again after a pause, is told and counted', async () => {
    const { broker, named } = own;
    const jobs = broker.topic<number>(named('jobs'));
    const errors: unknown[] = [];
    const came: string[] = [];
    const subscription = jobs.subscribe(
      async (message) => {
        came.push(`${message.value}${message.redelivered ? ' again' : ''}`);
        if (message.value === 0 && !message.redelivered) throw new Error('at once');
        await null;
        if (message.value === 1 && !message.redelivered) throw new Error('later');
        message.ack();
      },
      { group: 'g', prefetch: 4, onError: (error) => void errors.push((error as Error).message) },
    );
    for (const i of numbers(0, 4)) await jobs.publish(i);
    await expect.poll(() => came.length).toBe(6);
    expect([came.slice(0, 4), came.slice(4).sort()]).toEqual([
      ['0', '1', '2', '3'],
      ['0 again', '1 again'],
    ]);
    expect([subscription.failed, errors.sort()]).toEqual([2, ['at once', 'later']]);
  });

  test('what a handler is busy with when its member ends stays its own until it has finished', async () => {
    const { broker, named } = own;
    const jobs = broker.topic<number>(named('jobs'));
    const ends: (() => void)[] = [];
    const running: Message<number>[] = [];
    const member = () =>
      jobs.subscribe(
        (message) => {
          running.push(message);
          return new Promise<void>((resolve) => ends.push(resolve));
        },
        { group: 'g', prefetch: 5 },
      );
    const first = member();
    for (const i of numbers(0, 3)) await jobs.publish(i);
    await expect.poll(() => running.length).toBe(1);
    first.unsubscribe();
    const had = running.pop()!;
    member();
    await expect.poll(() => running.length).toBe(1);
    expect([running[0]!.redelivered, running[0]!.value === had.value]).toEqual([false, false]);
    ends[0]!();
    for (let i = 1; running.length < 3; i++) {
      await expect.poll(() => ends.length).toBeGreaterThan(i);
      running[i - 1]!.ack();
      ends[i]!();
    }
    expect(sorted(running.map(({ value }) => value))).toEqual([0, 1, 2]);
    expect(running.find(({ value }) => value === had.value)!.redelivered).toBe(true);
    for (const end of ends) end();
  });

  test('jobs that make jobs go on, though far more waits than publishers wait for', async () => {
    const { broker, named } = own;
    const jobs = broker.topic(named('jobs'), { codec: codecs.utf8 });
    const text = '.'.repeat(100_000);
    const total = 300;
    let [made, done] = [1, 0];
    jobs.subscribe(
      async (message) => {
        for (let i = 0; i < 2 && made < total; i++) {
          made++;
          await jobs.publish(text);
        }
        done++;
        message.ack();
      },
      { group: 'g', prefetch: 1 },
    );
    await jobs.publish(text);
    await expect.poll(() => done).toBe(total);
  });

  test('work outlives its last member for a while', async () => {
    const { broker, named } = own;
    const jobs = broker.topic<number>(named('jobs'));
    const first = jobs.subscribe(() => {}, { group: 'g', prefetch: 2 });
    for (const i of numbers(0, 5)) await jobs.publish(i);
    first.unsubscribe();
    const done: number[] = [];
    jobs.subscribe(
      (message) => {
        done.push(message.value);
        message.ack();
      },
      { group: 'g', prefetch: 1 },
    );
    await expect.poll(() => done.length).toBe(5);
    expect(sorted(done)).toEqual(numbers(0, 5));
  });

  test('given up it comes again, terminated it does not, and only the first word counts', async () => {
    const { broker, named } = own;
    const jobs = broker.topic<string>(named('jobs'));
    const came: string[] = [];
    const letters: unknown[] = [];
    broker
      .topic<string>(named('dead'))
      .subscribe(({ value, headers }) => void letters.push([value, headers['Shardcast-Dead-Detail']]));
    jobs.subscribe(
      (message) => {
        came.push(`${message.value} ${message.deliveries}`);
        if (message.value === 'terminated') message.terminate({ reason: 'no\nuse' });
        else if (message.deliveries === 3) message.terminate();
        else message.nack();
        // it is out of its hands
        message.ack();
      },
      { group: 'g', prefetch: 1, deadLetter: named('dead') },
    );
    for (const what of ['now', 'terminated']) await jobs.publish(what);
    await expect.poll(() => [...came].sort()).toEqual(['now 1', 'now 2', 'now 3', 'terminated 1']);
    await expect
      .poll(() => letters.sort())
      .toEqual([
        ['now', undefined],
        ['terminated', 'no use'],
      ]);
  });

  test('held back it stays in the hand, and the member may think better of it', async () => {
    const { broker, named } = own;
    const jobs = broker.topic<number>(named('jobs'));
    const had: Message<number>[] = [];
    jobs.subscribe((message) => void had.push(message), { group: 'g', prefetch: 1 });
    for (const i of numbers(0, 2)) await jobs.publish(i);
    await expect.poll(() => had.length).toBe(1);
    const sinceMs = performance.now();
    had[0]!.nack({ delayMs: 120 });
    await expect.poll(() => had.length).toBe(2);
    // the timers of Node may be a millisecond early
    expect(performance.now() - sinceMs).toBeGreaterThan(118);
    had[0]!.ack();
    had[1]!.nack({ delayMs: 86_400_000 });
    had[1]!.ack();
    await expect.poll(() => had.length).toBe(3);
    // which of them comes first is not promised
    expect(
      had
        .slice(1)
        .map(({ value, deliveries }) => `${value} ${deliveries}`)
        .sort(),
    ).toEqual(['0 2', '1 1']);
  });

  test('who gives no sign for too long loses what it has; one that is still working does not', async () => {
    const { broker, named } = own;
    const jobs = broker.topic<number>(named('jobs'));
    const [silent, kept]: [Message<number>[], Message<number>[]] = [[], []];
    jobs.subscribe((message) => void silent.push(message), { group: 'g', prefetch: 1, ackWaitMs: 150 });
    await jobs.publish(0);
    // it comes to the silent one again and again
    await expect.poll(() => silent.at(-1)?.deliveries).toBe(3);
    silent.at(-1)!.ack();
    silent.length = 0;
    const other = broker.topic<number>(named('others'));
    const member = () =>
      other.subscribe((message) => void kept.push(message), { group: 'g', prefetch: 2, ackWaitMs: 500 });
    member();
    for (const i of numbers(0, 2)) await other.publish(i);
    await expect.poll(() => kept.length).toBe(2);
    // a sign of one message is a sign of the member
    const untilMs = performance.now() + 1200;
    while (performance.now() < untilMs) {
      kept[1]!.working();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(kept.length).toBe(2);
    await expect.poll(() => kept.length, { timeout: 5000 }).toBeGreaterThan(2);
    expect(kept[2]!.deliveries).toBe(2);
  });

  test('wrong delays and waits are refused', async () => {
    const { broker, named } = own;
    const jobs = broker.topic<number>(named('jobs'));
    const had: Message<number>[] = [];
    jobs.subscribe((message) => void had.push(message), { group: 'g', prefetch: 1 });
    await jobs.publish(1);
    await expect.poll(() => had.length).toBe(1);
    for (const delayMs of [-1, 0.5, Number.NaN, 86_400_001, Number.POSITIVE_INFINITY, '1'])
      expect(() => had[0]!.nack({ delayMs: delayMs as number })).toThrow('delayMs must be a whole number');
    for (const ackWaitMs of [0, -1, Number.NaN, 86_400_001])
      expect(() => jobs.subscribe({ group: 'g', prefetch: 1, ackWaitMs })).toThrow('ackWaitMs must be a whole number');
    expect(() => jobs.subscribe({ ackWaitMs: 5 })).toThrow('ackWaitMs is for members with a prefetch');
  });

  test('prefetch is for groups in any order, and excludes a policy', () => {
    const topic = own.broker.topic(own.named('t'));
    expect(() => topic.subscribe({ group: 'g', prefetch: 1, policy: 'drop-old' })).toThrow('exclude each other');
    expect(() => topic.subscribe({ group: { name: 'g', orderedBy: 'key' }, prefetch: 1 })).toThrow('ordered by key');
    topic.subscribe({ group: 'g', prefetch: 1, policy: 'block' });
  });
});
