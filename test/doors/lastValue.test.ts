import { describe, expect, test } from 'vitest';
import { type DoorClient, type DoorMessage, doors, openDoors } from './everyDoor.js';

// Invariant 20 of docs/INVARIANTS.md.

const patience = { timeout: 45_000 };
const subjects = Array.from({ length: 12 }, (_, i) => `md.${i}`);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const numberOf = ({ payload }: DoorMessage): number => Number(Buffer.from(payload, 'base64').toString());

/** A subscription, and what it got: numbers by subject. */
interface Taker {
  readonly name: string;
  readonly numbers: Map<string, number[]>;
}

async function takeLast(name: string, client: DoorClient, subject: string): Promise<Taker> {
  const numbers = new Map<string, number[]>();
  const take = (message: DoorMessage): void => {
    numbers.set(message.subject, [...(numbers.get(message.subject) ?? []), numberOf(message)]);
  };
  await client.subscribe(subject, take, true);
  return { name: `${name}, ${subject}`, numbers };
}

/** Publishes numbers to some subjects, each one further, until told to stop; returns the last. */
async function publishOn(client: DoorClient, own: readonly string[], stop: () => boolean): Promise<number> {
  let number = 0;
  do {
    number++;
    await Promise.all(own.map((subject) => client.publish({ subject, payload: base64(`${number}`) })));
  } while (!stop());
  return number;
}

describe.each([
  [1, 'topic'],
  [2, 'topic'],
  [4, 'topic'],
  [4, 'publisher'],
] as const)('%i shards, --order %s', (shards, order) => {
  test('on every door the image comes first, then all that follows, while others publish', async () => {
    const broker = await openDoors({ shards, order, lastValue: ['md.*'] });
    const writers = [await doors.NATS!(broker), await doors['the process']!(broker)];
    const shares = [subjects.slice(0, 6), subjects.slice(6)];
    const first = base64('0');
    for (const [i, own] of shares.entries())
      for (const subject of own) await writers[i]!.publish({ subject, payload: first });
    let stopping = false;
    const publishing = writers.map((writer, i) => publishOn(writer, shares[i]!, () => stopping));
    const takers: Taker[] = [];
    for (const [name, open] of Object.entries(doors)) {
      takers.push(await takeLast(name, await open(broker), 'md.*'));
      takers.push(await takeLast(name, await open(broker), 'md.7'));
    }
    stopping = true;
    const last = await Promise.all(publishing);
    for (const { name, numbers } of takers) {
      const taken = subjects.filter((subject) => name.endsWith('*') || name.endsWith(subject));
      for (const subject of taken) {
        const until = last[shares.findIndex((own) => own.includes(subject))]!;
        const message = `${name} gets ${subject} up to ${until}`;
        await expect.poll(() => numbers.get(subject)?.at(-1), { ...patience, message }).toBe(until);
        const got = numbers.get(subject)!;
        expect(got, message).toEqual(got.map((_, i) => got[0]! + i));
      }
      expect([...numbers.keys()].sort()).toEqual([...taken].sort());
    }
  });

  test('what is kept has every field but the reply, whatever door it came by; members of groups get none', async () => {
    const broker = await openDoors({ shards, order, lastValue: ['md.>'] });
    const fields = { key: 'k', traceparent: '00-1-2-01', correlationId: 'c', headers: { A: 'é' } };
    const names = Object.keys(doors);
    const clients = [];
    for (const open of Object.values(doors)) clients.push(await open(broker));
    for (const [i, client] of clients.entries())
      await client.publish({ subject: `md.by.${i}`, payload: '/wD+', reply: 'nobody', ...fields });
    for (const [i, client] of clients.entries()) {
      const heard: DoorMessage[] = [];
      await client.subscribe('md.>', (message) => heard.push(message), true);
      const expected = names.map((_, by) => ({ subject: `md.by.${by}`, payload: '/wD+', ...fields }));
      await expect.poll(() => heard.length, { ...patience, message: names[i]! }).toBe(names.length);
      expect(
        heard.sort((a, b) => (a.subject < b.subject ? -1 : 1)),
        names[i]!,
      ).toEqual(expected);
    }
    const got: string[] = [];
    broker.topic<string>('md.>').subscribe(({ subject }) => got.push(subject), { last: true, group: 'g' });
    await broker.topic<string>('md.live').publish('live');
    await expect.poll(() => got, patience).toEqual(['md.live']);
  });
});
