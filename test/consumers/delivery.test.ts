import { describe, expect, test } from 'vitest';
import { portOf } from '../client/broker.js';
import type { Message } from '../harness/frames.js';
import { RawClient } from '../harness/rawClient.js';
import { ask } from '../policies/slowSubscriber.js';
import { brokerWithConsumers, Ordering } from './broker.js';
import { type ConsumerOrder, contentOf, orderOf } from './messages.js';

// Invariant 33 of docs/INVARIANTS.md.

/** Delivery count and stream sequence that a message's reply says. */
function numbersOf({ reply }: Message): { delivered: number; sequence: number } {
  const [, , , , delivered, sequence] = (reply as string).split('.').map(Number);
  return { delivered: delivered as number, sequence: sequence as number };
}

const sequencesOf = (messages: readonly Message[]) => messages.map((message) => numbersOf(message).sequence);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

function expectContent(order: ConsumerOrder, messages: readonly Message[]): void {
  for (const message of messages) {
    const { sequence } = numbersOf(message);
    expect(message.subject).toBe(order.subjects[(sequence - 1) % order.subjects.length]);
    expect(message.payload.toString('latin1') === contentOf(order, sequence), `payload of ${sequence}`).toBe(true);
  }
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  const everyShard = (change: (shard: number) => Partial<ConsumerOrder>) =>
    Array.from({ length: shards }, (_, shard) => orderOf(shard, `c${shard}`, change(shard)));

  test('a subscription with a maximum gets no more; what was on its way is told, and goes to the next', async () => {
    const broker = await brokerWithConsumers({ shards });
    const ordering = new Ordering();
    const client = await RawClient.connect(portOf(broker));
    let redelivered = 0;
    for (const order of everyShard(() => ({}))) {
      await client.exchange(`SUB ${order.address} 1\r\nUNSUB 1 10\r\n`);
      ordering.order(order);
      const first = await client.messages(10);
      expect(sequencesOf(first)).toEqual(upTo(10));
      client.send(`SUB ${order.address} 2\r\n`);
      const rest = await client.messages(order.count - 10);
      expectContent(order, rest);
      expect(rest.every(({ sid }) => sid === '2')).toBe(true);
      expect(sequencesOf(rest).sort((a, b) => a - b)).toEqual(upTo(order.count).slice(10));
      const again = rest.filter((message) => numbersOf(message).delivered > 1);
      redelivered += again.length;
      await ordering.done(order.name, again.length);
      await client.exchange('UNSUB 2\r\n');
    }
    // what came by lanes was on its way when the subscription ended
    if (shards > 1) expect(redelivered).toBeGreaterThan(0);
  });

  test('each message goes to every plain subscription and to one member of each group', async () => {
    const broker = await brokerWithConsumers({ shards });
    const ordering = new Ordering();
    const members = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(portOf(broker))));
    const plain = await RawClient.connect(portOf(broker));
    for (const order of everyShard(() => ({}))) {
      const sid = order.name;
      const taken = new Map<number, number>();
      let left = order.count;
      let finish: () => void;
      const all = new Promise<void>((resolve) => {
        finish = resolve;
      });
      for (const member of members) {
        await member.exchange(`SUB ${order.address} workers ${sid}\r\n`);
        member.onFrame = (frame) => {
          if (frame.op !== 'MSG') return;
          const { sequence } = numbersOf(frame);
          taken.set(sequence, (taken.get(sequence) ?? 0) + 1);
          if (--left === 0) finish();
        };
      }
      await plain.exchange(`SUB ${order.address} ${sid}\r\nSUB _INBOX.* w${sid}\r\n`);
      ordering.order(order);
      const messages = await plain.messages(2 * order.count);
      await all;
      expectContent(order, messages);
      for (const own of [sid, `w${sid}`])
        expect(sequencesOf(messages.filter((message) => message.sid === own))).toEqual(upTo(order.count));
      expect([...taken.keys()].sort((a, b) => a - b)).toEqual(upTo(order.count));
      expect([...taken.values()].every((times) => times === 1)).toBe(true);
      for (const member of members) {
        member.onFrame = undefined;
        member.send(`UNSUB ${sid}\r\n`);
      }
      await plain.exchange(`UNSUB ${sid}\r\nUNSUB w${sid}\r\n`);
    }
  });

  test('subjects of 4 KB, empty payloads and payloads larger than a lane takes at a time', async () => {
    const broker = await brokerWithConsumers({ shards, laneBytes: 64 * 1024 });
    const ordering = new Ordering();
    const client = await RawClient.connect(portOf(broker));
    const long = `long.${'x'.repeat(4 * 1024 - 5)}`;
    const changes: Partial<ConsumerOrder>[] = [
      { subjects: [long, 'short'], payloadBytes: 0 },
      { subjects: [long], payloadBytes: 200_000, count: 20, headers: 'NATS/1.0\r\nkind: test\r\n\r\n' },
    ];
    for (const [i, change] of changes.entries()) {
      for (const order of everyShard(() => change).map((one) => ({ ...one, name: `${one.name}-${i}` }))) {
        await client.exchange(`SUB ${order.address} ${order.name}\r\n`);
        ordering.order(order);
        const messages = await client.messages(order.count);
        expect(sequencesOf(messages)).toEqual(upTo(order.count));
        for (const { subject, headers, payload, reply } of messages) {
          const sequence = Number((reply as string).split('.')[5]);
          expect(subject === order.subjects[(sequence - 1) % order.subjects.length]).toBe(true);
          expect(
            Buffer.concat([headers ?? '', payload].map((part) => Buffer.from(part))).toString('latin1') ===
              contentOf(order, sequence),
          ).toBe(true);
        }
        await client.exchange(`UNSUB ${order.name}\r\n`);
      }
    }
  });

  test('a reader that pauses has its consumer wait, and loses nothing', async () => {
    const broker = await brokerWithConsumers({ shards, maxPendingBytes: 8 * 1024 * 1024 });
    const ordering = new Ordering();
    const reader = await RawClient.connect(portOf(broker));
    for (const order of everyShard(() => ({ count: 600, payloadBytes: 64 * 1024, perTurn: 4 }))) {
      await reader.exchange(`SUB ${order.address} ${order.name}\r\n`);
      reader.socket.pause();
      ordering.order(order);
      await ordering.waiting(order.name);
      reader.socket.resume();
      const messages = await reader.messages(order.count);
      expect(sequencesOf(messages)).toEqual(upTo(order.count));
      expect(messages.every((message) => numbersOf(message).delivered === 1)).toBe(true);
      await reader.exchange(`UNSUB ${order.name}\r\n`);
    }
  });

  test('a slow reader that conflates has the latest message of each subject shown, not of the address', async () => {
    const broker = await brokerWithConsumers({ shards });
    const ordering = new Ordering();
    for (const order of everyShard(() => ({ count: 1_200, payloadBytes: 16 * 1024, perTurn: 8 }))) {
      const reader = await RawClient.connect(portOf(broker));
      await ask(reader, { subject: order.address, policy: 'conflate' });
      await reader.exchange(`SUB ${order.address} 1\r\n`);
      reader.socket.pause();
      ordering.order(order);
      await ordering.done(order.name);
      reader.socket.resume();
      const latest = new Map<string, number>();
      let taken = 0;
      while (latest.size < 2 || [...latest.values()].some((sequence) => sequence < order.count - 1)) {
        const [message] = await reader.messages(1);
        latest.set(message!.subject, numbersOf(message!).sequence);
        taken++;
      }
      expect(taken).toBeLessThan(order.count);
    }
  });
});
