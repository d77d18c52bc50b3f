import { describe, expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { isOracle, shardCounts } from '../harness/target.js';

// Invariant 13 of docs/INVARIANTS.md.

const payload = 'x'.repeat(32_000);
const config = { max_payload: 500_000, max_pending: 1_000_000, write_deadline: '5s' };

/** Publishes `count` numbered messages, at the pace of the reader that does read. */
async function publish(publisher: RawClient, reader: RawClient, subject: string, count: number): Promise<string[]> {
  const received: string[] = [];
  for (let i = 0; i < count; ) {
    let bytes = '';
    for (const end = i + 8; i < end; i++) {
      const body = `${i} ${payload}`;
      bytes += `PUB ${subject} ${body.length}\r\n${body}\r\n`;
    }
    await publisher.exchange(bytes);
    received.push(...(await reader.exchange()));
  }
  return received.map((line) => line.slice(0, 40).split('| ')[1]?.split(' ')[0] as string);
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards, config });

  test('who does not read is ended and told why; the others of its topic get everything', async () => {
    const [publisher, reader, slow] = (await Promise.all([1, 2, 3].map(() => RawClient.connect(server.port)))) as [
      RawClient,
      RawClient,
      RawClient,
    ];
    for (const client of [reader, slow]) await client.exchange('SUB slow.one 1\r\n');
    slow.socket.pause();
    // its last words wait for it as long as any connection's, and no longer
    const ended = server.broker.logged(/slow consumer/i).then(() => slow.socket.resume());
    // 32 MB: more than the kernel's buffers and max_pending together.
    expect(await publish(publisher, reader, 'slow.one', 1000)).toEqual(numbers(1000));
    await ended;
    const lines = await slow.expectClosed();
    const got = lines.filter((line) => line.startsWith('MSG')).map((line) => line.slice(17, 30).split(' ')[0]);
    expect(got).toEqual(numbers(got.length));
    expect(got.length).toBeLessThan(1000);
    if (!isOracle) expect(lines.at(-1)).toBe("-ERR 'Slow Consumer'");
  });

  test('who never reads again leaves nothing behind', async () => {
    const [publisher, reader] = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    await reader.exchange('SUB slow.two 1\r\n');
    // libuv opens one descriptor of its own in each loop that has had a connection, and keeps it
    const loops = await Promise.all(Array.from({ length: 2 * shards }, () => RawClient.connect(server.port)));
    for (const client of loops) await client.exchange();
    const before = server.broker.descriptors;
    for (let i = 0; i < 5; i++) {
      const deaf = await RawClient.connect(server.port);
      await deaf.exchange('SUB slow.two 1\r\nSUB slow.> 2\r\n');
      deaf.socket.pause();
    }
    expect(await publish(publisher, reader, 'slow.two', 1000)).toEqual(numbers(1000));
    // Its socket is given up in the broker's own time: go on until it is gone.
    while (server.broker.descriptors > before) await reader.exchange();
    expect(await publish(publisher, reader, 'slow.two', 80)).toEqual(numbers(80));
  });
});
