import { describe, expect } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';
import { ours, shardCounts } from '../harness/target.js';
import { Numbers, publishUntilClosed } from './numbered.js';

// Invariant 15 of docs/INVARIANTS.md.

describe.each(shardCounts)('%i shards', (shards) => {
  ours.each(['SIGTERM', 'SIGINT'] as const)(
    '%s with traffic in flight: what was accepted is delivered, exit 0',
    async (name) => {
      const broker = await Broker.start({ shards });
      const reader = await RawClient.connect(broker.port);
      await reader.exchange('SUB t.* 1\r\n');
      const seen = Numbers.of(reader);
      const publishers = await Promise.all([0, 1, 2].map(() => RawClient.connect(broker.port)));
      const published = publishers.map((publisher, i) =>
        publishUntilClosed(publisher, `t.${i}`, (pongs) => {
          if (i === 0 && pongs === 20) broker.signal(name);
        }),
      );
      const accepted = await Promise.all(published);
      await reader.expectClosed();
      expect(await broker.exited).toEqual({ code: 0, signal: null });
      for (const [i, count] of accepted.entries()) {
        expect(seen.count(`t.${i}`)).toBeGreaterThanOrEqual(count);
        expect(seen.fault(`t.${i}`)).toBe(null);
      }
      await broker.stop();
    },
  );
});

ours('SIGTERM with idle clients, half a message and a client that never reads: exit 0', async () => {
  const broker = await Broker.start({ shards: 2 });
  const [idle, half, deaf] = await Promise.all([1, 2, 3].map(() => RawClient.connect(broker.port)));
  await idle?.exchange('SUB a 1\r\n');
  await half?.sendAlone('PUB a 10\r\n01');
  await deaf?.exchange('SUB deaf 1\r\n');
  deaf?.socket.pause();
  const publisher = await RawClient.connect(broker.port);
  await publisher.exchange(`PUB deaf 500000\r\n${'x'.repeat(500_000)}\r\n`.repeat(20));
  expect(await broker.stop()).toEqual({ code: 0, signal: null });
  // Whether it is told of the shutdown is not promised; nothing else may come.
  expect((await idle?.expectClosed())?.filter((line) => line !== "-ERR 'Server Shutdown'")).toEqual([]);
});
