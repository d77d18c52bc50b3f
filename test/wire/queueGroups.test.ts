import { describe, expect, test } from 'vitest';
import { RawClient, talk } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

// Invariant 8 of docs/INVARIANTS.md.

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards });

  test('one member of a group gets a message, and every plain subscriber', async () => {
    const replies = await talk(server.port, 'SUB foo q 1\r\nSUB foo q 2\r\nSUB foo 3\r\nPUB foo 1\r\nx\r\n');
    expect(replies).toHaveLength(2);
    expect(replies).toContain('MSG foo 3 | x');
  });

  test('every group gets it', async () => {
    const replies = await talk(server.port, 'SUB foo q 1\r\nSUB foo r 2\r\nPUB foo 1\r\nx\r\n');
    expect(replies.sort()).toEqual(['MSG foo 1 | x', 'MSG foo 2 | x']);
  });

  test('members with different subjects are one group', async () => {
    const lines = 'SUB foo one 1\r\nSUB > one 2\r\nSUB * one 3\r\nSUB foo.* one 4\r\n';
    const replies = await talk(server.port, lines + 'PUB foo 1\r\nx\r\n'.repeat(300));
    expect(replies).toHaveLength(300);
    expect(replies).not.toContain('MSG foo 4 | x');
  });

  test('a group on several connections shares fairly and loses nothing', async () => {
    const members = await Promise.all([1, 2, 3, 4].map(() => RawClient.connect(server.port)));
    for (const member of members) await member.exchange('SUB work q 1\r\n');
    await talk(server.port, Array.from({ length: 2000 }, (_, i) => `PUB work 4\r\n${1000 + (i % 9000)}\r\n`).join(''));
    const shares = await Promise.all(members.map((member) => member.exchange()));
    expect(shares.flat().sort()).toEqual(Array.from({ length: 2000 }, (_, i) => `MSG work 1 | ${1000 + i}`).sort());
    // Fair on average: with 500 each expected, 300 is nine standard deviations of a fair random choice away.
    for (const share of shares) expect(share.length).toBeGreaterThan(300);
  });

  test('a member that goes takes no message with it', async () => {
    const [stays, goes] = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    for (const member of [stays, goes]) await member.exchange('SUB leave q 1\r\n');
    await goes.exchange('UNSUB 1\r\n');
    await talk(server.port, 'PUB leave 1\r\nx\r\n'.repeat(200));
    expect(await stays.exchange()).toHaveLength(200);
    expect(await goes.exchange()).toEqual([]);
  });

  test('echo false leaves the publisher out of the choice', async () => {
    const other = await RawClient.connect(server.port);
    await other.exchange('SUB pick q 1\r\n');
    const publisher = await RawClient.connect(server.port, { echo: false });
    expect(await publisher.exchange(`SUB pick q 1\r\n${'PUB pick 1\r\nx\r\n'.repeat(100)}`)).toEqual([]);
    expect(await other.exchange()).toHaveLength(100);
  });
});
