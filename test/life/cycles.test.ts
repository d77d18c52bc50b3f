import { setTimeout as sleep } from 'node:timers/promises';
import { type Broker, type ShardCensus, startBroker } from 'shardcast';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunkPoolBytesMax } from '../../src/base/limits.js';
import { DoorLink, type SocketDoor, type Subscribing, socketDoors } from '../harness/doorLink.js';
import { censusPauseMs, heapBytes } from '../heap.js';
import { padding } from '../policies/slowSubscriber.js';

// Invariant 14 of docs/INVARIANTS.md.

/** How often on each door; `SHARDCAST_CYCLES=100000` is the whole of it. */
const subscribeCycles = Number(process.env.SHARDCAST_CYCLES ?? 2_000);
const connectCycles = Number(process.env.SHARDCAST_CYCLES ?? 120);
const timeout = 60_000 + 20 * (subscribeCycles + connectCycles);
const batch = 250;
/** More than the kernel's buffers hold. */
const floodMessages = 400;
/** Far beyond what forgetting takes: only so that what is left behind is shown. */
const patienceMs = 40_000;
/** What all cycles of one kind may leave on a thread, in bytes: slack of the engine, far below an object a cycle. */
const growthBytesMax = 2_500_000;

const wishes = [
  undefined,
  { policy: 'disconnect', maxDrops: 3 },
  { policy: 'drop-new', maxMessages: 10, notice: true },
  undefined,
  { policy: 'drop-old', maxBytes: 10_000 },
  { policy: 'block', maxMessages: 10 },
  { policy: 'conflate' },
  { policy: 'conflate', by: 'key', notice: true },
];

/** Every wish with every group, each under a topic of its own. */
function subscription(door: SocketDoor, which: number): Subscribing {
  const group = [undefined, `group${which}`, `group${which}@key`][which % 3];
  const wish = wishes[which % wishes.length];
  return {
    topic: `cycle.${door}.${which}`,
    ...(group === undefined ? {} : { group }),
    ...(wish === undefined ? {} : { wish }),
  };
}

type Cycle = (broker: Broker, door: SocketDoor, cycles: number) => Promise<void>;
/** What it has of each thing; `kernelEncoded` counts since the start. */
type Counts = Omit<ShardCensus, 'memoryBytes' | 'kernelEncoded'>;

const countsOf = (all: readonly ShardCensus[]): Counts[] =>
  all.map(({ memoryBytes: _, kernelEncoded: __, ...counts }) => counts);

/** The broker's threads once what they remember for a while is forgotten: then there is what there was before. */
async function still(broker: Broker, before: Counts[] | null): Promise<readonly ShardCensus[]> {
  const startMs = performance.now();
  for (let last = ''; ; ) {
    const all = await broker.census();
    const text = JSON.stringify(countsOf(all));
    const empty = all.every(
      ({ topics, audiences, connections, heldBytes }) => topics + audiences + connections + heldBytes === 0,
    );
    if (empty && (before === null ? text === last : text === JSON.stringify(before))) return all;
    last = text;
    await sleep(censusPauseMs);
    if (performance.now() - startMs > patienceMs) expect(countsOf(all)).toEqual(before ?? 'nothing that changes');
  }
}

async function subscribeAndLeave(broker: Broker, door: SocketDoor, cycles: number): Promise<void> {
  const link = await DoorLink.open(broker, door);
  for (let done = 0; done < cycles; done += batch) {
    let [subscribe, publish, leave] = ['', '', ''];
    for (let which = done; which < done + batch; which++) {
      const wanted = subscription(door, which);
      subscribe += link.subscribe(wanted);
      publish += link.publish(wanted.topic, 'x');
      leave += link.unsubscribe(wanted);
    }
    expect(await link.exchange(subscribe)).not.toMatch(/error|-ERR/i);
    const came = await link.exchange(publish);
    expect(came.split('cycle.')).toHaveLength(batch + 1);
    expect(await link.exchange(leave)).not.toMatch(/error|-ERR/i);
  }
  await link.end();
}

/** Some come and go side by side, beside one that stays and listens to the same for that time; some say goodbye, some do not, and some go with messages that they have not read. */
async function comeAndGo(broker: Broker, door: SocketDoor, cycles: number): Promise<void> {
  let next = 0;
  const oneAfterTheOther = async (): Promise<void> => {
    const staying = await DoorLink.open(broker, door);
    while (next < cycles) {
      const which = next++;
      const wanted = subscription(door, which);
      const { topic } = wanted;
      const link = await DoorLink.open(broker, door);
      await staying.exchange(staying.subscribe({ topic }));
      const came = await link.exchange(link.subscribe(wanted) + link.publish(topic, 'x'));
      expect(came).toContain(topic);
      if (which % 3 === 2) link.send(link.publish(topic, 'unread'));
      await (which % 3 === 0 ? link.end() : link.destroy());
      await staying.exchange(staying.unsubscribe({ topic }));
    }
    await staying.end();
  };
  await Promise.all(Array.from({ length: 8 }, oneAfterTheOther));
}

/** One after the other does not read until its policy has acted, and leaves. */
async function fallBehind(broker: Broker, door: SocketDoor, cycles: number): Promise<void> {
  const publisher = await DoorLink.open(broker, 'nats');
  for (let which = 0; which < cycles; which++) {
    const wish = { ...wishes[which % wishes.length], maxMessages: 10 };
    if (!('policy' in wish)) continue;
    const wanted = { topic: `behind.${door}.${which}`, wish };
    const link = await DoorLink.open(broker, door);
    await link.exchange(link.subscribe(wanted));
    link.pause();
    const published = publisher.exchange(publisher.publish(wanted.topic, padding).repeat(floodMessages));
    // where publishers wait for it they do so until it has left
    if (wish.policy !== 'block') await published;
    if (which % 2 === 0) link.send(link.unsubscribe(wanted));
    await link.destroy();
    await published;
  }
  await publisher.end();
}

describe.each([1, 4])('%i shards', (shards) => {
  let broker: Broker;
  beforeAll(async () => {
    heapBytes(); // has the engine offer its collector to threads that begin from now on
    broker = await startBroker({ port: 0, jsonlPort: 0, wsPort: 0, shards, logLevel: 'silent' });
  });
  afterAll(() => broker.stop());

  const onEveryDoor = (cycle: Cycle, cycles: number): Promise<unknown> =>
    Promise.all(socketDoors.map((door) => cycle(broker, door, cycles)));

  test.each([
    ['subscriptions', subscribeAndLeave, subscribeCycles],
    ['connections', comeAndGo, connectCycles],
  ] as const)('%s on every door come and go and leave nothing behind', { timeout }, async (what, cycle, cycles) => {
    await onEveryDoor(cycle, cycles / 4);
    const before = await still(broker, null);
    await onEveryDoor(cycle, cycles);
    const after = await still(broker, countsOf(before));
    const growthBytes = after.map(({ memoryBytes }, shard) => memoryBytes - before[shard]!.memoryBytes);
    if (process.env.SHARDCAST_CYCLES !== undefined) console.log(`${what}: growth by thread ${growthBytes} bytes`);
    for (const bytes of growthBytes) expect(bytes).toBeLessThan(growthBytesMax);
  });

  test('slow ones on every door leave nothing behind but memory that is used again', { timeout }, async () => {
    const before = await still(broker, null);
    await onEveryDoor(fallBehind, wishes.length);
    const after = await still(broker, countsOf(before));
    for (const [shard, { memoryBytes }] of after.entries())
      expect(memoryBytes - before[shard]!.memoryBytes).toBeLessThan(chunkPoolBytesMax + growthBytesMax);
  });
});
