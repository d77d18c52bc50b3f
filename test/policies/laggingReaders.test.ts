import { describe, expect, test } from 'vitest';
import type { Message } from '../harness/frames.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';
import { numberOf, padding, publication } from './slowSubscriber.js';

// Invariant 31 of docs/INVARIANTS.md.

const mebibyte = 1024 * 1024;
const topics = 8;
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Publishes numbered messages over some topics in turn, as fast as the broker takes them. */
async function flood(port: number, count: number): Promise<void> {
  const publisher = await RawClient.connect(port);
  let bytes = '';
  for (let i = 0; i < count; i++) bytes += publication(`lag.${i % topics}`, `${i} ${padding}`);
  expect(await publisher.exchange(bytes)).toEqual([]);
}

describe.each(shardCounts)('%i shards', (shards) => {
  // an order over all topics, so that what came can be compared with what was sent
  const server = useBroker({
    shards,
    order: 'publisher',
    config: { max_pending: 8 * mebibyte },
    args: ['--write-deadline', '60s'],
  });

  test('readers that pause again and again get everything, beside one that does not', async () => {
    const count = 2_000;
    const readers = await Promise.all([0, 1, 2].map(() => RawClient.connect(server.port)));
    for (const [i, reader] of readers.entries()) {
      await reader.exchange(
        i === 1
          ? upTo(topics)
              .map((topic) => `SUB lag.${topic} ${topic}\r\n`)
              .join('')
          : 'SUB lag.> 1\r\n',
      );
      if (i > 0) pauseNowAndThen(reader, 2 * mebibyte, 40);
    }
    const flooded = flood(server.port, count);
    const came = await Promise.all(readers.map((reader) => reader.messages(count)));
    await flooded;
    for (const messages of came) expect(messages.map(numberOf)).toEqual(upTo(count));
  });
});

/** Has a client stop reading for a moment whenever it has read so much more. */
function pauseNowAndThen(client: RawClient, everyBytes: number, pauseMs: number): void {
  let next = everyBytes;
  client.socket.on('data', () => {
    if (client.socket.bytesRead < next) return;
    next = client.socket.bytesRead + everyBytes;
    client.socket.pause();
    setTimeout(() => client.socket.resume(), pauseMs);
  });
}

describe('no_fast_producer_stall', () => {
  const server = useBroker({
    shards: 2,
    config: { max_pending: 4 * mebibyte },
    args: ['--write-deadline', '60s', '--no-fast-producer-stall'],
  });

  test('one that does not read is not waited for and not ended: it misses what it had no room for', async () => {
    const [reader, slow, publisher] = await Promise.all([0, 1, 2].map(() => RawClient.connect(server.port)));
    for (const client of [reader, slow]) await client?.exchange('SUB lag 1\r\n');
    slow?.socket.pause();
    const count = 2_000;
    for (let i = 0; i < count; i += 8) {
      const bytes = upTo(8).map((j) => publication('lag', `${i + j} ${padding}`));
      await publisher?.exchange(bytes.join(''));
      expect((await reader?.messages(8))?.map(numberOf)).toEqual(upTo(8).map((j) => i + j));
    }
    slow?.socket.resume();
    const isEnd = (frame: { op: string }): boolean =>
      frame.op === 'MSG' && (frame as Message).payload.toString() === 'end';
    while (!slow?.frames.some(isEnd)) {
      await publisher?.exchange(publication('lag', 'end'));
      await slow?.exchangeKeeping();
    }
    const got = slow?.frames.filter((frame): frame is Message => frame.op === 'MSG' && !isEnd(frame)).map(numberOf);
    expect(got).toEqual([...(got ?? [])].sort((a, b) => a - b));
    expect(new Set(got).size).toBe(got?.length);
    expect(got?.length).toBeLessThan(count);
    expect(slow?.closed).toBe(false);
  });
});
