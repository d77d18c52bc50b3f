import type { Msg } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { clients } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

// Invariants 7, 12 of docs/INVARIANTS.md.

describe.each(shardCounts)('%i shards, --order publisher', (shards) => {
  const server = useBroker({ shards, order: 'publisher' });

  test('what one connection publishes arrives in that order, across subjects, at every connection', async () => {
    const [exact, wild, ...publishers] = await clients(5, server.port);
    const seen: [number[][], number[][]] = [publishers.map(() => []), publishers.map(() => [])];
    const keep =
      (lists: number[][]) =>
      (_: Error | null, message: Msg): void => {
        const [publisher, number] = message.string().split('.').map(Number) as [number, number];
        lists[publisher]?.push(number);
      };
    for (let subject = 0; subject < 20; subject++) exact!.subscribe(`p.${subject}`, { callback: keep(seen[0]) });
    wild!.subscribe('p.>', { callback: keep(seen[1]) });
    await Promise.all([exact!.flush(), wild!.flush()]);
    for (let i = 0; i < 2000; i++)
      for (const [p, publisher] of publishers.entries()) publisher.publish(`p.${(i * 7) % 20}`, `${p}.${i}`);
    await Promise.all(publishers.map((publisher) => publisher.flush()));
    await Promise.all([exact!.flush(), wild!.flush()]);
    const inOrder = Array.from({ length: 2000 }, (_, i) => i);
    for (const lists of seen) for (const list of lists) expect(list).toEqual(inOrder);
  });
});
