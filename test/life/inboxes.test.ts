import { describe, expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

// Invariant 14 of docs/INVARIANTS.md.

/** What a million more subjects may leave: the collector's slack, far below one object a subject. */
const growthBytesMax = 100_000_000;
const batch = 10_000;

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards });

  /** The whole million once; at other shard counts enough to see a leak. */
  const inboxes = shards === 1 ? 1_200_000 : 300_000;

  test('a million inboxes, each subscribed, used and left, leave nothing behind', async () => {
    const [asker, service] = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    await service.exchange('SUB nothing 1\r\n');
    let used = 0;
    const batchOfInboxes = async (): Promise<void> => {
      let [subscribe, publish, leave] = ['', '', ''];
      for (let i = 0; i < batch; i++, used++) {
        subscribe += `SUB _INBOX.a8Zk.${used} ${used}\r\n`;
        publish += `PUB _INBOX.a8Zk.${used} 1\r\nx\r\nPUB unheard.${used} 0\r\n\r\n`;
        leave += `UNSUB ${used}\r\n`;
      }
      await asker.exchange(subscribe);
      await service.exchange(publish);
      expect(await asker.exchange(leave)).toHaveLength(batch);
    };
    /** What is resident after each batch up to so many inboxes: it goes up and down with the collectors of all threads. */
    const residentUntil = async (count: number): Promise<number[]> => {
      const bytes: number[] = [];
      for (; used < count; bytes.push(server.broker.residentBytes)) await batchOfInboxes();
      return bytes;
    };
    await residentUntil(150_000);
    const warmBytes = Math.max(...(await residentUntil(200_000)));
    await residentUntil(inboxes - 50_000);
    const leastBytes = Math.min(...(await residentUntil(inboxes)));
    expect(leastBytes - warmBytes).toBeLessThan(growthBytesMax);
    expect(await asker.exchange('SUB _INBOX.a8Zk.1 1\r\nPUB _INBOX.a8Zk.1 1\r\ny\r\n')).toEqual([
      'MSG _INBOX.a8Zk.1 1 | y',
    ]);
  });
});
