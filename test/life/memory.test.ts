import { once } from 'node:events';
import { describe, expect } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ours, shardCounts } from '../harness/target.js';

// Invariant 10 of docs/INVARIANTS.md.

/** Bytes above what the idle broker takes: four readers of 16 MB pending each, rings, and the collector's slack. */
const growthBytesMax = 400_000_000;
const body = 'x'.repeat(1000);
const block = Buffer.from(`PUB mem.t ${body.length}\r\n${body}\r\n`.repeat(1000));
const blocks = 20;

/** Reads one chunk in ten turns of the event loop, and comes back when it is thrown out. */
async function slowReader(port: number, stop: AbortSignal): Promise<void> {
  const stopped = once(stop, 'abort');
  while (!stop.aborted) {
    const reader = await RawClient.connect(port);
    await reader.exchange('SUB mem.> 1\r\n');
    reader.onFrame = () => {};
    const rest = (turns: number): void => {
      if (turns === 0 || stop.aborted) reader.socket.resume();
      else setImmediate(rest, turns - 1);
    };
    reader.socket.on('data', () => {
      reader.socket.pause();
      rest(10);
    });
    await Promise.race([new Promise((resolve) => reader.socket.on('close', resolve)), stopped]);
    reader.close();
  }
}

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards, config: { max_pending: 16_000_000 } });

  ours('ten publishers at full speed and slow readers: memory stays bounded', async () => {
    const idleBytes = server.broker.residentBytes;
    let peakBytes = 0;
    const over = new AbortController();
    const readers = Array.from({ length: 4 }, () => slowReader(server.port, over.signal));
    const publishers = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(server.port)));
    const publish = async (publisher: RawClient): Promise<void> => {
      for (let i = 0; i < blocks; i++) {
        await publisher.exchange(block);
        peakBytes = Math.max(peakBytes, server.broker.residentBytes);
      }
    };
    await Promise.all(publishers.map(publish));
    over.abort();
    await Promise.all(readers);
    expect(peakBytes - idleBytes).toBeLessThan(growthBytesMax);
  });
});
