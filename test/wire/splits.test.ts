import { describe, expect, test } from 'vitest';
import { connectLine, RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

// Invariant 16 of docs/INVARIANTS.md.

const headers = 'NATS/1.0\r\nA: b\r\n\r\n';
const stream = [
  connectLine(),
  'PING\r\n',
  'SUB foo.* 1\r\n',
  'sub bar queue 22\r\n',
  'PUB foo.a 5\r\nhello\r\n',
  'PUB foo.b re.ply 0\r\n\r\n',
  'PUB bar 7\r\n\r\nPING\r\r\n',
  `HPUB foo.c ${headers.length} ${headers.length + 3}\r\n${headers}abc\r\n`,
  `HPUB bar re.ply ${headers.length} ${headers.length}\r\n${headers}\r\n`,
  'SUB bad..subject 3\r\n',
  'UNSUB 1 4\r\nUNSUB 22\r\n',
  'PUB foo.d 1\r\nd\r\nPUB foo.e 1\r\ne\r\n',
  'PUB nobody none 2\r\n??\r\nSUB none 4\r\nPUB nobody none 1\r\n?\r\n',
  '+OK\r\nPONG\r\nPING\r\n',
].join('');

const expected = [
  'PONG',
  'MSG foo.a 1 | hello',
  'MSG foo.b 1 re.ply | ',
  'MSG bar 22 | \r\nPING\r',
  `MSG foo.c 1 {${headers}} | abc`,
  `MSG bar 22 re.ply {${headers}} | `,
  "-ERR 'Invalid Subject'",
  'MSG foo.d 1 | d',
  'MSG none 4 {NATS/1.0 503\r\nNats-Subject: nobody\r\n\r\n} | ',
  'PONG',
];

describe.each(shardCounts)('%i shards', (shards) => {
  // The transcript holds several topics, whose order only this promises at any number of shards.
  const server = useBroker({ shards, order: 'publisher' });

  async function replies(parts: readonly string[]): Promise<string[]> {
    const client = await RawClient.open(server.port);
    for (const part of parts) await client.sendAlone(part);
    const before = await client.exchange();
    const between = await client.exchange();
    const after = await client.exchange();
    client.close();
    return [...before, 'PONG', ...between, 'PONG', ...after];
  }

  test('in one segment', async () => {
    expect(await replies([stream])).toEqual(expected);
  });

  test('cut in two at every byte', async () => {
    for (let cut = 1; cut < stream.length; cut++) {
      expect(await replies([stream.slice(0, cut), stream.slice(cut)]), `cut at ${cut}`).toEqual(expected);
    }
  });

  test('byte by byte', async () => {
    expect(await replies([...stream])).toEqual(expected);
  });

  test.each([2, 3, 5, 7, 16, 64])('in pieces of %i bytes', async (size) => {
    expect(await replies(stream.match(new RegExp(`[^]{1,${size}}`, 'g')) as string[])).toEqual(expected);
  });

  test('a payload larger than any read buffer, in uneven pieces', async () => {
    const client = await RawClient.connect(server.port);
    await client.exchange('SUB big 1\r\n');
    const payload = Buffer.alloc(1_048_576, 'abcdefg');
    const bytes = Buffer.concat([Buffer.from('PUB big 1048576\r\n'), payload, Buffer.from('\r\nPUB big 2\r\nhi\r\n')]);
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 5) % 70_001) {
      await client.sendAlone(bytes.subarray(at, at + size));
    }
    const [big, small] = await client.messages(2);
    expect(big?.payload.equals(payload)).toBe(true);
    expect(small?.payload.toString()).toBe('hi');
  });
});
