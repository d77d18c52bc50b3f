import { describe, expect } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';
import { ours, shardCounts } from '../harness/target.js';

// Invariant 15 of docs/INVARIANTS.md.

const batch = 200;

/** Publishes numbered batches, each with a PING, and starts the next at its PONG, until the connection ends. */
async function publishUntilClosed(
  publisher: RawClient,
  subject: string,
  onPong: (pongs: number) => void,
): Promise<number> {
  let [sent, pongs] = [0, 0];
  const next = (): void => {
    let bytes = '';
    for (let i = 0; i < batch; i++, sent++) bytes += `PUB ${subject} ${String(sent).length}\r\n${sent}\r\n`;
    publisher.send(`${bytes}PING\r\n`);
  };
  publisher.onFrame = ({ op }) => {
    if (op !== 'PONG') return;
    onPong(++pongs);
    next();
  };
  // Two batches are always on their way, so that the end finds traffic in flight.
  next();
  next();
  await publisher.expectClosed();
  return pongs * batch;
}

describe.each(shardCounts)('%i shards', (shards) => {
  ours.each(['SIGTERM', 'SIGINT'] as const)(
    '%s with traffic in flight: what was accepted is delivered, exit 0',
    async (name) => {
      const broker = await Broker.start({ shards });
      const reader = await RawClient.connect(broker.port);
      await reader.exchange('SUB t.* 1\r\n');
      const seen = new Map<string, number[]>();
      reader.onFrame = (frame) => {
        if (frame.op !== 'MSG') return;
        const numbers = seen.get(frame.subject) ?? [];
        numbers.push(Number(frame.payload));
        seen.set(frame.subject, numbers);
      };
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
        const numbers = seen.get(`t.${i}`) ?? [];
        expect(numbers.length).toBeGreaterThanOrEqual(count);
        expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, n) => n));
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
