import { describe, expect, test } from 'vitest';
import { client, clients, collect } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

// Invariant 8 of docs/INVARIANTS.md.

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards });

  test('exactly one member of each group, spread fairly over connections', async () => {
    const members = await clients(6, server.port);
    const collected = members.map((member, i) => collect(member, 'work.*', i < 4 ? 'q' : 'r'));
    await Promise.all(members.map((member) => member.flush()));
    const publishers = await clients(3, server.port);
    const sent: string[] = [];
    for (let i = 0; i < 1000; i++) {
      for (const [p, publisher] of publishers.entries()) {
        publisher.publish(`work.${i % 7}`, `${p}.${i}`);
        sent.push(`${p}.${i}`);
      }
    }
    await Promise.all(publishers.map((publisher) => publisher.flush()));
    await Promise.all(members.map((member) => member.flush()));
    const texts = collected.map((member) => member.texts);
    expect(texts.slice(0, 4).flat().sort()).toEqual([...sent].sort());
    expect(texts.slice(4).flat().sort()).toEqual([...sent].sort());
    // 750 expected of each of four, 1,500 of each of two; a fair random choice never comes near these bounds.
    for (const share of texts.slice(0, 4)) expect(share.length).toBeGreaterThan(500);
    for (const share of texts.slice(4)) expect(share.length).toBeGreaterThan(1200);
  });

  test('members that come and go neither lose nor double a message', async () => {
    const publisher = await client(server.port);
    const stays = await client(server.port);
    const comers = await clients(3, server.port);
    const got: string[] = [];
    const callback = (_: unknown, message: { string(): string }): void => void got.push(message.string());
    stays.subscribe('shift', { queue: 'q', callback });
    await stays.flush();
    let sent = 0;
    for (let round = 0; round < 60; round++) {
      const comer = comers[round % comers.length]!;
      const sub = comer.subscribe('shift', { queue: 'q', callback });
      if (round % 2 === 0) await comer.flush();
      for (let i = 0; i < 50; i++) publisher.publish('shift', `${sent++}`);
      if (round % 3 === 0) await publisher.flush();
      // drain, not unsubscribe: what was given to this member before it left is still its own to handle.
      await sub.drain();
    }
    await publisher.flush();
    await Promise.all([stays, ...comers].map((connection) => connection.flush()));
    expect(got.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, i) => i));
  });

  test('a group whose members have all gone is no group', async () => {
    const connection = await client(server.port);
    const member = connection.subscribe('gone', { queue: 'q' });
    await connection.flush();
    member.unsubscribe();
    await expect(connection.request('gone', '', { timeout: 30_000 })).rejects.toThrow(/no responders/i);
  });
});
