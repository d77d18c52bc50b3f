import { once } from 'node:events';
import { type MessagePort, Worker } from 'node:worker_threads';
import { type Broker, codecs } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { noOwner } from '../../src/router/routes.js';
import { portOf } from '../client/broker.js';
import { RawClient } from '../harness/rawClient.js';
import { closeAfterTest } from '../harness/residents.js';
import { wake } from './messages.js';
import { brokerWithOwners, Owners } from './owners.js';
import type { FromUser, ToUser } from './userThread.js';

// Invariant 35 of docs/INVARIANTS.md.

const publishers = 8;
const subscribers = 20;
const rounds = 15;
const perRound = 40;
const topics = ['moved.0', 'moved.1', 'moved.2', 'stays.0'];

/** By topic, what each client got of it, in order. */
type Logs = Map<string, string[]>[];

function logOf(client: RawClient, count: number): { log: Map<string, string[]>; complete: Promise<void> } {
  const log = new Map<string, string[]>();
  let received = 0;
  const complete = new Promise<void>((resolve, reject) => {
    client.socket.on('close', () => reject(new Error(`closed after ${received} messages`)));
    client.onFrame = (frame) => {
      if (frame.op === '-ERR') reject(new Error(frame.text));
      if (frame.op !== 'MSG') return;
      const of = log.get(frame.subject) ?? [];
      log.set(frame.subject, of);
      of.push(frame.payload.toString('latin1'));
      if (++received === count) resolve();
    };
  });
  return { log, complete };
}

/** Nothing is lost or doubled, and of each topic every publisher's numbers rise. */
function expectOrdered(logs: Logs): void {
  for (const log of logs)
    for (const [t, topic] of topics.entries())
      for (let p = 0; p < publishers; p++) {
        const numbers = log
          .get(topic)!
          .filter((text) => text.startsWith(`${p}.`))
          .map((text) => Number(text.split('.')[1]));
        const all = Array.from({ length: rounds * perRound }, (_, i) => i).filter((i) => i % topics.length === t);
        expect(numbers).toEqual(all);
      }
}

/** One shard after the other, and then nobody. */
function ownerIn(round: number, shards: number): number {
  const owner = round % (shards + 1);
  return owner === shards ? noOwner : owner;
}

function publishRound(publisher: RawClient, p: number, round: number): void {
  let bytes = '';
  for (let i = round * perRound; i < (round + 1) * perRound; i++) {
    const text = `${p}.${i}`;
    bytes += `PUB ${topics[i % topics.length]} ${text.length}\r\n${text}\r\n`;
  }
  publisher.send(bytes);
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  test.each(['topic', 'publisher'] as const)(
    'an owner changes while everybody publishes, order by %s',
    async (order) => {
      const broker = await brokerWithOwners({ shards, order });
      const owners = new Owners();
      const port = portOf(broker);
      const readers = await Promise.all(Array.from({ length: subscribers }, () => RawClient.connect(port)));
      for (const reader of readers) await reader.exchange('SUB moved.* 1\r\nSUB stays.* 2\r\n');
      const logs = readers.map((reader) => logOf(reader, publishers * rounds * perRound));
      const writers = await Promise.all(Array.from({ length: publishers }, () => RawClient.connect(port)));
      for (let round = 0; round < rounds; round++) {
        for (const [p, writer] of writers.entries()) publishRound(writer, p, round);
        expect(await owners.change('moved.*', ownerIn(round, shards))).toMatchObject({ error: null, changed: true });
      }
      await Promise.all(logs.map(({ complete }) => complete));
      expectOrdered(logs.map(({ log }) => log));
      // one order for all
      if (order === 'topic')
        for (const topic of topics) for (const { log } of logs) expect(log.get(topic)).toEqual(logs[0]!.log.get(topic));
    },
  );
});

describe.each([1, 2, 4])('%i shards', (shards) => {
  test.each(['topic', 'publisher'] as const)(
    'work of a group is done once, who is waited for gets all, and what is published synchronously is done, order by %s',
    async (order) => {
      const broker = await brokerWithOwners({ shards, order });
      const owners = new Owners();
      const client = await RawClient.connect(portOf(broker));
      const wish = '{"sid":"1","policy":"drop-old"}';
      await client.exchange(`PUB $SHARDCAST.SUB ${wish.length}\r\n${wish}\r\nSUB moved.* 1\r\n`);
      const topic = broker.topic<string>('moved.*', { codec: codecs.utf8 });
      const worked: string[] = [];
      for (let member = 0; member < 2; member++)
        topic.subscribe(
          (message) => {
            worked.push(message.value);
            message.ack();
          },
          { group: 'workers', prefetch: 2 },
        );
      const taken: string[] = [];
      const all = Array.from({ length: 20 * 7 }, (_, i) => `${i}`);
      const whole = new Promise<void>((resolve) => {
        const take = (value: string) => taken.push(value) === all.length && resolve();
        topic.subscribe(({ value }) => void take(value), { policy: 'block', bufferCount: 4 });
      });
      for (let round = 0; round < 20; round++) {
        const values = all.slice(round * 7, round * 7 + 7);
        const last = values.pop() as string;
        const sent = values.map((value, i) => topic.publish(value, { subject: `moved.${i % 3}` }));
        const changed = owners.change('moved.*', ownerIn(round, shards));
        await topic.publishSync(last, { subject: 'moved.0' });
        expect(worked).toContain(last);
        await Promise.all(sent);
        expect(await changed).toMatchObject({ error: null });
      }
      await whole;
      // only what is published synchronously is known to be done
      await expect.poll(() => worked.length).toBe(all.length);
      const got = (await client.messages(all.length)).map(({ payload }) => payload.toString());
      for (const log of [worked, taken, got]) expect(log.toSorted()).toEqual(all.toSorted());
      // the values of a topic rise
      for (let t = 0; t < 3; t++) {
        const own = taken.map(Number).filter((value) => (value % 7 === 6 ? 0 : (value % 7) % 3) === t);
        expect(own).toEqual(own.toSorted((a, b) => a - b));
      }
    },
  );
});

test('patterns that overlap with one that has an owner, or with last values, are refused', async () => {
  const broker = await brokerWithOwners({ shards: 2, lastValue: ['kept.*'] });
  const owners = new Owners();
  expect(await owners.change('moved.*', 1)).toMatchObject({ error: null });
  expect(await owners.change('moved.one', 0)).toMatchObject({
    error: 'moved.one overlaps with moved.*, which has an owner',
    changed: false,
  });
  expect(await owners.change('kept.>', 0)).toMatchObject({
    error: 'kept.> overlaps with subjects whose last messages are kept',
  });
  expect(await owners.change('moved.one', noOwner)).toMatchObject({ error: 'moved.one has no owner', changed: false });
  expect(await owners.change('moved.*', 0)).toMatchObject({ error: null });
  expect(await owners.change('moved.*', noOwner)).toMatchObject({ error: null });
  expect(await owners.change('moved.one', 0)).toMatchObject({ error: null });
  await broker.stop();
});

test('a shard that does not answer makes the change fail, and everybody goes on', async () => {
  const broker = await brokerWithOwners({ shards: 2 });
  const owners = new Owners();
  const client = await RawClient.connect(portOf(broker));
  const goOn = await owners.hang(1);
  expect(await owners.change('moved.*', 1)).toMatchObject({
    error: 'moved.* keeps its owner: shard 1 did not answer within 4000 ms',
    changed: false,
  });
  goOn();
  expect(await client.exchange('SUB moved.* 1\r\nPUB moved.0 2\r\nhi\r\n')).toEqual(['MSG moved.0 1 | hi']);
  expect(await owners.change('moved.*', 1)).toMatchObject({ error: null });
});

/** A thread of the user's. */
class User {
  readonly received: string[] = [];
  readonly #thread: Worker;
  #onMessage: () => void = () => {};
  readonly #said = new Set<string>();

  constructor(thread: Worker) {
    this.#thread = thread;
    thread.on('message', (said: FromUser) => {
      if (said.type === 'message') this.received.push(said.text);
      else this.#said.add(said.type);
      this.#onMessage();
    });
  }

  static async begin(broker: Broker): Promise<User> {
    const port = broker.port() as unknown as MessagePort;
    const url = new URL('../../dist/test/owners/userThread.js', import.meta.url);
    const thread = new Worker(url, { workerData: { port }, transferList: [port] });
    closeAfterTest(async () => {
      await thread.terminate();
    });
    await once(thread, 'online');
    const user = new User(thread);
    await user.until('ready');
    return user;
  }

  ask(what: ToUser): void {
    this.#thread.postMessage(what);
  }

  async until(said: 'ready' | 'hanging' | 'published'): Promise<void> {
    await this.#wait(() => this.#said.delete(said));
  }

  async receives(count: number): Promise<void> {
    await this.#wait(() => this.received.length >= count);
  }

  async #wait(isDone: () => boolean): Promise<void> {
    while (!isDone()) await new Promise<void>((resolve) => (this.#onMessage = resolve));
  }
}

describe.each([1, 2, 4])("%i shards and a user's thread", (shards) => {
  test.each(['topic', 'publisher'] as const)(
    'that hangs: it delays nobody, and misses nothing, order by %s',
    async (order) => {
      const broker = await brokerWithOwners({ shards, order });
      const owners = new Owners();
      const user = await User.begin(broker);
      const client = await RawClient.connect(portOf(broker));
      await client.exchange('SUB moved.* 1\r\n');
      const log: string[] = [];
      user.ask({ type: 'publish', from: 0, to: 100 });
      await user.until('published');
      for (const { payload } of await client.messages(100)) log.push(payload.toString());
      const word = new SharedArrayBuffer(4);
      closeAfterTest(() => wake(word));
      user.ask({ type: 'publish', from: 100, to: 200 });
      user.ask({ type: 'hang', word });
      await user.until('hanging');
      for (let i = 0; i < 30; i++) {
        expect(await owners.change('moved.*', ownerIn(i, shards))).toMatchObject({ error: null });
        client.send(`PUB moved.client ${`${i}`.length}\r\n${i}\r\n`);
      }
      await client.exchange();
      wake(word);
      await user.until('published');
      user.ask({ type: 'publish', from: 200, to: 300 });
      await user.until('published');
      await user.receives(330);
      const ofUser = (text: string) => text.startsWith('moved.user ');
      const numbers = Array.from({ length: 300 }, (_, i) => `moved.user user.${i}`);
      expect(user.received.filter(ofUser)).toEqual(numbers);
      expect(user.received.filter((text) => !ofUser(text))).toEqual(
        Array.from({ length: 30 }, (_, i) => `moved.client ${i}`),
      );
    },
  );
});
