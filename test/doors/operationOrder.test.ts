import { type Broker, codecs } from 'shardcast';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DoorLink, type SocketDoor, socketDoors } from '../harness/doorLink.js';
import { useResident } from '../harness/residents.js';
import { shardCounts } from '../harness/target.js';
import { openDoors } from './everyDoor.js';

// Invariant 28 of docs/INVARIANTS.md: what one connection does takes effect in its order, whichever threads it touches.

/** New ones for each test: nobody knows them yet. */
let topics: readonly string[];
let work: string;
let tests = 0;
beforeEach(() => {
  tests++;
  topics = Array.from({ length: 100 }, (_, i) => `own.${tests}.${i}`);
  work = `work.${tests}`;
});

/** How often a topic's payload came. */
function cameOf(text: string, payload: string): number {
  return text.split(payload).length - 1;
}

const links: DoorLink[] = [];

async function open(broker: Broker, door: SocketDoor): Promise<DoorLink> {
  const link = await DoorLink.open(broker, door);
  links.push(link);
  return link;
}

afterEach(async () => {
  await Promise.all(links.splice(0).map(async (link) => link.closed || (await link.destroy())));
});

describe.each(shardCounts)('%i shards', (shards) => {
  const resident = useResident({ shards });

  describe.each(socketDoors)('%s', (door) => {
    test('what was published before an UNSUB is received', async () => {
      const link = await open(resident.broker, door);
      const text = topics.map(
        (topic) => link.subscribe({ topic }) + link.publish(topic, 'mine') + link.unsubscribe({ topic }),
      );
      expect(cameOf(await link.exchange(text.join('')), 'mine')).toBe(topics.length);
    });

    test('what was published before a SUB is not', async () => {
      const link = await open(resident.broker, door);
      // somebody else wants it, so that it is not dropped where it is read
      const other = await open(resident.broker, door);
      await other.exchange(topics.map((topic) => other.subscribe({ topic })).join(''));
      const text = topics.map(
        (topic) => link.publish(topic, 'early') + link.subscribe({ topic }) + link.publish(topic, 'later'),
      );
      const came = await link.exchange(text.join(''));
      expect([cameOf(came, 'early'), cameOf(came, 'later')]).toEqual([0, topics.length]);
    });
  });

  describe.each(['topic', 'publisher'] as const)('order by %s', (order) => {
    const ordered = useResident({ shards, order });

    test.each(socketDoors)('%s: a group whose members leave close together loses nothing', async (door) => {
      const [a, b] = [await open(ordered.broker, door), await open(ordered.broker, door)];
      const member = { topic: work, group: 'g' };
      for (let round = 0; round < 5; round++) {
        await a.exchange(a.subscribe(member));
        await b.exchange(b.subscribe(member));
        const jobs = 2_000;
        const theirs = b.exchange(b.publish(work, 'job').repeat(jobs) + b.unsubscribe(member));
        await a.find('job');
        const ours = await a.exchange(a.unsubscribe(member));
        expect(cameOf(ours, 'job') + cameOf(await theirs, 'job'), `round ${round}`).toBe(jobs);
      }
    });
  });

  test('a group with members in the process and on the network loses nothing when they leave close together', async () => {
    await using broker = await openDoors({ shards });
    const link = await open(broker, 'nats');
    const member = { topic: 'work', group: 'g' };
    const jobs = 20_000;
    for (let round = 0; round < 6; round++) {
      let here = 0;
      const topic = broker.topic<string>('work', { codec: codecs.utf8 });
      const inHere = topic.subscribe(() => void here++, { group: 'g' });
      await link.exchange(link.subscribe(member));
      const begun = new Promise<void>((resolve) => topic.subscribe(() => resolve(), { group: 'watching' }));
      let there: string;
      if (round % 2 === 0) {
        const theirs = link.exchange(link.publish('work', 'job').repeat(jobs) + link.unsubscribe(member));
        await begun;
        inHere.unsubscribe();
        there = await theirs;
      } else {
        const published = Array.from({ length: jobs }, () => topic.publish('job'));
        const theirs = link.find('job').then(() => link.exchange(link.unsubscribe(member)));
        await Promise.all(published);
        inHere.unsubscribe();
        there = await theirs;
      }
      await expect.poll(() => here + cameOf(there, 'job'), { message: `round ${round}` }).toBe(jobs);
      await expect.poll(() => inHere.ended).toBe(true);
    }
  });

  test.each(['nats', 'jsonl'] as const)(
    '%s: what was published before the end of the stream is received',
    async (door) => {
      const link = await open(resident.broker, door);
      await link.exchange(topics.map((topic) => link.subscribe({ topic })).join(''));
      link.send(topics.map((topic) => link.publish(topic, 'last')).join(''));
      await link.end();
      expect(cameOf(link.received, 'last')).toBe(topics.length);
    },
  );

  test.each(['nats', 'nats-websocket'] as const)(
    '%s: what was published before a mistake that ends the connection is received',
    async (door) => {
      const link = await open(resident.broker, door);
      await link.exchange(topics.map((topic) => link.subscribe({ topic })).join(''));
      link.send(`${topics.map((topic) => link.publish(topic, 'last')).join('')}NONSENSE\r\n`);
      await link.ended();
      expect(cameOf(link.received, 'last')).toBe(topics.length);
      expect(link.received.trimEnd().endsWith("-ERR 'Unknown Protocol Operation'")).toBe(true);
    },
  );
});
