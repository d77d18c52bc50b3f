import { startBroker } from 'shardcast';
import { beforeEach, describe, expect, test } from 'vitest';
import { JsonClient } from '../harness/jsonClient.js';
import { client } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';
import { randomFrom } from '../sim/random.js';

// Invariant 23 of docs/INVARIANTS.md.

interface Work {
  payload: string;
  delivery: number;
  redelivered?: boolean;
}

const json = { command: 'FORMAT', format: 'json' };
const read = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Work);
const ack = ({ delivery }: Work) => ({ command: 'ACK', delivery });
const put = (from: number, to: number, topic = 'jobs') =>
  Array.from({ length: to - from }, (_, i) => ({ command: 'PUB', topic, payload: `${from + i}` }));
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe.each([
  [1, 'topic'],
  [2, 'topic'],
  [4, 'topic'],
  [4, 'publisher'],
])('prefetch, %i shards, order by %s', (shards, order) => {
  /** A group of its own for every test: what the members of the one before had is still being given to others. */
  let group = '';
  let groups = 0;
  beforeEach(() => {
    group = `workers${groups++}`;
  });
  const server = useBroker({ shards, args: ['--jsonl-port', '0', '--order', order, '--block-max', '1m'] });
  const connect = () => JsonClient.overTcp(server.broker.doorPort('jsonl'));
  const subscribe = (prefetch: number, topic = 'jobs') => ({ command: 'SUB', topic, group, prefetch });

  async function member(prefetch: number, topic?: string): Promise<JsonClient> {
    const one = await connect();
    // what waited may have come already
    const lines = await one.exchange(json, subscribe(prefetch, topic));
    one.lines.unshift(...lines);
    return one;
  }

  test('who has as much as it may gets no more, and the others take over', async () => {
    const idle = await member(2);
    const elsewhere = await member(3, 'jobs.*');
    const busy = await member(1, '>');
    const publisher = await connect();
    await publisher.exchange(...put(0, 60));
    const done: number[] = [];
    // all that is not in the idle one's hands
    while (done.length < 58) {
      const [work] = read(await busy.take(1));
      done.push(Number(work!.payload));
      busy.send(ack(work!));
    }
    const kept = read(await idle.exchange());
    expect(kept.map(({ delivery }) => delivery)).toEqual([1, 2]);
    expect(await elsewhere.exchange()).toEqual([]);
    expect([...done, ...kept.map(({ payload }) => Number(payload))].sort((a, b) => a - b)).toEqual(numbers(0, 60));
    // one acknowledged is one more, and the answer comes where an id was given
    await busy.exchange({ command: 'UNSUB', topic: '>', group });
    await publisher.exchange(...put(60, 62));
    expect(await idle.exchange({ ...ack(kept[0]!), id: 1 })).toContain('{"ok":true,"id":1}');
  });

  test.each(['closes', 'unsubscribes'])(
    'what a member has not acknowledged when it %s goes to another',
    async (how) => {
      const leaves = await member(5);
      const publisher = await connect();
      await publisher.exchange(...put(0, 10));
      const had = read(await leaves.take(5));
      const stays = await member(20);
      // the waiting ones come first, and none of them has been with anybody
      const waited = read(await stays.take(5));
      expect(waited.map(({ redelivered }) => redelivered)).toEqual(Array(5).fill(undefined));
      await leaves.exchange(ack(had[0]!));
      if (how === 'closes') leaves.close();
      else expect(await leaves.exchange({ command: 'UNSUB', topic: 'jobs', group })).toEqual([]);
      const again = read(await stays.take(4));
      expect(again.map(({ redelivered }) => redelivered)).toEqual(Array(4).fill(true));
      expect([...waited, ...again, had[0]!].map(({ payload }) => Number(payload)).sort((a, b) => a - b)).toEqual(
        numbers(0, 10),
      );
      expect(again.map(({ payload }) => payload).sort()).toEqual(
        had
          .slice(1)
          .map(({ payload }) => payload)
          .sort(),
      );
      if (how === 'unsubscribes')
        expect(await leaves.exchange(ack(had[1]!))).toEqual([
          `{"error":"no delivery ${had[1]!.delivery} waits to be acknowledged"}`,
        ]);
    },
  );

  test('with members that acknowledge nothing, such as those of NATS, everything goes through', async () => {
    const one = await member(1);
    const nats = await client(server.port);
    const texts: string[] = [];
    nats.subscribe('jobs', { queue: group, callback: (_, message) => void texts.push(message.string()) });
    await nats.flush();
    for (let i = 0; i < 30; i++) nats.publish('jobs', `${i}`);
    await nats.flush();
    const [held] = read(await one.take(1));
    // a PONG does not wait for what is passed on to another gateway
    while (texts.length < 29) await nats.flush();
    expect([...texts, held!.payload].map(Number).sort((a, b) => a - b)).toEqual(numbers(0, 30));
    one.close();
    while (texts.length < 30) await nats.flush();
    expect(texts.at(-1)).toBe(held!.payload);
  });

  test('headers, reply and key come along, also the second time', async () => {
    const first = await member(1, 'full');
    const message = { topic: 'full', payload: '\u0000é', reply: 'back', key: 'k', headers: { A: ['1', '2'] } };
    const publisher = await connect();
    await publisher.exchange({ command: 'SUB', topic: 'back' }, { command: 'PUB', ...message });
    const timestamp = expect.any(Number) as number;
    const second = await member(1, 'full');
    expect(read(await first.take(1))).toEqual([{ ...message, delivery: 1, timestamp }]);
    first.close();
    expect(read(await second.take(1))).toEqual([
      { ...message, delivery: 1, redelivered: true, deliveries: 2, timestamp },
    ]);
  });

  test('members that come, go and acknowledge at random: all is acknowledged once, and what comes again says so', async () => {
    const total = 400;
    const random = randomFrom(shards);
    const publisher = await connect();
    const nats = await client(server.port);
    const members: { client: JsonClient; topic: string; held: Work[] }[] = [];
    const seen = new Set<string>();
    const acknowledged: number[] = [];
    const join = async (): Promise<void> => {
      const topic = random(3) === 0 ? '*' : 'jobs';
      members.push({ client: await member(1 + random(8), topic), topic, held: [] });
    };
    const leave = async (each: (typeof members)[number]): Promise<void> => {
      // once this is answered nothing comes any more, so that what came is known
      each.client.lines.unshift(...(await each.client.exchange({ command: 'UNSUB', topic: each.topic, group })));
      collect(each);
      each.client.close();
    };
    const collect = (each: (typeof members)[number]): void => {
      for (const work of read(each.client.lines.splice(0))) {
        expect(work.redelivered ?? false).toBe(seen.has(work.payload));
        seen.add(work.payload);
        each.held.push(work);
      }
    };
    const step = async (each: (typeof members)[number]): Promise<void> => {
      collect(each);
      const some = each.held.splice(0, random(each.held.length + 1));
      acknowledged.push(...some.map(({ payload }) => Number(payload)));
      const answers = await each.client.exchange(...some.map(ack));
      each.client.lines.unshift(...answers);
      collect(each);
    };
    await join();
    for (let sent = 0; sent < total; sent += 20) {
      if (random(2) === 0) await publisher.exchange(...put(sent, sent + 20));
      else {
        for (let i = sent; i < sent + 20; i++) nats.publish('jobs', `${i}`);
        await nats.flush();
      }
      if (members.length < 5 && random(2) === 0) await join();
      for (const each of members) await step(each);
      if (members.length > 1 && random(3) === 0) await leave(members.splice(random(members.length), 1)[0]!);
    }
    const last = members.splice(random(members.length), 1)[0]!;
    for (const each of members) await leave(each);
    while (acknowledged.length < total) {
      collect(last);
      if (last.held.length === 0) last.client.lines.unshift(...(await last.client.take(1)));
      collect(last);
      acknowledged.push(...last.held.map(({ payload }) => Number(payload)));
      last.client.send(...last.held.splice(0).map(ack));
    }
    expect(await last.client.exchange()).toEqual([]);
    expect(acknowledged.sort((a, b) => a - b)).toEqual(numbers(0, total));
  });

  test('who never acknowledges holds up its own topic, not others, and nothing is lost', async () => {
    const idle = await member(1, 'heavy');
    const payload = 'x'.repeat(900_000);
    const publishers = await Promise.all([client(server.port), client(server.port)]);
    const [parked, free] = publishers as [(typeof publishers)[0], (typeof publishers)[0]];
    for (let i = 0; i < 40; i++) parked.publish('heavy', payload);
    const heard = free.subscribe('light', { max: 100 });
    for (let i = 0; i < 100; i++) free.publish('light', `${i}`);
    let count = 0;
    for await (const _ of heard) count++;
    expect(count).toBe(100);
    let received = 0;
    while (received < 40) {
      const [work] = read(await idle.take(1));
      expect(work!.payload.length).toBe(payload.length);
      received++;
      idle.send(ack(work!));
    }
    await parked.flush();
    expect(await idle.exchange()).toEqual([]);
  });
});

describe.each([1, 2, 4])('work, %i shards', (shards) => {
  const server = useBroker({
    shards,
    args: ['--jsonl-port', '0', '--ws-port', '0', '--block-max', '1m', '--max-payload', '2MB'],
  });
  const doors = {
    tcp: () => JsonClient.overTcp(server.broker.doorPort('jsonl')),
    webSocket: () => JsonClient.overWebSocket(server.broker.doorPort('websocket')),
  };
  let group = '';
  let groups = 0;
  beforeEach(() => {
    group = `group${groups++}`;
  });

  /** A member whose first lines stay with it; the topic is the group's own. */
  async function member(connect: () => Promise<JsonClient>, prefetch: number): Promise<JsonClient> {
    const one = await connect();
    one.lines.unshift(...(await one.exchange(json, { command: 'SUB', topic: group, group, prefetch })));
    return one;
  }

  /** Acknowledges what comes, until so many have come. */
  async function workOff(one: JsonClient, count: number): Promise<Work[]> {
    const done: Work[] = [];
    while (done.length < count) {
      const [work] = read(await one.take(1));
      done.push(work!);
      one.send(ack(work!));
    }
    return done;
  }

  describe.each(['tcp', 'webSocket'] as const)('over %s', (door) => {
    const connect = doors[door];

    test('all that waits goes to one that comes later, on whichever thread', async () => {
      const idle = await member(connect, 2);
      const publisher = await connect();
      await publisher.exchange(...put(0, 600, group));
      const busy = await member(connect, 100);
      const done = (await workOff(busy, 598)).map(({ payload }) => Number(payload));
      const kept = read(await idle.exchange()).map(({ payload }) => Number(payload));
      expect([...done, ...kept].sort((a, b) => a - b)).toEqual(numbers(0, 600));
    });

    test('another prefetch is taken at once, and loses nothing, nor does UNSUB and SUB of the only member', async () => {
      const one = await member(connect, 2);
      const publisher = await connect();
      await publisher.exchange(...put(0, 12, group));
      const subscribe = { command: 'SUB', topic: group, group };
      const lines = await one.exchange({ ...subscribe, prefetch: 5, id: 1 });
      expect(lines).toContain('{"ok":true,"id":1}');
      one.lines.unshift(...lines.filter((line) => line.includes('"delivery"')));
      const had = read(await one.take(5));
      expect(had.map(({ payload }) => Number(payload))).toEqual(numbers(0, 5));
      // a smaller one leaves what is in flight there, and lets nothing come before that is worked off
      await one.exchange({ ...subscribe, prefetch: 1 });
      for (const work of had.slice(0, 4)) one.send(ack(work));
      expect(await one.exchange()).toEqual([]);
      expect(await one.exchange({ command: 'UNSUB', topic: group, group })).toEqual([]);
      one.lines.unshift(...(await one.exchange({ ...subscribe, prefetch: 20 })));
      const again = read(await one.take(8));
      expect(again.map(({ payload }) => Number(payload)).sort((a, b) => a - b)).toEqual(numbers(4, 12));
      expect(again.filter(({ redelivered }) => redelivered).map(({ payload }) => payload)).toEqual(['4']);
    });

    test('work outlives its last member for a while', async () => {
      const first = await member(connect, 1);
      const publisher = await connect();
      await publisher.exchange(...put(0, 3, group));
      const [had] = read(await first.take(1));
      expect(await first.exchange({ command: 'UNSUB', topic: group, group })).toEqual([]);
      first.close();
      const next = await member(connect, 1);
      const done = await workOff(next, 3);
      expect(done.map(({ payload }) => payload).sort()).toEqual(['0', '1', '2']);
      expect(done.filter(({ redelivered }) => redelivered).map(({ payload }) => payload)).toEqual([had!.payload]);
    });
  });

  test('jobs that make jobs go on, though far more waits than publishers wait for', async () => {
    const payload = '.'.repeat(100_000);
    const worker = await member(doors.tcp, 1);
    const total = 300;
    let made = 1;
    worker.send({ command: 'PUB', topic: group, payload });
    for (let done = 0; done < total; done++) {
      const [work] = read(await worker.take(1));
      for (let i = 0; i < 2 && made < total; i++, made++) worker.send({ command: 'PUB', topic: group, payload });
      worker.send(ack(work!));
    }
    expect(await worker.exchange()).toEqual([]);
  });

  test('two groups that make jobs for each other go on', async () => {
    const payload = '.'.repeat(100_000);
    const other = `${group}b`;
    const one = await member(doors.tcp, 1);
    const two = await doors.tcp();
    await two.exchange(json, { command: 'SUB', topic: other, group: other, prefetch: 1 });
    one.send({ command: 'PUB', topic: group, payload });
    let made = 1;
    let done = 0;
    const total = 500;
    await new Promise<void>((resolve) => {
      const work = (client: JsonClient, to: string) => (line: string) => {
        const { delivery } = JSON.parse(line) as Work;
        for (let i = 0; i < 2 && made < total; i++, made++) client.send({ command: 'PUB', topic: to, payload });
        client.send({ command: 'ACK', delivery });
        if (++done === total) resolve();
        return true;
      };
      one.onLine = work(one, other);
      two.onLine = work(two, group);
    });
    expect(done).toBe(total);
  });

  test('when far too much waits a member is told that the topic is full, and can still acknowledge', async () => {
    const worker = await member(doors.tcp, 1);
    const payload = '.'.repeat(1_000_000);
    const job = { command: 'PUB', topic: group, payload };
    worker.send(job);
    const [work] = read(await worker.take(1));
    let refusals: string[] = [];
    for (let sent = 0; refusals.length === 0 && sent < 60; sent++) refusals = await worker.exchange(job);
    expect(refusals.map((line) => JSON.parse(line))).toEqual([{ error: `Topic Full for "${group}"` }]);
    worker.send(ack(work!));
    const [next] = read(await worker.take(1));
    expect(next!.payload.length).toBe(payload.length);
  });
});

describe('prefetch, asked for or acknowledged wrongly', () => {
  const server = useBroker({ args: ['--jsonl-port', '0'] });
  const subscribe = { command: 'SUB', topic: 'jobs', group: 'workers', prefetch: 1 };

  test.each<[Record<string, unknown>[], string]>([
    [[{ ...subscribe, group: undefined }], 'prefetch is for members of a group: give a group'],
    [[{ ...subscribe, prefetch: 0 }], 'prefetch must be a whole number from 1 to 16384'],
    [[{ ...subscribe, prefetch: 16_385 }], 'prefetch must be a whole number from 1 to 16384'],
    [[{ ...subscribe, prefetch: 1e300 }], 'prefetch must be a whole number from 1 to 16384'],
    [[{ ...subscribe, prefetch: '1' }], 'prefetch must be a whole number from 1 to 16384'],
    [[{ ...subscribe, group: { name: 'g', orderedBy: 'key' } }], 'prefetch is not for a group ordered by key'],
    [[{ ...subscribe, group: 'g@key' }], 'prefetch is not for a group ordered by key'],
    [[{ ...subscribe, policy: 'drop-old' }], 'prefetch and a policy exclude each other'],
    [[subscribe, { ...subscribe, prefetch: undefined }], 'there is such a subscription with prefetch; UNSUB it first'],
    [
      [{ ...subscribe, prefetch: undefined }, subscribe],
      'there is such a subscription without prefetch; UNSUB it first',
    ],
    [[subscribe, { command: 'FORMAT', format: 'text' }], 'this connection has subscriptions with prefetch'],
    [[{ command: 'ACK', delivery: 1 }], 'no delivery 1 waits to be acknowledged'],
    [[{ command: 'ACK', delivery: Number.MAX_SAFE_INTEGER }], 'no delivery 9007199254740991 waits'],
    [[{ command: 'ACK', delivery: 0 }], 'delivery must be the number that a delivery came with'],
    [[{ command: 'ACK', delivery: '1' }], 'delivery must be the number that a delivery came with'],
    [[{ command: 'ACK' }], 'delivery must be the number that a delivery came with'],
    [[{ command: 'ACK', delivery: 1, topic: 'jobs' }], 'ACK has no field \\"topic\\"'],
  ])('%j', async (commands, text) => {
    const one = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const lines = await one.exchange(json, ...commands);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`{"error":"${text}`);
  });

  test('as text there is no number to acknowledge by', async () => {
    const one = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    expect((await one.exchange({ ...subscribe, id: 1 }))[0]).toContain('{"error":"send FORMAT json first');
  });

  test('a number of another connection, or one twice, is nobody’s', async () => {
    const connect = () => JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const [one, other] = [await connect(), await connect()];
    await one.exchange(json, subscribe);
    await other.exchange(...put(0, 1));
    const [work] = read(await one.take(1));
    const unknown = `{"error":"no delivery ${work!.delivery} waits to be acknowledged"}`;
    expect(await other.exchange(ack(work!))).toEqual([unknown]);
    expect(await one.exchange(ack(work!), ack(work!))).toEqual([unknown]);
  });
});

test.concurrent.each([1, 4])('members that go with work in flight leave nothing behind, %i shards', async (shards) => {
  const broker = await startBroker({ port: 0, jsonlPort: 0, shards, logLevel: 'silent' });
  const port = Number(new URL(broker.ports.jsonl[0]!).port);
  const rounds = 100;
  for (let round = 0; round < rounds; round++) {
    const one = await JsonClient.overTcp(port);
    const subscribe = {
      command: 'SUB',
      topic: `left.${round % 10}`,
      group: `g${round % 3}`,
      prefetch: 1 + (round % 4),
    };
    const came = await one.exchange(json, subscribe, ...put(0, 6, `left.${round % 10}`));
    one.lines.unshift(...came);
    const [work] = read(await one.take(1));
    one.send(ack(work!));
    if (round % 2 === 0) await one.exchange();
    one.close();
  }
  // all of it is gone as soon as the broker has noticed that the last of them has, and has forgotten the topics
  const left = async () =>
    (await broker.census()).map(({ connections, subscriptions, topics, interest, queues, heldTopics, workBytes }) =>
      [connections, subscriptions, topics, interest, queues, heldTopics, workBytes].join(' '),
    );
  const nothing = Array.from({ length: shards }, () => '0 0 0 0 0 0 0');
  await expect.poll(left, { interval: 250 }).toEqual(nothing);
  await broker.stop();
});
