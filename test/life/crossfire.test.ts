import { describe, expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { type BrokerOptions, useBroker } from '../harness/server.js';
import { isOracle, shardCounts } from '../harness/target.js';

// Invariant 9 of docs/INVARIANTS.md.

const peers = 8;
const topics = 5;
const each = 6000;

/** Everybody publishes to everybody at full speed, all at once, nobody waits: what the broker must park, it must also resume. */
const brokers: readonly BrokerOptions[] = [
  ...shardCounts.map((shards) => ({ shards })),
  // Every ring at its smallest, so that all of them are full nearly all the time.
  ...(isOracle ? [] : [{ shards: 4, args: ['--lane-size', '4KiB'] }]),
];

describe.each(brokers)('%j', (options) => {
  const server = useBroker(options);

  test('payloads of every size pass, also those larger than a ring', async () => {
    const readers = await Promise.all([1, 2, 3].map(() => RawClient.connect(server.port)));
    for (const reader of readers) await reader.exchange('SUB size.* 1\r\n');
    const publishers = await Promise.all([1, 2, 3].map(() => RawClient.connect(server.port)));
    const sizes = [0, 1, 500, 1000, 1023, 1024, 1025, 3000, 70_000, 1_048_576];
    for (const [p, publisher] of publishers.entries()) {
      for (const size of sizes) publisher.send(`PUB size.${p} ${size}\r\n${'x'.repeat(size)}\r\n`);
    }
    for (const reader of readers) {
      const messages = await reader.messages(publishers.length * sizes.length);
      for (const p of publishers.keys()) {
        expect(messages.filter(({ subject }) => subject === `size.${p}`).map(({ payload }) => payload.length)).toEqual(
          sizes,
        );
      }
    }
  });

  test('all to all at full speed: nothing lost, doubled or out of order', { timeout: 120_000 }, async () => {
    const clients = await Promise.all(Array.from({ length: peers }, () => RawClient.connect(server.port)));
    const logs: string[][][] = clients.map(() => Array.from({ length: topics }, () => []));
    const received = clients.map(() => 0);
    await Promise.all(clients.map((client) => client.exchange('SUB x.* 1\r\n')));
    const complete = clients.map(
      (client, i) =>
        new Promise<void>((resolve, reject) => {
          client.socket.on('close', () => reject(new Error(`client ${i} was closed after ${received[i]} messages`)));
          client.onFrame = (frame) => {
            if (frame.op === '-ERR') reject(new Error(frame.text));
            if (frame.op !== 'MSG') return;
            logs[i]?.[Number(frame.subject.slice(2))]?.push(frame.payload.toString('latin1'));
            received[i] = (received[i] as number) + 1;
            if (received[i] === peers * each) resolve();
          };
        }),
    );
    for (const [p, client] of clients.entries()) {
      let bytes = '';
      for (let i = 0; i < each; i++) {
        const text = `${p}.${i}`;
        bytes += `PUB x.${i % topics} ${text.length}\r\n${text}\r\n`;
      }
      client.send(bytes);
    }
    await Promise.all(complete);
    for (let topic = 0; topic < topics; topic++) {
      const first = logs[0]?.[topic] as string[];
      for (let p = 0; p < peers; p++) {
        const numbers = first.filter((text) => text.startsWith(`${p}.`)).map((text) => Number(text.slice(2)));
        expect(numbers).toEqual(Array.from({ length: each / topics }, (_, i) => i * topics + topic));
      }
      // One order for all is ours; nats-server promises each publisher's only.
      for (const log of logs)
        expect(isOracle ? [...(log[topic] ?? [])].sort() : log[topic]).toEqual(isOracle ? [...first].sort() : first);
    }
  });
});
