import { AckPolicy, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import { Empty } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { shardCounts } from '../../harness/target.js';
import { longMs, next, nsPerMs, sequences, take, texts, useSite } from './site.js';

// Acknowledgements and what is delivered again, as the official client documents them and as nats-server has them (SHARDCAST_TEST_TARGET=nats-server).

const second = 1000 * nsPerMs;
const soon = 200 * nsPerMs;

/** What nothing may come before: a time that has passed at the least since `from`, however busy the machine is. */
function expectSince(from: number, ms: number): void {
  // clocks and timers are whole milliseconds
  expect(performance.now() - from).toBeGreaterThanOrEqual(ms - 2);
}

/** Where an acknowledgement of it goes. */
const replyOf = (message: JsMsg): string => (message as unknown as { reply: string }).reply;
const delivery = (message: JsMsg) => [message.seq, message.info.deliveryCount, message.info.deliverySequence];

describe.each(shardCounts)('%i shards', (shards) => {
  const used = useSite({ shards });

  test('the floor rises over what is acknowledged without a gap', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2', '3', '4');
    const consumer = await site.consumer();
    const [one, two, three, four] = (await take(await consumer.fetch({ max_messages: 4 }))) as [
      JsMsg,
      JsMsg,
      JsMsg,
      JsMsg,
    ];
    const state = async (message: JsMsg) => {
      expect(await message.ackAck({ timeout: longMs })).toBe(true);
      const { ack_floor, num_ack_pending } = await consumer.info();
      return [ack_floor.consumer_seq, ack_floor.stream_seq, num_ack_pending];
    };
    expect(await state(three)).toEqual([0, 0, 3]);
    expect(await state(one)).toEqual([1, 1, 2]);
    expect(await state(two)).toEqual([3, 3, 1]);
    expect(await state(four)).toEqual([4, 4, 0]);
    expect(await consumer.info()).toMatchObject({ num_redelivered: 0, num_pending: 0, delivered: { stream_seq: 4 } });
  });

  test('an ack that wants to know is answered, whatever it says and also when it comes again', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    const message = await next(await site.consumer());
    const say = async (text: string): Promise<string> =>
      (await site.connection.request(replyOf(message), text, { timeout: longMs })).string();
    for (const text of ['+WPI', 'junk', '+ACK', '+ACK', '', '-NAK', '+TERM']) expect(await say(text), text).toBe('');
    await site.until('C', { num_ack_pending: 0, ack_floor: expect.objectContaining({ stream_seq: 1 }) });
    expect(await message.ackAck({ timeout: longMs })).toBe(true);
    expect(await message.ackAck({ timeout: longMs })).toBe(false);
  });

  test('an ack of a consumer that is gone finds nobody', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    const consumer = await site.consumer();
    const message = await next(consumer);
    await consumer.delete();
    await expect(message.ackAck({ timeout: longMs })).rejects.toThrow('no responders');
  });

  test('nak: the message comes again at once, before later ones', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    const consumer = await site.consumer();
    (await next(consumer)).nak();
    await site.connection.flush();
    const again = await next(consumer);
    expect(delivery(again)).toEqual([1, 2, 2]);
    expect([again.redelivered, again.string()]).toEqual([true, '1']);
    expect(await consumer.info()).toMatchObject({ num_redelivered: 1, num_ack_pending: 1, num_pending: 1 });
    again.ack();
    await site.until('C', { num_redelivered: 0, num_ack_pending: 0 });
    expect(delivery(await next(consumer))).toEqual([2, 1, 3]);
  });

  test('nak with a delay: others come before it', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    const consumer = await site.consumer();
    const first = await next(consumer);
    const since = performance.now();
    first.nak(200);
    await site.connection.flush();
    const both = await take(await consumer.fetch({ max_messages: 2, expires: longMs }));
    expectSince(since, 200);
    expect(both.map(delivery)).toEqual([
      [2, 1, 2],
      [1, 2, 3],
    ]);
  });

  test('what is not acknowledged in time comes again, with a number of its own', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    const consumer = await site.consumer({ ack_wait: soon });
    const since = performance.now();
    const [one] = await take(await consumer.fetch({ max_messages: 2 }));
    const again = await take(await consumer.fetch({ max_messages: 2, expires: longMs }));
    expectSince(since, 200);
    expect(again.map(({ seq, redelivered }) => [seq, redelivered])).toEqual([
      [1, true],
      [2, true],
    ]);
    expect(new Set(again.map(({ info }) => info.deliverySequence))).toEqual(new Set([3, 4]));
    // an acknowledgement of an earlier delivery is one of the message
    one?.ack();
    await site.until('C', { ack_floor: expect.objectContaining({ stream_seq: 1 }) });
  });

  test('working: the wait begins again', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    const consumer = await site.consumer({ ack_wait: second });
    const message = await next(consumer);
    let since = 0;
    for (let i = 0; i < 3; i++) {
      since = performance.now();
      message.working();
      await site.connection.flush();
    }
    const again = await next(consumer);
    expectSince(since, 1000);
    expect(again.info).toMatchObject({ streamSequence: 1, deliveryCount: 2 });
  });

  test('term: it never comes again, and counts as acknowledged', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    const consumer = await site.consumer({ ack_wait: soon });
    (await next(consumer)).term('enough');
    await site.until('C', { num_ack_pending: 0, ack_floor: expect.objectContaining({ stream_seq: 1 }) });
    for (let count = 1; count <= 3; count++)
      expect(await next(consumer)).toMatchObject({ seq: 2, info: expect.objectContaining({ deliveryCount: count }) });
  });

  test('next: an acknowledgement that asks for another message', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2', '3');
    const consumer = await site.consumer();
    const inbox = site.connection.subscribe('here');
    (await next(consumer)).next('here', { batch: 2, expires: longMs } as never);
    const found: string[] = [];
    for await (const message of inbox) {
      found.push(`${message.subject} ${message.string()}`);
      if (found.length === 2) break;
    }
    expect(found).toEqual(['s.1 2', 's.1 3']);
    expect(await consumer.info()).toMatchObject({ num_ack_pending: 2, ack_floor: { stream_seq: 1 } });
  });

  test('backoff: each delivery waits for as long as the list says, the last one goes on', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    const consumer = await site.consumer({ backoff: [soon, 2 * soon, 3 * soon], max_deliver: 5 });
    expect((await consumer.info(true)).config.ack_wait).toBe(soon);
    let asked = performance.now();
    for (const [i, wait] of [0, 200, 400, 600, 600].entries()) {
      // the delivery before came behind this
      const since = asked;
      asked = performance.now();
      const message = await next(consumer);
      expect(delivery(message)).toEqual([1, i + 1, i + 1]);
      expectSince(since, wait);
    }
  });

  test('max_deliver: no more often than that; the message stays where it is', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    const consumer = await site.consumer({ ack_wait: soon, max_deliver: 2 });
    const all = await take(await consumer.fetch({ max_messages: 4, expires: longMs }));
    expect(all.map(({ seq, info }) => `${seq} ${info.deliveryCount}`).sort()).toEqual(['1 1', '1 2', '2 1', '2 2']);
    expect(await consumer.next({ expires: 1000 })).toBeNull();
    await site.until('C', { num_ack_pending: 0 });
    expect((await site.manager.streams.info('S')).state.messages).toBe(2);
  });

  test('max_ack_pending: no more are under way; each acknowledgement lets the next come', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2', '3', '4', '5');
    const consumer = await site.consumer({ max_ack_pending: 2 });
    const coming: number[] = [];
    for await (const message of await consumer.fetch({ max_messages: 5, expires: longMs })) {
      const { num_ack_pending, num_pending } = await consumer.info();
      coming.push(num_ack_pending);
      expect(num_pending).toBeGreaterThanOrEqual(5 - message.seq - 1);
      message.ack();
    }
    expect(coming).toHaveLength(5);
    expect(Math.max(...coming)).toBe(2);
  });

  test('ack_policy all: one acknowledges all before it', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2', '3', '4');
    const consumer = await site.consumer({ ack_policy: AckPolicy.All, ack_wait: second });
    const messages = await take(await consumer.fetch({ max_messages: 4 }));
    messages[2]?.ack();
    await site.until('C', {
      num_ack_pending: 1,
      ack_floor: expect.objectContaining({ consumer_seq: 3, stream_seq: 3 }),
    });
    expect(delivery(await next(consumer))).toEqual([4, 2, 5]);
  });

  test('ack_policy none: nothing is pending, nothing comes again', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    const consumer = await site.consumer({ ack_policy: AckPolicy.None });
    const messages = await take(await consumer.fetch({ max_messages: 2 }));
    expect(sequences(messages)).toEqual([1, 2]);
    expect(await consumer.info()).toMatchObject({ num_ack_pending: 0, ack_floor: { consumer_seq: 2, stream_seq: 2 } });
    const reply = replyOf(messages[0] as JsMsg);
    await expect(site.connection.request(reply, Empty, { timeout: longMs })).rejects.toThrow('no responders');
  });

  test('what is removed from the stream is pending no more', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2', '3');
    const consumer = await site.consumer({ ack_wait: soon });
    expect(sequences(await take(await consumer.fetch({ max_messages: 2 })))).toEqual([1, 2]);
    await site.manager.streams.deleteMessage('S', 1);
    const more = await take(await consumer.fetch({ max_messages: 2, expires: longMs }));
    expect(sequences(more).sort()).toEqual([2, 3]);
    await site.manager.streams.purge('S');
    await site.until('C', { num_pending: 0, num_ack_pending: 0 });
    await site.publish('4');
    expect(delivery(await next(consumer))).toEqual([4, 1, 5]);
  });

  test('two who work on one consumer share what there is', async () => {
    const { site } = used;
    await site.stream();
    await site.consumer();
    const found: string[][] = [[], []];
    const workers: ConsumerMessages[] = [];
    const done = new Promise<void>((resolve) => {
      const work = async (mine: string[]): Promise<void> => {
        const callback = (message: JsMsg): void => {
          mine.push(message.string());
          message.ack();
          if (found.flat().length === 100) resolve();
        };
        workers.push(await (await site.js.consumers.get('S', 'C')).consume({ max_messages: 4, callback }));
      };
      for (const mine of found) void work(mine);
    });
    await site.until('C', { num_waiting: 2 });
    await Promise.all(Array.from({ length: 100 }, (_, i) => site.js.publish('s.1', `${i}`)));
    await done;
    await Promise.all(workers.map((worker) => worker.close()));
    expect(new Set(found.flat()).size).toBe(100);
    for (const mine of found) expect(mine.length).toBeGreaterThan(0);
  });

  test('an update of ack_wait, max_deliver and max_ack_pending holds for what is under way', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2', '3');
    const consumer = await site.consumer({ ack_wait: 3600 * second, max_ack_pending: 1 });
    expect(texts([await next(consumer)])).toEqual(['1']);
    const updated = await site.manager.consumers.update('S', 'C', { max_ack_pending: 2, ack_wait: soon });
    expect(updated.config).toMatchObject({ max_ack_pending: 2, ack_wait: soon });
    const more = await take(await consumer.fetch({ max_messages: 2, expires: longMs }));
    expect(sequences(more).sort()).toEqual([1, 2]);
  });
});
