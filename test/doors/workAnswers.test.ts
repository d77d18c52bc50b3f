import { beforeEach, describe, expect, test } from 'vitest';
import { JsonClient } from '../harness/jsonClient.js';
import { useBroker } from '../harness/server.js';

// Invariant 23 of docs/INVARIANTS.md.

interface Work {
  payload: string;
  delivery: number;
  redelivered?: boolean;
  deliveries?: number;
}

const json = { command: 'FORMAT', format: 'json' };
const read = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Work);
const say = (command: string, { delivery }: Work, more = {}) => ({ command, delivery, ...more });
const put = (count: number, topic: string) =>
  Array.from({ length: count }, (_, i) => ({ command: 'PUB', topic, payload: `${i}` }));
const unknown = ({ delivery }: Work) => `{"error":"no delivery ${delivery} waits to be acknowledged"}`;

describe.each([
  [1, 'topic'],
  [2, 'topic'],
  [4, 'topic'],
  [4, 'publisher'],
])('what a member says of its work, %i shards, order by %s', (shards, order) => {
  const server = useBroker({ shards, args: ['--jsonl-port', '0', '--order', order] });
  let group = '';
  let groups = 0;
  beforeEach(() => {
    group = `answers${groups++}`;
  });

  /** By another client: what comes to a member is not what answers its commands. */
  async function publish(count: number): Promise<void> {
    const publisher = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    await publisher.exchange(...put(count, group));
    publisher.close();
  }

  async function member(prefetch: number, more = {}): Promise<JsonClient> {
    const one = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const subscribe = { command: 'SUB', topic: group, group, prefetch, ...more };
    one.lines.unshift(...(await one.exchange(json, subscribe)));
    return one;
  }

  test('what is given up comes again and says how often it came; what is terminated does not', async () => {
    const one = await member(1);
    await publish(1);
    const came: (Work | undefined)[] = [];
    for (let times = 0; times < 3; times++) {
      came.push(...read(await one.take(1)));
      one.send(say('NACK', came.at(-1)!));
    }
    const [last] = read(await one.take(1));
    came.push(last);
    expect(came.map((each) => [each!.payload, each!.redelivered, each!.deliveries])).toEqual([
      ['0', undefined, undefined],
      ['0', true, 2],
      ['0', true, 3],
      ['0', true, 4],
    ]);
    one.send(say('TERM', last!));
    await publish(1);
    const [next] = read(await one.take(1));
    expect([next!.payload, next!.deliveries]).toEqual(['0', undefined]);
    expect(await one.exchange(say('TERM', last!), say('WORKING', last!), say('NACK', last!))).toEqual(
      Array(3).fill(unknown(last!)),
    );
    expect(await one.exchange(say('ACK', next!, { id: 1 }))).toEqual(['{"ok":true,"id":1}']);
  });

  test('what is held back stays in flight until its time is over, and comes to whoever has room then', async () => {
    const one = await member(1);
    await publish(2);
    const [first] = read(await one.take(1));
    const sentMs = performance.now();
    // the other one waits for room all the while
    expect(await one.exchange(say('NACK', first!, { delayMs: 300 }))).toEqual([]);
    const [next] = read(await one.take(1));
    expect(performance.now() - sentMs).toBeGreaterThanOrEqual(300);
    one.send(say('ACK', next!));
    const both = [next!, ...read(await one.take(1))];
    // which of them comes first is not promised
    expect(both.map(({ payload, deliveries }) => `${payload} ${deliveries}`).sort()).toEqual(['0 2', '1 undefined']);
    expect(await one.exchange(say('ACK', first!))).toEqual([unknown(first!)]);
  });

  test('who has had a message held back may think better of it', async () => {
    const one = await member(1);
    await publish(3);
    const later = { delayMs: 86_400_000 };
    for (const [command, payload] of [
      ['ACK', '0'],
      ['TERM', '1'],
    ] as const) {
      const [work] = read(await one.take(1));
      expect(work!.payload).toBe(payload);
      await one.exchange(say('NACK', work!, later), say('WORKING', work!), say('NACK', work!, later));
      one.send(say(command, work!));
    }
    const [last] = read(await one.take(1));
    await one.exchange(say('NACK', last!, later));
    one.send(say('NACK', last!));
    const [again] = read(await one.take(1));
    expect([again!.payload, again!.deliveries]).toEqual(['2', 2]);
  });

  test('what a member holds back when it goes is for another at once', async () => {
    const one = await member(2);
    await publish(2);
    const had = read(await one.take(2));
    await one.exchange(say('NACK', had[0]!, { delayMs: 86_400_000 }), say('WORKING', had[1]!));
    const other = await member(2);
    one.close();
    const again = read(await other.take(2));
    expect(again.map(({ deliveries }) => deliveries)).toEqual([2, 2]);
    expect(again.map(({ payload }) => payload).sort()).toEqual(['0', '1']);
  });

  test('who gives no sign for too long loses what it has, who does keeps all of it', async () => {
    const silent = await member(2, { ackWaitMs: 400 });
    await publish(2);
    const had = read(await silent.take(2));
    const again = read(await silent.take(2));
    expect(again.map(({ deliveries }) => deliveries)).toEqual([2, 2]);
    // a sign of one message is a sign of the member
    const untilMs = performance.now() + 1000;
    while (performance.now() < untilMs) {
      expect(await silent.exchange(say('WORKING', again[0]!))).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await silent.exchange(say('ACK', had[0]!), ...again.map((work) => say('ACK', work)))).toEqual([
      unknown(had[0]!),
    ]);
    await publish(1);
    await silent.take(1);
    const other = await member(1);
    const [work] = read(await other.take(1));
    expect(work!.deliveries).toBeGreaterThan(1);
    expect(await other.exchange(say('ACK', work!))).toEqual([]);
  });
});

describe('a member that means no good', () => {
  const server = useBroker({ args: ['--jsonl-port', '0'] });

  test.each<[Record<string, unknown>, string]>([
    [{ command: 'NACK', delivery: 1, delayMs: -1 }, 'delayMs must be a whole number from 0 to 86400000'],
    [{ command: 'NACK', delivery: 1, delayMs: 86_400_001 }, 'delayMs must be a whole number from 0 to 86400000'],
    [{ command: 'NACK', delivery: 1, delayMs: 1e300 }, 'delayMs must be a whole number from 0 to 86400000'],
    [{ command: 'NACK', delivery: 1, delayMs: '1' }, 'delayMs must be a whole number from 0 to 86400000'],
    [{ command: 'NACK', delivery: 1, delayMs: null }, 'delayMs must be a whole number from 0 to 86400000'],
    [{ command: 'NACK', delivery: 0 }, 'delivery must be the number that a delivery came with'],
    [{ command: 'NACK' }, 'delivery must be the number that a delivery came with'],
    [{ command: 'TERM', delivery: -5 }, 'delivery must be the number that a delivery came with'],
    [{ command: 'WORKING', delivery: 1.5 }, 'delivery must be the number that a delivery came with'],
    [{ command: 'WORKING', delivery: 2, delayMs: 1 }, 'WORKING has no field \\"delayMs\\"'],
    [{ command: 'NACK', delivery: 4 }, 'no delivery 4 waits to be acknowledged'],
    [{ command: 'WORKING', delivery: 5 }, 'no delivery 5 waits to be acknowledged'],
    [{ command: 'TERM', delivery: 6 }, 'no delivery 6 waits to be acknowledged'],
    [{ command: 'SUB', topic: 'a', ackWaitMs: 5 }, 'ackWaitMs is for members that acknowledge: give a prefetch'],
    [{ command: 'SUB', topic: 'a', group: 'g', prefetch: 1, ackWaitMs: 0 }, 'ackWaitMs must be a whole number from 1'],
    [
      { command: 'SUB', topic: 'a', group: 'g', prefetch: 1, ackWaitMs: 1e9 },
      'ackWaitMs must be a whole number from 1',
    ],
  ])('%j', async (command, text) => {
    const one = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const lines = await one.exchange(json, command);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`{"error":"${text}`);
  });

  test('who gives up for ever what comes, or puts it off again and again, holds nobody up, and leaves nothing behind', async () => {
    const connect = () => JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const [bad, good] = [await connect(), await connect()];
    const subscribe = { command: 'SUB', topic: 'bad', group: 'g', prefetch: 2 };
    await bad.exchange(json, subscribe);
    await good.exchange(...put(2, 'bad'));
    for (let round = 0; round < 300; round++) {
      const [work] = read(await bad.take(1));
      const off = say('NACK', work!, { delayMs: 86_400_000 });
      bad.send(off, off, say('WORKING', work!), off, say('NACK', work!));
      if (round % 50 === 0) expect(await good.exchange({ command: 'PING', id: 1 })).toHaveLength(1);
    }
    bad.close();
    await good.exchange(json, subscribe);
    const left = read(await good.take(2));
    expect(left.map(({ payload }) => payload).sort()).toEqual(['0', '1']);
    for (const work of left) good.send(say('ACK', work));
    expect(await good.exchange()).toEqual([]);
  });
});
