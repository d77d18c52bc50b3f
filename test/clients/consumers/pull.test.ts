import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { jserrors } from '@nats-io/jetstream/internal';
import { headers } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { shardCounts } from '../../harness/target.js';
import { longMs, next, noticed, nsPerMs, sequences, take, texts, useSite } from './site.js';

// Fetch, next and consume of the official client, as its documentation has them and as nats-server answers (SHARDCAST_TEST_TARGET=nats-server).

const isWaiting = { num_waiting: 1 };

describe.each(shardCounts)('%i shards', (shards) => {
  const used = useSite({ shards });

  test('next gives one message after the other, and null when there is none in time', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('a', 'b');
    const consumer = await site.consumer();
    for (const [i, text] of ['a', 'b'].entries()) {
      const message = await next(consumer);
      expect(message).toMatchObject({ subject: 's.1', seq: i + 1, redelivered: false });
      expect(message.string()).toBe(text);
      const { info } = message;
      expect(info).toMatchObject({ stream: 'S', consumer: 'C', deliveryCount: 1, pending: 1 - i, redelivered: false });
      expect(info).toMatchObject({ streamSequence: i + 1, deliverySequence: i + 1 });
      expect(message.time.toISOString()).toBe(
        (await site.manager.streams.getMessage('S', { seq: i + 1 }))?.time.toISOString(),
      );
      message.ack();
    }
    expect(await consumer.next({ expires: 1000 })).toBeNull();
    expect(await consumer.info()).toMatchObject({ num_pending: 0, delivered: { consumer_seq: 2, stream_seq: 2 } });
  });

  test('next waits for what is published later', async () => {
    const { site } = used;
    await site.stream();
    const consumer = await site.consumer();
    const coming = next(consumer);
    await site.until('C', isWaiting);
    await site.publish('late');
    expect((await coming).string()).toBe('late');
    await site.until('C', { num_waiting: 0 });
  });

  test('headers and an empty payload come as they were stored', async () => {
    const { site } = used;
    await site.stream();
    const given = headers();
    given.append('own', 'x');
    given.append('own', 'y');
    await site.js.publish('s.h', '', { headers: given as never, msgID: 'once' });
    const message = await next(await site.consumer());
    expect([message.headers?.values('own'), message.headers?.get('Nats-Msg-Id'), message.data.length]).toEqual([
      ['x', 'y'],
      'once',
      0,
    ]);
  });

  test('fetch ends when it has what it asked for, or when its time is over', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('a', 'b', 'c');
    const consumer = await site.consumer();
    expect(texts(await take(await consumer.fetch({ max_messages: 2, expires: longMs })))).toEqual(['a', 'b']);
    expect(texts(await take(await consumer.fetch({ max_messages: 5, expires: 1000 })))).toEqual(['c']);
    expect(await take(await consumer.fetch({ max_messages: 5, expires: 1000 }))).toEqual([]);
    expect(await consumer.info()).toMatchObject({ num_waiting: 0, num_ack_pending: 3 });
  });

  test('fetch of bytes takes what fits', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('x'.repeat(300), 'y'.repeat(300), 'z'.repeat(300));
    const consumer = await site.consumer();
    const some = await consumer.fetch({ max_bytes: 900, expires: longMs });
    const dropped = noticed(some, 'discard');
    const taken: JsMsg[] = [];
    const ended = (async () => {
      for await (const message of some) taken.push(message);
    })();
    await expect(ended).rejects.toThrow('message size exceeds maxbytes');
    expect(await dropped).toMatchObject({ messagesLeft: 98 });
    expect(sequences(taken)).toEqual([1, 2]);
    expect(await consumer.info()).toMatchObject({ num_pending: 1, num_waiting: 0 });
  });

  test('fetch without wait of several at once: what waits is served in turns', async () => {
    const { site } = used;
    await site.stream();
    const consumer = await site.consumer();
    const first = take(await consumer.fetch({ max_messages: 3, expires: longMs }));
    const second = take(await (await site.js.consumers.get('S', 'C')).fetch({ max_messages: 3, expires: longMs }));
    await site.until('C', { num_waiting: 2 });
    await site.publish('1', '2', '3', '4', '5', '6');
    const both = [await first, await second].map(sequences);
    expect(both.sort(([a], [b]) => (a as number) - (b as number))).toEqual([
      [1, 3, 5],
      [2, 4, 6],
    ]);
  });

  test('fetch without wait beside others that wait for more than there is: it is told so, while nothing is delivered, too', async () => {
    const { site } = used;
    await site.stream();
    const consumer = await site.consumer();
    const first = await consumer.fetch({ max_messages: 3, expires: longMs });
    const taken = take(first);
    await site.until('C', { num_waiting: 1 });
    await site.manager.consumers.pause('S', 'C', new Date(Date.now() + 3_600_000));
    await site.publish('1', '2');
    const asked = JSON.stringify({ batch: 1, no_wait: true });
    const { headers } = await site.connection.request('$JS.API.CONSUMER.MSG.NEXT.S.C', asked, { timeout: longMs });
    expect(headers).toMatchObject({ code: 408, description: 'Requests Pending' });
    await first.close();
    expect(await taken).toEqual([]);
  });

  test('consume goes on and on, and asks again before it runs dry', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('first');
    const consumer = await site.consumer();
    const messages = await consumer.consume({ max_messages: 10 });
    const asked: number[] = [];
    const listening = (async () => {
      for await (const each of messages.status()) if (each.type === 'next') asked.push(each.options.batch as number);
    })();
    const publishing = (async () => {
      for (let i = 2; i <= 100; i++) await site.js.publish('s.1', `${i}`);
    })();
    const taken: JsMsg[] = [];
    for await (const message of messages) {
      taken.push(message);
      message.ack();
      if (taken.length === 100) break;
    }
    await publishing;
    await messages.close();
    await listening;
    expect(sequences(taken)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    // three quarters of ten are eight: below that it asks for what is missing
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.slice(1).every((batch) => batch >= 2 && batch <= 10)).toBe(true);
    await site.until('C', { num_ack_pending: 0, num_pending: 0 });
  });

  test('consume asks again where it is told to: threshold_messages', async () => {
    const { site } = used;
    await site.stream();
    await site.publish(...Array.from({ length: 20 }, (_, i) => `${i}`));
    const messages = await (await site.consumer()).consume({ max_messages: 10, threshold_messages: 1 });
    const asked: number[] = [];
    const listening = (async () => {
      for await (const each of messages.status()) if (each.type === 'next') asked.push(each.options.batch as number);
    })();
    expect(sequences(await take(messages, 20))).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    await messages.close();
    await listening;
    expect(asked.slice(0, 2)).toEqual([10, 9]);
  });

  test('consume with a callback', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2', '3');
    const consumer = await site.consumer();
    const taken: JsMsg[] = [];
    let messages: ConsumerMessages | undefined;
    await new Promise<void>((resolve) => {
      const callback = (message: JsMsg): void => {
        message.ack();
        if (taken.push(message) === 3) resolve();
      };
      void consumer.consume({ callback }).then((begun) => {
        messages = begun;
      });
    });
    await messages?.close();
    expect(sequences(taken)).toEqual([1, 2, 3]);
    await site.until('C', { ack_floor: expect.objectContaining({ stream_seq: 3 }), num_waiting: 0 });
  });

  test('consume by bytes never has more under way than it asked for, and goes on', async () => {
    const { site } = used;
    await site.stream();
    const payload = 'x'.repeat(500);
    await site.publish(...Array.from({ length: 20 }, () => payload));
    const messages = await (await site.consumer()).consume({ max_bytes: 2000, expires: 1000, idle_heartbeat: 500 });
    const taken = new Set<number>();
    for await (const message of messages) {
      message.ack();
      // what did not fit comes as soon as there is room, and may be behind others
      if (taken.add(message.seq).size === 20) break;
    }
    expect(Math.max(...taken)).toBe(20);
  });

  test('heartbeats come while there is nothing to deliver', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    const messages = await (await site.consumer()).consume({ idle_heartbeat: 500, expires: longMs });
    const beat = noticed(messages, 'heartbeat');
    const taken = take(messages);
    expect(await beat).toMatchObject({ lastConsumerSequence: 1, lastStreamSequence: 1 });
    await messages.close();
    expect(sequences(await taken)).toEqual([1]);
  });

  test('close ends the messages, and what was asked for waits no longer', async () => {
    const { site } = used;
    await site.stream();
    const messages = await (await site.consumer()).consume();
    const taken = take(messages);
    await site.until('C', isWaiting);
    expect(await messages.close()).toBeUndefined();
    expect(await messages.closed()).toBeUndefined();
    expect(await taken).toEqual([]);
    await site.until('C', { num_waiting: 0 });
  });

  test('what ends without having been taken is delivered to the next', async () => {
    const { site } = used;
    await site.stream();
    const consumer = await site.consumer();
    const left = await consumer.consume({ callback: () => {} });
    await site.until('C', isWaiting);
    await left.close();
    await site.connection.flush();
    await site.publish('1');
    const message = await next(consumer);
    expect(message.info).toMatchObject({ streamSequence: 1, deliveryCount: 1 });
  });

  test('a consumer that is deleted says so to who fetches and who consumes', async () => {
    const { site } = used;
    await site.stream();
    const consumer = await site.consumer();
    const consumed = await consumer.consume({ abort_on_missing_resource: true });
    const told = noticed(consumed, 'consumer_deleted');
    const fetched = take(await consumer.fetch({ max_messages: 1, expires: longMs }));
    const failures = [take(consumed), fetched].map((each) => expect(each).rejects.toThrow(/^consumer deleted$/i));
    await site.until('C', { num_waiting: 2 });
    expect(await consumer.delete()).toBe(true);
    expect(await told).toMatchObject({ code: 409, description: 'consumer deleted' });
    await Promise.all(failures);
    await expect(consumer.info()).rejects.toThrow(jserrors.ConsumerNotFoundError);
    await expect(site.js.consumers.get('S', 'C')).rejects.toThrow('consumer not found');
  });

  test('a consumer whose stream is deleted says that it is deleted', async () => {
    const { site } = used;
    await site.stream();
    const consumed = await (await site.consumer()).consume({ abort_on_missing_resource: true });
    const failed = expect(take(consumed)).rejects.toThrow(/^consumer deleted$/i);
    await site.until('C', isWaiting);
    await site.manager.streams.delete('S');
    await failed;
    await expect(site.js.consumers.get('S', 'C')).rejects.toThrow('stream not found');
  });

  test('next and fetch of a consumer that is gone find nobody', async () => {
    const { site } = used;
    await site.stream();
    const consumer = await site.consumer();
    await site.manager.consumers.delete('S', 'C');
    await expect(consumer.next({ expires: longMs })).rejects.toThrow('no responders');
  });

  test('a consumer that is made again is found by who consumes', async () => {
    const { site } = used;
    await site.stream();
    const consumer = await site.consumer();
    const messages = await consumer.consume({ expires: 1000, idle_heartbeat: 500 });
    const missed = noticed(messages, 'consumer_deleted');
    const taken = take(messages, 1);
    await site.until('C', isWaiting);
    await consumer.delete();
    await missed;
    await site.publish('1');
    await site.add();
    expect(sequences(await taken)).toEqual([1]);
  });

  test('limits of requests are told: max_batch, max_expires, max_bytes, max_waiting', async () => {
    const { site } = used;
    await site.stream();
    const failure = async (config: object, asked: object): Promise<string> => {
      const consumer = await site.consumer({ durable_name: 'L', ...config });
      const messages = await consumer.fetch({ expires: longMs, ...asked } as never);
      const told = noticed(messages, 'exceeded_limits').catch(() => undefined);
      const error: unknown = await take(messages).catch((thrown: unknown) => thrown);
      await told;
      await consumer.delete();
      return (error as Error).message;
    };
    expect(await failure({ max_batch: 2 }, { max_messages: 3 })).toBe('exceeded maxrequestbatch of 2');
    expect(await failure({ max_expires: 5000 * nsPerMs }, { max_messages: 1 })).toBe(
      'exceeded maxrequestexpires of 5s',
    );
    expect(await failure({ max_bytes: 1000 }, { max_bytes: 1001 })).toBe('exceeded maxrequestmaxbytes of 1000');
    await site.consumer({ durable_name: 'W', max_waiting: 1 });
    const inbox = site.connection.subscribe('inbox.*');
    const pull = (reply: string): void =>
      site.connection.publish(
        '$JS.API.CONSUMER.MSG.NEXT.S.W',
        JSON.stringify({ batch: 1, expires: longMs * nsPerMs }),
        {
          reply,
        },
      );
    pull('inbox.a');
    await site.until('W', isWaiting);
    pull('inbox.b');
    for await (const message of inbox) {
      expect([message.subject, message.headers?.code, message.headers?.description]).toEqual([
        'inbox.b',
        409,
        'Exceeded MaxWaiting',
      ]);
      break;
    }
  });

  test('fetch of a push consumer is refused', async () => {
    const { site } = used;
    await site.stream();
    const info = await site.add({ durable_name: 'P', deliver_subject: 'out' });
    await expect(site.js.consumers.get('S', 'P')).rejects.toThrow('not a pull consumer');
    const config = { ...info.config };
    delete config.deliver_subject;
    const consumer = site.js.consumers.getConsumerFromInfo({ ...info, config });
    await expect(take(await consumer.fetch({ expires: longMs }))).rejects.toThrow('consumer is push based');
  });

  test('who fetches with bind does without any info', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    const info = await site.add();
    const consumer = site.js.consumers.getConsumerFromInfo(info);
    expect(sequences(await take(await consumer.fetch({ max_messages: 1, bind: true })))).toEqual([1]);
  });
});
