import { AckPolicy, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { describe, expect, test } from 'vitest';
import { client } from '../../harness/officialClient.js';
import { shardCounts } from '../../harness/target.js';
import { longMs, noticed, nsPerMs, sequences, take, texts, useSite } from './site.js';

// Push consumers by the official client, as it documents them and as nats-server has them (SHARDCAST_TEST_TARGET=nats-server).

const pushed = { durable_name: 'P', deliver_subject: 'out' };

describe.each(shardCounts)('%i shards', (shards) => {
  const used = useSite({ shards });

  test('what is there is delivered to who subscribes, and what comes later', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    const info = await site.add(pushed);
    expect(info).toMatchObject({ num_pending: 2, config: { deliver_subject: 'out' } });
    expect(info.push_bound).toBeUndefined();
    const messages = await (await site.js.consumers.getPushConsumer('S', 'P')).consume();
    const taken: JsMsg[] = [];
    for await (const message of messages) {
      taken.push(message);
      message.ack();
      if (taken.length === 2) await site.publish('3');
      if (taken.length === 3) break;
    }
    expect(texts(taken)).toEqual(['1', '2', '3']);
    expect(taken.map(({ subject, info }) => [subject, info.deliverySequence])).toEqual([
      ['s.1', 1],
      ['s.1', 2],
      ['s.1', 3],
    ]);
    await site.until('P', { ack_floor: expect.objectContaining({ stream_seq: 3 }), num_pending: 0 });
  });

  test('who listens already is told how much there is before any of it comes', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2', '3');
    site.connection.subscribe('out.>', { callback: () => {} });
    await site.connection.flush();
    const names = Array.from({ length: 40 }, (_, i) => `P${i}`);
    const infos = await Promise.all(
      names.map((name) => site.add({ durable_name: name, deliver_subject: `out.${name}` })),
    );
    expect(infos.map(({ num_pending, delivered }) => [num_pending, delivered.consumer_seq])).toEqual(
      names.map(() => [3, 0]),
    );
    for (const name of names) await site.until(name, { num_pending: 0 });
  });

  test('with a callback', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2', '3');
    await site.add(pushed);
    const consumer = await site.js.consumers.getPushConsumer('S', 'P');
    const taken: JsMsg[] = [];
    const three = new Promise<void>((resolve) => {
      const callback = (message: JsMsg): void => {
        if (taken.push(message) === 3) resolve();
      };
      void consumer.consume({ callback });
    });
    await three;
    expect(sequences(taken)).toEqual([1, 2, 3]);
  });

  test('nothing is delivered while nobody listens; who comes back has the rest', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    await site.add({ ...pushed, ack_wait: 3_600_000 * nsPerMs });
    const consumer = await site.js.consumers.getPushConsumer('S', 'P');
    const first = await consumer.consume();
    expect(sequences(await take(first, 1))).toEqual([1]);
    await first.close();
    await expect.poll(async () => (await consumer.info()).push_bound).toBeUndefined();
    await site.publish('2');
    expect(await consumer.info()).toMatchObject({ num_pending: 1, num_ack_pending: 1 });
    const second = await consumer.consume();
    expect(sequences(await take(second, 1))).toEqual([2]);
  });

  test('a consumer that is bound is nobody else’s', async () => {
    const { site } = used;
    await site.stream();
    await site.add(pushed);
    const consumer = await site.js.consumers.getPushConsumer('S', 'P');
    await consumer.consume();
    await site.until('P', { push_bound: true });
    await expect((await site.js.consumers.getPushConsumer('S', 'P')).consume()).rejects.toThrow('already bound');
    await expect(consumer.consume()).rejects.toThrow('already started');
  });

  test('members of a queue group share what there is', async () => {
    const { site } = used;
    await site.stream();
    await site.add({ ...pushed, deliver_group: 'g' });
    const found: string[] = [];
    const done = new Promise<void>((resolve) => {
      const callback = (message: JsMsg): void => {
        message.ack();
        if (found.push(message.string()) === 100) resolve();
      };
      for (let i = 0; i < 3; i++)
        void site.js.consumers.getPushConsumer('S', 'P').then((consumer) => consumer.consume({ callback }));
    });
    await site.until('P', { push_bound: true });
    await Promise.all(Array.from({ length: 100 }, (_, i) => site.js.publish('s.1', `${i}`)));
    await done;
    expect(new Set(found).size).toBe(100);
    await site.until('P', { num_ack_pending: 0 });
  });

  test('who listens outside of the group gets nothing', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    await site.add({ ...pushed, deliver_group: 'g' });
    site.connection.subscribe('out');
    site.connection.subscribe('out', { queue: 'other' });
    await site.connection.flush();
    const info = await site.manager.consumers.info('S', 'P');
    expect([info.push_bound, info.num_pending]).toEqual([undefined, 1]);
    const member = site.connection.subscribe('out', { queue: 'g', max: 1 });
    for await (const message of member) expect(message.subject).toBe('s.1');
  });

  test('a consumer is served by its parts alone: bound', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    await site.add(pushed);
    const bound = await site.js.consumers.getBoundPushConsumer({ deliver_subject: 'out' });
    expect(sequences(await take(await bound.consume(), 1))).toEqual([1]);
    await expect(bound.info()).rejects.toThrow('bound consumers cannot info');
    await expect(bound.delete()).rejects.toThrow('bound consumers cannot delete');
  });

  test('heartbeats say how far it is', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    await site.add({ ...pushed, idle_heartbeat: 200 * nsPerMs });
    const messages = await (await site.js.consumers.getPushConsumer('S', 'P')).consume();
    const beat = noticed(messages, 'heartbeat');
    const taken = take(messages);
    expect(await beat).toMatchObject({ lastConsumerSequence: 2, lastStreamSequence: 2 });
    await messages.close();
    expect(sequences(await taken)).toEqual([1, 2]);
  });

  test('flow control: it waits for who reads slowly, and all of it arrives in order', async () => {
    const { site } = used;
    await site.stream();
    const payload = new Uint8Array(50_000);
    const count = 200;
    for (let i = 0; i < count; i++) await site.js.publish('s.1', payload);
    const config = { ack_policy: AckPolicy.None, flow_control: true, idle_heartbeat: 1000 * nsPerMs };
    await site.add({ ...pushed, ...config });
    const messages = await (await site.js.consumers.getPushConsumer('S', 'P')).consume();
    const asked = noticed(messages, 'flow_control');
    const taken = await take(messages, count);
    await asked;
    expect(sequences(taken)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  });

  test('who does not answer is not flooded: the server says what it waits for', async () => {
    const { site } = used;
    await site.stream();
    const payload = new Uint8Array(50_000);
    for (let i = 0; i < 60; i++) await site.js.publish('s.1', payload);
    const config = { ack_policy: AckPolicy.None, flow_control: true, idle_heartbeat: 200 * nsPerMs };
    const other = await client(site.port);
    const seen: string[] = [];
    const listening = other.subscribe('out');
    await other.flush();
    await site.add({ ...pushed, ...config });
    let awaited = '';
    for await (const message of listening) {
      const { code, description } = message.headers ?? { code: 0, description: '' };
      if (code === 0) seen.push(message.subject);
      else if (description === 'FlowControl Request') awaited = message.reply as string;
      const stalled = message.headers?.get('Nats-Consumer-Stalled');
      if (stalled) {
        expect(stalled).toBe(awaited);
        expect(message.headers?.get('Nats-Last-Consumer')).toBe(`${seen.length}`);
        // as much as a window of 2 MiB holds
        expect(seen.length).toBe(42);
        other.publish(stalled);
      }
      if (seen.length === 60) break;
    }
    expect(awaited).toMatch(/^\$JS\.FC\.S\.P\./);
  });

  test('headers_only, and filters', async () => {
    const { site } = used;
    await site.stream();
    await site.js.publish('s.a', 'hello');
    await site.js.publish('s.b', 'world');
    await site.add({ ...pushed, headers_only: true, filter_subjects: ['s.b', 's.c'] });
    const messages = await (await site.js.consumers.getPushConsumer('S', 'P')).consume();
    const [message] = await take(messages, 1);
    expect([message?.subject, message?.string(), message?.headers?.get('Nats-Msg-Size')]).toEqual(['s.b', '', '5']);
  });

  test('a rate limit: what is over the burst comes at its rate', async () => {
    const { site } = used;
    await site.stream();
    const payload = new Uint8Array(500_000);
    for (let i = 0; i < 4; i++) await site.js.publish('s.1', payload);
    await site.add({ ...pushed, ack_policy: AckPolicy.None, rate_limit_bps: 8 * 2_000_000 });
    const consumer = await site.js.consumers.getPushConsumer('S', 'P');
    const since = performance.now();
    expect(sequences(await take(await consumer.consume(), 4))).toEqual([1, 2, 3, 4]);
    // a megabyte goes at one go, and what is over it, but for one message, at the rate
    expect(performance.now() - since).toBeGreaterThan(200);
  });

  test('what is not acknowledged is pushed again', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    await site.add({ ...pushed, ack_wait: 200 * nsPerMs, max_deliver: 2 });
    const messages = await (await site.js.consumers.getPushConsumer('S', 'P')).consume();
    const taken = await take(messages, 4);
    expect(taken.map(({ seq, info }) => `${seq} ${info.deliveryCount}`).sort()).toEqual(['1 1', '1 2', '2 1', '2 2']);
  });

  test('max_ack_pending holds what is pushed', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2', '3', '4');
    await site.add({ ...pushed, max_ack_pending: 2 });
    const consumer = await site.js.consumers.getPushConsumer('S', 'P');
    const pending: number[] = [];
    for await (const message of await consumer.consume()) {
      pending.push((await consumer.info()).num_ack_pending);
      await message.ackAck({ timeout: longMs });
      if (message.seq === 4) break;
    }
    expect(pending).toHaveLength(4);
    expect(Math.max(...pending)).toBe(2);
  });

  test('each deliver policy', async () => {
    const { site } = used;
    await site.stream();
    for (const token of 'abab') await site.js.publish(`s.${token}`, token);
    const firstOf = async (config: object): Promise<number> => {
      await site.add({ ...pushed, ...config });
      const consumer = await site.js.consumers.getPushConsumer('S', 'P');
      const messages = await consumer.consume();
      await site.until('P', { push_bound: true });
      if ((await consumer.info(true)).num_pending === 0) await site.js.publish('s.z', 'new');
      const [message] = await take(messages, 1);
      await consumer.delete();
      return message?.seq ?? 0;
    };
    expect(await firstOf({ deliver_policy: DeliverPolicy.All })).toBe(1);
    expect(await firstOf({ deliver_policy: DeliverPolicy.Last })).toBe(4);
    expect(await firstOf({ deliver_policy: DeliverPolicy.LastPerSubject, filter_subject: 's.>' })).toBe(3);
    expect(await firstOf({ deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: 2 })).toBe(2);
    expect(await firstOf({ deliver_policy: DeliverPolicy.New })).toBe(5);
  });

  test('the subject it is delivered to may change while nobody listens to it', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    await site.add(pushed);
    const there = site.connection.subscribe('there');
    await site.manager.consumers.update('S', 'P', { deliver_subject: 'there' });
    for await (const message of there) {
      expect([message.subject, message.string()]).toEqual(['s.1', '1']);
      break;
    }
  });

  test('an ephemeral one goes when nobody listens any more', async () => {
    const { site } = used;
    await site.stream();
    const gone = site.connection.subscribe('$JS.EVENT.ADVISORY.CONSUMER.DELETED.S.E', { max: 1 });
    const listening = site.connection.subscribe('out');
    await site.add({ name: 'E', deliver_subject: 'out', inactive_threshold: 100 * nsPerMs });
    await site.until('E', { push_bound: true });
    listening.unsubscribe();
    for await (const message of gone) expect(message.json()).toMatchObject({ action: 'delete', consumer: 'E' });
    await expect(site.manager.consumers.info('S', 'E')).rejects.toThrow('consumer not found');
  });

  test('a pull consumer is no push consumer', async () => {
    const { site } = used;
    await site.stream();
    await site.add();
    await expect(site.js.consumers.getPushConsumer('S', 'C')).rejects.toThrow('not a push consumer');
  });
});
