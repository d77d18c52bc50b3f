import { getEventListeners, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  type Broker,
  codecs,
  connectBroker,
  type EndpointCensus,
  type ShardCensus,
  type SubscribeOptions,
} from 'shardcast';
import { describe, expect, test } from 'vitest';
import { censusPauseMs, heapBytes } from '../heap.js';
import { inProcess } from './broker.js';

// Invariant 14 of docs/INVARIANTS.md.

/** How often; `SHARDCAST_CYCLES=100000` is the whole of it. */
const subscribeCycles = Number(process.env.SHARDCAST_CYCLES ?? 120);
const connectCycles = Number(process.env.SHARDCAST_CYCLES ?? 8);
const timeout = 600_000 + 20 * (subscribeCycles + connectCycles);
/** What all cycles of one kind may leave on a thread, in bytes: slack of the engine, far below an object a cycle. */
const growthBytesMax = 3_000_000;
const threadUrl = new URL('../../dist/test/client/connectedThread.js', import.meta.url);

const ways: readonly SubscribeOptions[] = [
  {},
  { policy: 'drop-new', bufferCount: 1 },
  { policy: 'drop-old', maxBytes: 1 },
  { policy: 'block', bufferCount: 1 },
  { policy: 'conflate' },
  { policy: 'conflate', by: 'key' },
  { policy: 'disconnect', bufferCount: 1 },
  { group: 'g' },
  { group: 'g', prefetch: 1 },
  { group: { name: 'g', orderedBy: 'key' } },
  { last: true },
];

/** Each way of subscribing, and of ending it, under a topic of its own; with messages that nobody has taken. */
async function subscribeAndLeave(broker: Broker, cycle: number, signal: AbortSignal): Promise<void> {
  const topic = broker.topic('cycle.*', { codec: codecs.utf8 });
  const subject = `cycle.${cycle}`;
  const options = { ...ways[cycle % ways.length], signal };
  const one = topic.at(subject);
  const stream = one.subscribe(options);
  const handled = one.subscribe(() => {}, options);
  for (let i = 0; i < 3; i++) topic.offer('x', { subject, key: `${i}` });
  switch (cycle % 4) {
    case 0:
      // in a key-ordered group all may be the other member's
      if (typeof options.group !== 'object') await stream.next();
      break;
    case 1:
      await broker.request(subject, 'x', { codec: codecs.utf8, timeoutMs: 0 }).catch(() => {});
      break;
    case 2: {
      const queue = broker.queue<string>(subject);
      const taken = queue.take();
      queue.close();
      await taken;
      break;
    }
    default:
      await one.publishSync('x', { signal: AbortSignal.timeout(0) }).catch(() => {});
  }
  handled.unsubscribe();
  await stream.return();
}

/** A client of this thread that comes, uses everything, and goes with some of it open. */
async function comeAndGo(broker: Broker, cycle: number): Promise<void> {
  const connected = await connectBroker(broker.port());
  const topic = connected.topic<number>(`come.${cycle}`);
  const stream = topic.subscribe(ways[cycle % ways.length]);
  const own = broker.topic<number>(`come.${cycle}`);
  await own.publish(cycle, { key: 'k' });
  expect((await stream.next()).value?.value).toBe(cycle);
  for (let i = 0; i < 3; i++) own.offer(i);
  if (cycle % 2 === 0) connected.reply('ask', () => 1);
  await connected.close();
}

/** A thread that ends without a word. */
async function threadThatDies(broker: Broker): Promise<void> {
  const port = broker.port();
  const thread = new Worker(threadUrl, { workerData: { port, prefix: 'p' }, transferList: [port] });
  await once(thread, 'message');
  await broker.topic('in.x', { codec: codecs.utf8 }).publish('1');
  await thread.terminate();
}

interface Holding {
  readonly counts: string;
  readonly memoryBytes: number[];
}

async function holding(broker: Broker): Promise<Holding> {
  const shards = await broker.census();
  return { counts: countsOf(broker, shards), memoryBytes: [heapBytes(), ...shards.map((shard) => shard.memoryBytes)] };
}

function countsOf(broker: Broker, shards: readonly ShardCensus[]): string {
  const here: EndpointCensus = broker.endpointCensus();
  // `kernelEncoded` counts since the start
  const counts = shards.map(({ memoryBytes: _, kernelEncoded: __, ...shard }: ShardCensus) => shard);
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  return JSON.stringify([...counts, here, timers]);
}

/** What is held once the counts do not look like that any more. */
async function until(broker: Broker, isOver: RegExp): Promise<Holding> {
  // work is kept for ten seconds
  await expect
    .poll(async () => countsOf(broker, await broker.census()), { interval: censusPauseMs })
    .not.toMatch(isOver);
  return await holding(broker);
}

/** Whether every shard knows of what this thread has left, and nobody else takes anything. */
async function allKnowInterest(broker: Broker): Promise<boolean> {
  const here = broker.endpointCensus();
  const shards = await broker.census();
  return shards.every(({ interest, queues }) => interest === here.interest && queues === here.queues);
}

/** What is held once what is remembered for a while has been forgotten. */
async function still(broker: Broker): Promise<Holding> {
  // somebody comes for what groups have left: without anybody it is kept for a while
  const member = broker.topic('>').subscribe((message) => message.ack(), { group: 'g', prefetch: 1_000 });
  await until(broker, /"heldBytes":[1-9]/);
  member.unsubscribe();
  await expect.poll(() => allKnowInterest(broker), { interval: censusPauseMs }).toBe(true);
  return await until(broker, /"(topics|heldBytes)":[1-9]/);
}

describe.each([1, 4])('%i shards', (shards) => {
  test('subscriptions come and go and leave nothing behind', { timeout }, async () => {
    heapBytes(); // has the engine offer its collector to threads that begin from now on
    const broker = await inProcess({ listen: false, shards, lastValue: ['cycle.1.>'] });
    const { signal } = new AbortController();
    const cycles = async (count: number): Promise<Holding> => {
      for (let cycle = 0; cycle < count; cycle++) await subscribeAndLeave(broker, cycle, signal);
      return await still(broker);
    };
    const before = await cycles(subscribeCycles / 4);
    const after = await cycles(subscribeCycles);
    expect(after.counts).toBe(before.counts);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expectNoGrowth(before, after, 'subscriptions');
  });

  test('threads connect and go and leave nothing behind', { timeout }, async () => {
    heapBytes();
    const broker = await inProcess({ listen: false, shards });
    const cycles = async (count: number): Promise<Holding> => {
      for (let cycle = 0; cycle < count; cycle++) await comeAndGo(broker, cycle);
      await threadThatDies(broker);
      await expect.poll(() => broker.endpointCensus()).toMatchObject({ peers: shards, interest: 0 });
      return await still(broker);
    };
    const before = await cycles(connectCycles / 2);
    const after = await cycles(connectCycles);
    expect(after.counts).toBe(before.counts);
    expectNoGrowth(before, after, 'connections');
  });
});

function expectNoGrowth(before: Holding, after: Holding, what: string): void {
  const growthBytes = after.memoryBytes.map((bytes, thread) => bytes - before.memoryBytes[thread]!);
  if (process.env.SHARDCAST_CYCLES !== undefined) console.log(`${what}: growth by thread ${growthBytes} bytes`);
  for (const bytes of growthBytes) expect(bytes).toBeLessThan(growthBytesMax);
}
