import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';
import { client, clients } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';
import { ours, shardCounts } from '../harness/target.js';

// Invariant 20 of docs/INVARIANTS.md.

/** Subscribes and asks for the last value of each subject first; returns what comes: `subject text`. */
function subscribeLast(connection: NatsConnection, subject: string, max?: number): string[] {
  const got: string[] = [];
  connection.publish('$SHARDCAST.SUB', JSON.stringify({ subject, last: true }));
  const callback = (_: unknown, message: Msg): void => void got.push(`${message.subject} ${message.string()}`);
  connection.subscribe(subject, { callback, ...(max === undefined ? {} : { max }) });
  return got;
}

const numbersOf = (got: string[], subject: string) =>
  got.flatMap((text) => (text.startsWith(`${subject} `) ? [Number(text.slice(subject.length + 1))] : []));

const counting = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe.each(shardCounts)('%i shards', (shards) => {
  describe.each(['topic', 'publisher'] as const)('--order %s', (order) => {
    const server = useBroker({ shards, order, args: ['--last-value', 'md.>', '--last-value', 'one'] });

    ours('the image comes first, then what follows; a PONG tells that it is whole', async () => {
      const [publisher, subscriber] = (await clients(2, server.port)) as [NatsConnection, NatsConnection];
      for (let i = 0; i < 3; i++) for (let s = 0; s < 50; s++) publisher.publish(`md.a.${s}`, `${i}`);
      publisher.publish('other.a', 'not kept');
      await publisher.flush();
      const got = subscribeLast(subscriber, 'md.a.*');
      await subscriber.flush();
      expect([...got].sort()).toEqual(Array.from({ length: 50 }, (_, s) => `md.a.${s} 2`).sort());
      const other = subscribeLast(subscriber, 'other.a');
      await subscriber.flush();
      for (let s = 0; s < 50; s++) publisher.publish(`md.a.${s}`, '3');
      publisher.publish('other.a', 'live');
      await publisher.flush();
      await subscriber.flush();
      for (let s = 0; s < 50; s++) expect(numbersOf(got, `md.a.${s}`)).toEqual([2, 3]);
      expect(other).toEqual(['other.a live']);
    });

    ours('a literal subject has an image of one message, with its headers and without its reply', async () => {
      const [publisher, subscriber] = (await clients(2, server.port)) as [NatsConnection, NatsConnection];
      const block = headers();
      block.set('Shardcast-Key', 'k');
      publisher.publish('one', 'payload', { headers: block, reply: 'to.me' });
      await publisher.flush();
      subscriber.publish('$SHARDCAST.SUB', JSON.stringify({ subject: 'one', last: true }));
      const got: Msg[] = [];
      subscriber.subscribe('one', { callback: (_, message) => void got.push(message) });
      await subscriber.flush();
      expect(got.map((message) => [message.string(), message.headers?.get('Shardcast-Key'), message.reply])).toEqual([
        ['payload', 'k', ''],
      ]);
    });

    ours('while publishers are at it, nothing between image and live messages is lost or comes twice', async () => {
      const subjects = Array.from({ length: 20 }, (_, s) => `md.flow${order}.${s}`);
      const publishers = await clients(4, server.port);
      const subscribers = await clients(6, server.port);
      const taken: string[][] = [];
      const rounds = 120;
      for (let i = 0; i < rounds; i++) {
        for (const [s, subject] of subjects.entries()) publishers[s % 4]!.publish(subject, `${i}`);
        if (i % 10 === 5)
          taken.push(subscribeLast(subscribers[taken.length % 6]!, i % 20 === 5 ? `md.flow${order}.>` : subjects[7]!));
        // lets the event loop send and receive, so that image and messages really meet
        if (i % 3 === 0) await publishers[i % 4]!.flush();
      }
      for (const connection of [...publishers, ...subscribers]) await connection.flush();
      expect(taken).toHaveLength(rounds / 10);
      for (const [t, got] of taken.entries()) {
        for (const subject of t % 2 === 0 ? subjects : [subjects[7]!]) {
          const numbers = numbersOf(got, subject);
          expect(numbers.length).toBeGreaterThan(0);
          expect(numbers).toEqual(counting(numbers[0]!, rounds));
        }
      }
    });

    ours('a subscriber that is there already gets the image when it asks; members of groups get none', async () => {
      const [publisher, subscriber] = (await clients(2, server.port)) as [NatsConnection, NatsConnection];
      publisher.publish('md.there', '0');
      await publisher.flush();
      const [got, member]: [string[], string[]] = [[], []];
      subscriber.subscribe('md.there', { callback: (_, message) => void got.push(message.string()) });
      subscriber.subscribe('md.there', { queue: 'q', callback: (_, message) => void member.push(message.string()) });
      await subscriber.flush();
      expect(got).toEqual([]);
      await subscriber.request('$SHARDCAST.SUB', JSON.stringify({ subject: 'md.there', last: true }));
      await subscriber.flush();
      expect(got).toEqual(['0']);
      publisher.publish('md.there', '1');
      await publisher.flush();
      await subscriber.flush();
      expect(got).toEqual(['0', '1']);
      expect(member).toEqual(['1']);
    });

    ours('what comes with the image counts towards the maximum of an UNSUB', async () => {
      const [publisher, subscriber] = (await clients(2, server.port)) as [NatsConnection, NatsConnection];
      for (let s = 0; s < 30; s++) publisher.publish(`md.max.${s}`, '0');
      await publisher.flush();
      const got = subscribeLast(subscriber, 'md.max.*', 7);
      await subscriber.flush();
      publisher.publish('md.max.1', '1');
      await publisher.flush();
      await subscriber.flush();
      expect(got).toHaveLength(7);
    });

    ours('many that ask at once are served in turn, and a message larger than a lane holds comes whole', async () => {
      const publisher = await client(server.port);
      const large = 'x'.repeat(900_000);
      for (let s = 0; s < 8; s++) publisher.publish(`md.large.${s}`, large);
      await publisher.flush();
      const subscribers = await clients(3, server.port);
      const got = subscribers.flatMap((subscriber) =>
        Array.from({ length: 40 }, (_, i) => subscribeLast(subscriber, i < 2 ? 'md.large.>' : `md.large.${i % 8}`)),
      );
      for (const subscriber of subscribers) await subscriber.flush();
      for (const [i, texts] of got.entries()) {
        expect(texts).toHaveLength(i % 40 < 2 ? 8 : 1);
        for (const text of texts) expect(text).toHaveLength('md.large.0 '.length + large.length);
      }
    });
  });
});
