import bcrypt from 'bcrypt';
import type { Broker } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { inProcess } from '../client/broker.js';
import { DoorLink, type Login, type SocketDoor, socketDoors } from '../harness/doorLink.js';

// Invariant 29 of docs/INVARIANTS.md.

const doors = { jsonlPort: 0, wsPort: 0 };
const hashOf = (secret: string): string => bcrypt.hashSync(secret, 4);
const joe = { user: 'joe', pass: 'first' };

/** A connection that has subscribed. */
async function listener(broker: Broker, door: SocketDoor, login: Login): Promise<DoorLink> {
  const link = await DoorLink.open(broker, door, login);
  await link.exchange(link.subscribe({ topic: 'secret' }));
  return link;
}

/** Four connections by each door, so that every shard has some. */
async function listeners(broker: Broker, login: Login): Promise<DoorLink[]> {
  return await Promise.all(socketDoors.flatMap((door) => [1, 2, 3, 4].map(() => listener(broker, door, login))));
}

/** Ended, told why, and without what was published once nobody had the right any more. */
async function expectEnded(links: readonly DoorLink[]): Promise<void> {
  for (const link of links) {
    await link.ended();
    expect(link.received).toContain('Authorization Violation');
    expect(link.received).not.toContain('top');
  }
}

async function expectThere(links: readonly DoorLink[]): Promise<void> {
  for (const link of links) expect(await link.exchange('')).toBe('');
}

describe.each([1, 2, 4])('a reload at %i shards', (shards) => {
  test('ends who came in with a password that counts no more, by every door, and lets the new one in', async () => {
    const broker = await inProcess({ shards, ...doors, ...joe });
    const links = await listeners(broker, joe);
    expect(broker.reload({ pass: 'second' })).toEqual({ changed: ['pass'], refused: [] });
    await expectEnded(links);
    const fresh = await listener(broker, 'nats', { user: 'joe', pass: 'second' });
    await broker.topic('secret').publish('top');
    await fresh.find('top');
    await expectEnded(links);
  });

  test('leaves everybody alone when nothing has changed, or nothing that concerns them', async () => {
    const broker = await inProcess({ shards, ...doors, ...joe });
    const links = await listeners(broker, joe);
    expect(broker.reload({ ...joe })).toEqual({ changed: [], refused: [] });
    expect(broker.reload({ maxPayloadBytes: 1_000_000 }).changed).toEqual(['maxPayloadBytes']);
    await expectThere(links);
  });

  test('verifies against a new hash, aside: who has the right stays', async () => {
    const broker = await inProcess({ shards, ...doors, ...joe });
    const links = await listeners(broker, joe);
    broker.reload({ pass: hashOf('first') });
    // answered by the new hash alone, behind the checks of those who are there
    await listener(broker, 'nats', joe);
    await expectThere(links);
    broker.reload({ pass: hashOf('second') });
    await expectEnded(links);
  });

  test('from open to closed and back: who said nothing is ended, who said what is right stays', async () => {
    const broker = await inProcess({ shards, ...doors });
    const [anonymous, known] = [await listeners(broker, {}), await listeners(broker, { token: 'key' })];
    broker.reload({ token: 'key' });
    await expectEnded(anonymous);
    for (const link of known) await link.exchangeKeeping();
    broker.reload({ token: null });
    await listener(broker, 'jsonl', {});
    for (const link of known) await link.exchangeKeeping();
  });
});

test('a login that is being checked while the credentials change is judged by the new ones', async () => {
  const broker = await inProcess({ shards: 1, ...joe, pass: hashOf('first') });
  const [left, right] = await Promise.all([
    DoorLink.open(broker, 'nats', joe),
    DoorLink.open(broker, 'nats', { ...joe, pass: 'second' }),
  ]);
  broker.reload({ pass: hashOf('second') });
  await left.ended();
  expect(left.received).toContain('Authorization Violation');
  expect(await right.exchange('PUB a 1\r\nx\r\n')).toContain('INFO');
});
