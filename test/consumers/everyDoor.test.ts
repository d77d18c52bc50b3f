import { describe, expect, test } from 'vitest';
import { type DoorClient, type DoorMessage, doors } from '../doors/everyDoor.js';
import { Ordering, useConsumers } from './broker.js';
import { type ConsumerOrder, contentOf, orderOf, timeOf } from './messages.js';

// Invariant 33 of docs/INVARIANTS.md.

const headers = 'NATS/1.0\r\nkind: test\r\n\r\n';

/** Message `sequence` as a client has it, by the consumer's numbers: all are sent once, in order. */
function expectedOf(order: ConsumerOrder, sequence: number): DoorMessage {
  const [seconds, nanoseconds] = timeOf(sequence);
  const time = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  const payload = contentOf(order, sequence).slice(order.headers.length);
  return {
    subject: order.subjects[(sequence - 1) % order.subjects.length] as string,
    payload: Buffer.from(payload).toString('base64'),
    reply: `$JS.ACK.TEST.${order.name}.1.${sequence}.${sequence}.${time}.${order.count - sequence}`,
    ...(order.headers === '' ? {} : { headers: { kind: 'test' } }),
  };
}

const plain = (message: DoorMessage) => JSON.parse(JSON.stringify(message)) as DoorMessage;

/** Has a client of a door take a consumer's messages; resolves with them, once there are as many as it sends. */
async function taking(client: DoorClient, { address, count }: ConsumerOrder): Promise<{ all: Promise<DoorMessage[]> }> {
  const messages: DoorMessage[] = [];
  let finish: (all: DoorMessage[]) => void;
  const all = new Promise<DoorMessage[]>((resolve) => {
    finish = resolve;
  });
  const take = (message: DoorMessage) => {
    messages.push(plain(message));
    if (messages.length === count) finish(messages);
  };
  await client.subscribe(address, take, false);
  return { all };
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  const resident = useConsumers({ shards });

  test.each(Object.keys(doors))('%s: each message shows its subject and a reply of its own', async (door) => {
    const ordering = new Ordering();
    for (let shard = 0; shard < shards; shard++) {
      const order = orderOf(shard, `c${shard}-${door.replaceAll(' ', '')}`, {
        headers: shard % 2 === 0 ? headers : '',
      });
      const { all } = await taking(await doors[door]!(resident.broker), order);
      ordering.order(order);
      const expected = Array.from({ length: order.count }, (_, i) => expectedOf(order, i + 1));
      expect(await all).toEqual(expected);
      expect(await ordering.done(order.name)).toMatchObject({ redelivered: 0 });
    }
  });
});
