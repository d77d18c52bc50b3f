import { beforeEach, describe, expect, test } from 'vitest';
import { JsonClient } from '../harness/jsonClient.js';
import { useBroker } from '../harness/server.js';

// Invariant 23 of docs/INVARIANTS.md.

interface Work {
  topic: string;
  payload: string;
  delivery: number;
  deliveries?: number;
  headers?: Record<string, string | string[]>;
}

const json = { command: 'FORMAT', format: 'json' };
const read = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Work);
const say = (command: string, { delivery }: Work) => ({ command, delivery });

describe.each([
  [1, 'topic'],
  [2, 'topic'],
  [4, 'topic'],
  [4, 'publisher'],
])('dead letters, %i shards, order by %s', (shards, order) => {
  const server = useBroker({ shards, args: ['--jsonl-port', '0', '--order', order] });
  const connect = () => JsonClient.overTcp(server.broker.doorPort('jsonl'));
  let group = '';
  let groups = 0;
  beforeEach(() => {
    group = `dead${groups++}`;
  });

  async function publish(topic: string, more = {}): Promise<void> {
    const publisher = await connect();
    await publisher.exchange({ command: 'PUB', topic, payload: 'x', ...more });
    publisher.close();
  }

  async function taker(command: Record<string, unknown>): Promise<JsonClient> {
    const one = await connect();
    one.lines.unshift(...(await one.exchange(json, { command: 'SUB', ...command })));
    return one;
  }

  const member = (more = {}) => taker({ topic: group, group, prefetch: 1, deadLetter: `${group}.dead`, ...more });

  const notes = (reason: string, deliveries: number) => ({
    'Shardcast-Dead-Reason': reason,
    'Shardcast-Dead-Subject': group,
    'Shardcast-Dead-Group': group,
    'Shardcast-Dead-Deliveries': `${deliveries}`,
  });

  test('what is terminated, and what came as often as it may, says so where it goes, with its own headers', async () => {
    const dead = await taker({ topic: `${group}.dead` });
    const one = await member({ maxDeliver: 3 });
    await publish(group, { headers: { A: 'b', 'Shardcast-Dead-Reason': 'forged' } });
    for (let times = 1; times <= 3; times++) {
      const [work] = read(await one.take(1));
      expect(work!.deliveries ?? 1).toBe(times);
      one.send(say('NACK', work!));
    }
    const [letter] = read(await dead.take(1));
    expect([letter!.topic, letter!.payload]).toEqual([`${group}.dead`, 'x']);
    expect(letter!.headers).toEqual({
      A: 'b',
      ...notes('max-deliver', 3),
      'Shardcast-Dead-Reason': ['max-deliver', 'forged'],
    });
    await publish(group);
    const [work] = read(await one.take(1));
    const term = { command: 'TERM', delivery: work!.delivery, reason: ` bad\r\nA: é\u0000${'x'.repeat(300)}` };
    expect(await one.exchange(term, say('ACK', work!))).toEqual([
      `{"error":"no delivery ${work!.delivery} waits to be acknowledged"}`,
    ]);
    const detail = `bad A: é ${'x'.repeat(246)}`;
    expect(read(await dead.take(1))[0]!.headers).toEqual({
      ...notes('terminated', 1),
      'Shardcast-Dead-Detail': detail,
    });
  });

  test('what ends whoever has it comes to nobody a third time', async () => {
    const dead = await taker({ topic: `${group}.dead` });
    for (let times = 1; times <= 3; times++) {
      const one = await member({ maxDeliver: 2 });
      if (times === 1) await publish(group);
      if (times < 3) await one.take(1);
      else expect(read(await dead.take(1))[0]!.headers).toEqual(notes('max-deliver', 2));
      one.close();
    }
  });

  test('a dead letter does not become one again, wherever it goes', async () => {
    const one = await member({ deadLetter: group, maxDeliver: 2 });
    await publish(group);
    const [work] = read(await one.take(1));
    one.send(say('TERM', work!));
    for (let times = 1; times <= 2; times++) {
      const [letter] = read(await one.take(1));
      expect(letter!.headers).toEqual(notes('terminated', 1));
      expect(letter!.deliveries ?? 1).toBe(times);
      one.send(say('NACK', letter!));
    }
    await publish(group, { payload: 'next' });
    expect(read(await one.take(1))[0]!.payload).toBe('next');
  });

  test('two groups whose letters go to each other have each of them once', async () => {
    const other = `${group}.dead`;
    const one = await member({ maxDeliver: 1 });
    const two = await taker({ topic: other, group: 'others', prefetch: 1, maxDeliver: 1, deadLetter: group });
    const had: string[] = [];
    for (const [payload, command] of [
      ['0', 'TERM'],
      ['1', 'NACK'],
      ['2', 'TERM'],
    ] as const) {
      await publish(group, { payload });
      const [work] = read(await one.take(1));
      one.send(say(command, work!));
      const [letter] = read(await two.take(1));
      two.send(say(command, letter!));
      had.push(work!.payload, letter!.payload);
    }
    // what came round would stand before these
    await publish(group, { payload: 'end' });
    await publish(other, { payload: 'end' });
    for (const each of [one, two]) had.push(read(await each.take(1))[0]!.payload);
    expect(had).toEqual(['0', '0', '1', '1', '2', '2', 'end', 'end']);
  });

  test('without a subject, and without anybody who takes it, it is gone', async () => {
    const one = await member({ deadLetter: undefined, maxDeliver: 1 });
    await publish(group);
    one.send(say('NACK', read(await one.take(1))[0]!));
    await publish(group, { payload: 'next' });
    const [next] = read(await one.take(1));
    expect([next!.payload, next!.deliveries]).toEqual(['next', undefined]);
    await one.exchange({ command: 'SUB', topic: group, group, prefetch: 1, deadLetter: `${group}.nobody` });
    one.send(say('TERM', next!));
    await publish(group, { payload: 'last' });
    expect(read(await one.take(1))[0]!.payload).toBe('last');
  });

  test('until there is room for it, it stays in flight', async () => {
    const full = await taker({ topic: `${group}.dead`, group: 'full', prefetch: 1 });
    const one = await member();
    for (let sent = 0; sent < 3; sent++) {
      await publish(group, { payload: `${sent}` });
      one.send(say('TERM', read(await one.take(1))[0]!));
    }
    const came: string[] = [];
    for (let taken = 0; taken < 3; taken++) {
      const [letter] = read(await full.take(1));
      came.push(letter!.payload);
      full.send(say('ACK', letter!));
    }
    expect(came.sort()).toEqual(['0', '1', '2']);
  });
});

describe('dead letters that are not allowed', () => {
  const server = useBroker({ args: ['--jsonl-port', '0'] });
  const subscribe = { command: 'SUB', topic: 'a', group: 'g', prefetch: 1 };

  test.each<[Record<string, unknown>, string]>([
    [{ deadLetter: '$SHARDCAST.SUB' }, 'deadLetter must not be a subject of the broker itself'],
    [{ deadLetter: '$JS.API.STREAM.DELETE.ORDERS' }, 'deadLetter must not be a subject of the broker itself'],
    [{ deadLetter: '$JS.ACK.a.b' }, 'deadLetter must not be a subject of the broker itself'],
    [{ deadLetter: '$SYS.REQ.USER.INFO' }, 'deadLetter must not be a subject of the broker itself'],
    [{ deadLetter: 'a.*' }, 'deadLetter must not have the wildcards'],
    [{ deadLetter: '' }, 'deadLetter must be a string that is not empty'],
    [{ deadLetter: 'a..b' }, 'deadLetter must be tokens with a dot between them'],
    [{ deadLetter: 7 }, 'deadLetter must be a string that is not empty'],
    [{ deadLetter: 'x', prefetch: undefined }, 'deadLetter is for members that acknowledge: give a prefetch'],
    [{ maxDeliver: 0 }, 'maxDeliver must be a whole number from 1 to 32767'],
    [{ maxDeliver: 32_768 }, 'maxDeliver must be a whole number from 1 to 32767'],
    [{ maxDeliver: 1e300 }, 'maxDeliver must be a whole number from 1 to 32767'],
    [{ maxDeliver: null }, 'maxDeliver must be a whole number from 1 to 32767'],
  ])('%j', async (more, text) => {
    const one = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const lines = await one.exchange(json, { ...subscribe, ...more });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`{"error":"${text}`);
  });
});
