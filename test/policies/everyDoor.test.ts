import { type Broker, startBroker } from 'shardcast';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DoorLink, socketDoors } from '../harness/doorLink.js';
import { padding } from './slowSubscriber.js';

// Invariants 13 and 18 of docs/INVARIANTS.md.

/** More than the kernel's buffers hold. */
const published = 500;
const batch = 10;

const lossy = {
  disconnect: { maxMessages: 20, maxDrops: 5 },
  'drop-new': { maxMessages: 20 },
  'drop-old': { maxBytes: 300_000 },
  conflate: {},
} as const;
type Lossy = keyof typeof lossy;

interface Slow {
  readonly link: DoorLink;
  readonly policy: Lossy;
}

const numbersIn = (text: string): number[] => [...text.matchAll(/#(\d+)/g)].map(([, digits]) => Number(digits));

/** What a subscriber was told that it lost, in either language. */
function lossesIn(text: string): number[] {
  return [...text.matchAll(/(?:Shardcast-Dropped: |"dropped":)(\d+)/g)].map(([, digits]) => Number(digits));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe.each([1, 4])('%i shards', (shards) => {
  let broker: Broker;
  beforeAll(async () => {
    const options = { port: 0, jsonlPort: 0, wsPort: 0, shards, writeDeadlineMs: 60_000, logLevel: 'silent' } as const;
    broker = await startBroker(options);
  });
  afterAll(() => broker.stop());

  const onEachDoor = (): Promise<DoorLink[]> => Promise.all(socketDoors.map((door) => DoorLink.open(broker, door)));

  /** Readers of a topic, one on every door. */
  async function readersOf(topic: string): Promise<DoorLink[]> {
    const readers = await onEachDoor();
    for (const reader of readers) await reader.exchange(reader.subscribe({ topic }));
    return readers;
  }

  /** Publishes numbered messages at the readers' pace, and checks that each of them gets all. */
  async function feed(topic: string, readers: readonly DoorLink[], from: number, to: number): Promise<void> {
    const publisher = await DoorLink.open(broker, 'nats');
    for (let next = from; next < to; next += batch) {
      const numbers = range(next, Math.min(to, next + batch));
      const text = numbers.map((number) => publisher.publish(topic, `#${number} ${padding}`)).join('');
      await publisher.exchange(text);
      for (const reader of readers) expect(numbersIn(await reader.exchange(''))).toEqual(numbers);
    }
    await publisher.destroy();
  }

  /** One that does not read, of every lossy policy on every door. */
  async function slowOnesOf(topic: string): Promise<Slow[]> {
    const slow: Slow[] = [];
    for (const policy of Object.keys(lossy) as Lossy[]) {
      for (const link of await onEachDoor()) {
        await link.exchange(link.subscribe({ topic, wish: { policy, ...lossy[policy], notice: true } }));
        link.pause();
        slow.push({ link, policy });
      }
    }
    return slow;
  }

  test('whoever is slow, in whatever way, the others get everything, and the slow ones what they asked for', async () => {
    const readers = await readersOf('feed');
    const slow = await slowOnesOf('feed');
    await feed('feed', readers, 0, published);
    for (const { link } of slow) link.resume();
    const staying = slow.filter(({ policy }) => policy !== 'disconnect');
    // what is published while they catch up may be lost too: once one has seen the newest, it has caught up
    let newest = published - 1;
    const sawNewest = ({ link }: Slow): boolean => link.received.includes(`#${newest} `);
    do {
      await feed('feed', readers, ++newest, newest + 1);
      for (const { link } of staying) await link.exchangeKeeping();
    } while (!staying.every(sawNewest));
    for (const { link, policy } of staying) {
      const numbers = numbersIn(link.received);
      const lost = lossesIn(link.received).reduce((sum, loss) => sum + loss, 0);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      expect(numbers.length).toBeLessThan(newest + 1);
      expect(lost).toBe(policy === 'conflate' ? 0 : newest + 1 - numbers.length);
      await link.destroy();
    }
    // whether it hears why is tried where it is read at once: who does not read is waited for 2 s
    for (const { link, policy } of slow) if (policy === 'disconnect') await link.ended();
  });

  test('whoever goes, unsubscribes or asks for something else while it is slow, the others get everything', async () => {
    const readers = await readersOf('left');
    const slow = await slowOnesOf('left');
    await feed('left', readers, 0, published);
    for (const [i, { link, policy }] of slow.entries()) {
      if (policy === 'disconnect') await link.destroy();
      else if (policy === 'drop-new') link.send(link.unsubscribe({ topic: 'left' }));
      else if (policy === 'drop-old') link.send(link.subscribe({ topic: 'left', wish: { policy: 'conflate' } }));
      else if (i % 2 === 0) link.resume();
      await feed('left', readers, published + i * batch, published + (i + 1) * batch);
    }
    await Promise.all(slow.map(({ link }) => link.closed || link.destroy()));
    const last = published + slow.length * batch;
    await feed('left', readers, last, last + 1);
  });

  test('who blocks holds up the publishers of its topic, on every door, until it reads, goes or changes its mind', async () => {
    const readers = await readersOf('held');
    const blockers = await onEachDoor();
    const wanted = { topic: 'held', wish: { policy: 'block', maxMessages: 20 } };
    for (const blocker of blockers) {
      await blocker.exchange(blocker.subscribe(wanted));
      blocker.pause();
    }
    const publisher = await DoorLink.open(broker, 'nats');
    let done = false;
    const numbers = range(0, 2 * published);
    const flood = numbers.map((number) => publisher.publish('held', `#${number} ${padding}`)).join('');
    const flooded = publisher.exchange(flood).then(() => {
      done = true;
    });
    const [nats, natsWebSocket, jsonLines, jsonWebSocket] = blockers as [DoorLink, DoorLink, DoorLink, DoorLink];
    const free = await readersOf('free');
    const waysOut = [
      () => nats.send(nats.unsubscribe(wanted)),
      () => natsWebSocket.destroy(),
      () => jsonLines.send(jsonLines.subscribe({ topic: 'held', wish: { policy: 'drop-old' } })),
      () => jsonWebSocket.resume(),
    ];
    for (const [i, leave] of waysOut.entries()) {
      await feed('free', free, i * batch, (i + 1) * batch);
      expect(done).toBe(false);
      await leave();
    }
    await flooded;
    for (const reader of [...readers, jsonWebSocket]) {
      await reader.find(`#${numbers.at(-1)} `);
      expect(numbersIn(reader.received)).toEqual(numbers);
    }
  });
});
