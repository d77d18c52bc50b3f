import { expect, test } from 'vitest';
import { inProcess, portOf } from '../client/broker.js';
import { RawClient } from '../harness/rawClient.js';
import { censusPauseMs, heapBytes } from '../heap.js';

// Invariant 14 of docs/INVARIANTS.md.

/** How many more are used once everything is warm; `SHARDCAST_INBOXES=1000000` is a million. */
const inboxes = Number(process.env.SHARDCAST_INBOXES ?? 40_000);
const warmUp = 20_000;
const batch = 10_000;
/** What all of them may leave on a thread, in bytes: slack of the engine and a block of output that a busy moment took; below an object a subject. */
const growthBytesMax = 2_300_000;

test.each([1, 4])('inboxes, each subscribed, used and left, leave nothing behind: %i shards', async (shards) => {
  heapBytes(); // has the engine offer its collector to threads that begin from now on
  const broker = await inProcess({ shards });
  const [asker, service] = [await RawClient.connect(portOf(broker)), await RawClient.connect(portOf(broker))];
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
  /** What each thread holds after so many inboxes, once it has forgotten their topics. */
  const heldAfter = async (count: number): Promise<number[]> => {
    while (used < count) await batchOfInboxes();
    const forgotten = async (): Promise<boolean> => (await broker.census()).every(({ topics }) => topics === 0);
    await expect.poll(forgotten, { timeout: 300_000, interval: censusPauseMs }).toBe(true);
    return (await broker.census()).map(({ memoryBytes }) => memoryBytes);
  };
  const before = await heldAfter(warmUp);
  const after = await heldAfter(warmUp + inboxes);
  if (process.env.SHARDCAST_INBOXES !== undefined)
    console.log(`growth by thread ${after.map((bytes, shard) => bytes - before[shard]!)} bytes`);
  for (const [shard, bytes] of after.entries()) expect(bytes - before[shard]!).toBeLessThan(growthBytesMax);
  expect(await asker.exchange('SUB _INBOX.a8Zk.1 1\r\nPUB _INBOX.a8Zk.1 1\r\ny\r\n')).toEqual([
    'MSG _INBOX.a8Zk.1 1 | y',
  ]);
});
