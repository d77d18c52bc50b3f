import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type JetStreamClient, jetstream } from '@nats-io/jetstream';
import { codecs, startBroker } from 'shardcast';
import { expect, onTestFinished, test } from 'vitest';
import { inProcess } from '../client/broker.js';
import { client } from '../harness/officialClient.js';
import { Broker, type BrokerConfig } from '../harness/server.js';

// Invariant 46 of docs/INVARIANTS.md: whatever ends or changes while publishes are under way, who was told yes has its message stored, and
// nobody waits for ever.

/** A busy machine may take its time. */
const patient = { timeout: 60_000 };
/** Publishes of a connection that are under way at a time. */
const underWay = 32;
/** Acknowledged before something happens. */
const begun = 60;

function temporaryFolder(): string {
  const folder = mkdtempSync(`${tmpdir()}/shardcast-endings-`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const argsFor = (data: string): string[] => ['--data', data, '--durable', 'ends.*=ends', '--durable', 'other.*=other'];

/** Publishes until somebody says stop, or is told that it cannot; remembers what was acknowledged. */
class Publisher {
  readonly published: string[] = [];
  readonly acknowledged: string[] = [];
  readonly refused: Error[] = [];
  /** Resolves when enough was acknowledged to begin with. */
  readonly begun: Promise<void>;
  #stopped = false;
  #isBegun = (): void => {};

  constructor() {
    this.begun = new Promise((resolve) => {
      this.#isBegun = resolve;
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when every publish has had its answer. */
  async run(publish: (text: string) => Promise<unknown>, name: string): Promise<void> {
    let next = 0;
    const one = async (): Promise<void> => {
      while (!this.#stopped) {
        const text = `${name} ${next++}`;
        this.published.push(text);
        try {
          await publish(text);
        } catch (error) {
          this.refused.push(error as Error);
          return;
        }
        if (this.acknowledged.push(text) === begun) this.#isBegun();
      }
    };
    await Promise.all(Array.from({ length: underWay }, one));
  }
}

function publishBy(js: JetStreamClient): (text: string) => Promise<unknown> {
  let turn = 0;
  return (text) => js.publish(turn++ % 2 === 0 ? `ends.${turn % 7}` : `other.${turn % 7}`, text, patient);
}

async function storedIn(data: string, shards: number): Promise<string[]> {
  const broker = await inProcess({ listen: false, shards, data });
  const texts: string[] = [];
  for (const name of ['ends', 'other'])
    for await (const { value } of broker.stream(name, { codec: codecs.utf8 }).read()) texts.push(value);
  await broker.stop();
  return texts;
}

async function expectStored(told: readonly string[], data: string, shards: number): Promise<void> {
  const stored = await storedIn(data, shards);
  expect(new Set(stored).size, 'each once').toBe(stored.length);
  const there = new Set(stored);
  expect(told.filter((text) => !there.has(text))).toEqual([]);
}

async function publishing(shards: number, data: string, config: BrokerConfig) {
  const broker = await Broker.start({ shards, args: argsFor(data), config });
  const connections = await Promise.all([client(broker.port), client(broker.port)]);
  const publishers = connections.map(() => new Publisher());
  const runs = publishers.map((publisher, i) => publisher.run(publishBy(jetstream(connections[i] as never)), `${i}`));
  await Promise.all(publishers.map((publisher) => publisher.begun));
  return { broker, connections, publishers, ended: Promise.all(runs) };
}

test.each([
  ['SIGTERM', 1],
  ['SIGTERM', 4],
  ['SIGUSR2', 2],
] as const)('%s, %i shards: what was acknowledged is there, the rest is told', async (signal, shards) => {
  const data = temporaryFolder();
  const config = { lame_duck_duration: '300ms', lame_duck_grace_period: '50ms' };
  const { broker, publishers, ended } = await publishing(shards, data, config);
  broker.signal(signal);
  await ended;
  expect(publishers.flatMap(({ refused }) => refused)).toHaveLength(publishers.length * underWay);
  expect(await broker.exited).toEqual({ code: 0, signal: null });
  await broker.stop();
  await expectStored(
    publishers.flatMap(({ acknowledged }) => acknowledged),
    data,
    shards,
  );
});

test('a reload refuses nothing, and of a client that drains all is stored', async () => {
  const data = temporaryFolder();
  const { broker, connections, publishers, ended } = await publishing(2, data, { max_payload: 50_000 });
  broker.rewriteConfig({ config: { max_payload: 40_000 } });
  broker.signal('SIGHUP');
  await expect.poll(() => connections.map(({ info }) => info?.max_payload)).toEqual([40_000, 40_000]);
  expect(publishers.flatMap(({ refused }) => refused)).toEqual([]);
  // the client does not wait for what it has asked for: it ends when the server has read all
  for (const publisher of publishers) publisher.stop();
  await Promise.all([ended, ...connections.map((connection) => connection.drain())]);
  expect((await broker.stop()).code).toBe(0);
  const stored = await storedIn(data, 2);
  expect(stored.sort()).toEqual(publishers.flatMap(({ published }) => published).sort());
});

test.each([1, 2, 4])(
  'stop() in process, %i shards: each publish resolves when it is stored, or rejects',
  async (shards) => {
    const data = temporaryFolder();
    const durable = ['ends.*=ends', 'other.*=other'];
    const broker = await startBroker({ listen: false, shards, data, durable, logLevel: 'silent' });
    const topics = ['ends.a', 'ends.b', 'other.a'].map((name) => broker.topic(name, { codec: codecs.utf8 }));
    const publisher = new Publisher();
    let turn = 0;
    const ended = publisher.run((text) => topics[turn++ % topics.length]!.publish(text), 'p');
    await publisher.begun;
    await broker.stop();
    await ended;
    expect(publisher.refused).toHaveLength(underWay);
    await expectStored(publisher.acknowledged, data, shards);
  },
);
