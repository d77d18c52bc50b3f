import { describe, expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { isOracle, shardCounts } from '../harness/target.js';

const peers = 8;
const topics = 5;
const each = 6000;

/** Everybody publishes to everybody at full speed, all at once, nobody waits: what the broker must park, it must also resume. */
describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards });

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
