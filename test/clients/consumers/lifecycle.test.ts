import { AckPolicy, AdvisoryKind, DeliverPolicy, RetentionPolicy } from '@nats-io/jetstream';
import { jserrors } from '@nats-io/jetstream/internal';
import { describe, expect, test } from 'vitest';
import { shardCounts } from '../../harness/target.js';
import { longMs, next, noticed, nsPerMs, refused, sequences, take, useSite } from './site.js';

// How consumers are made, changed, listed, paused, reset and removed: as the official client documents it and as nats-server answers (SHARDCAST_TEST_TARGET=nats-server).

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe.each(shardCounts)('%i shards', (shards) => {
  const used = useSite({ shards });

  test('add, info, list, names and delete', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    const { consumers } = site.manager;
    expect(await all(consumers.list('S'))).toEqual([]);
    const made = await site.add({ durable_name: 'B', description: 'what for', metadata: { own: 'x' } });
    expect(made).toMatchObject({ stream_name: 'S', name: 'B', num_pending: 2, num_ack_pending: 0, num_waiting: 0 });
    expect(made).toMatchObject({ delivered: { consumer_seq: 0, stream_seq: 0 }, ack_floor: { consumer_seq: 0 } });
    expect(made.config).toMatchObject({
      durable_name: 'B',
      name: 'B',
      description: 'what for',
      deliver_policy: 'all',
      ack_policy: 'explicit',
      ack_wait: 30_000 * nsPerMs,
      max_deliver: -1,
      max_ack_pending: 1000,
      max_waiting: 512,
      replay_policy: 'instant',
      num_replicas: 0,
      metadata: expect.objectContaining({ own: 'x' }),
    });
    await site.add({ durable_name: 'A' });
    await site.add({ name: 'E', inactive_threshold: 3_600_000 * nsPerMs });
    expect((await all(consumers.list('S'))).map(({ name }) => name)).toEqual(['A', 'B', 'E']);
    expect(await site.ask('CONSUMER.NAMES.S')).toMatchObject({ total: 3, offset: 0, consumers: ['A', 'B', 'E'] });
    expect((await consumers.info('S', 'B')).created).toBe(made.created);
    expect(await (await site.manager.streams.get('S')).getConsumer('B').then((found) => found.info())).toMatchObject({
      name: 'B',
    });
    expect((await site.manager.streams.info('S')).state.consumer_count).toBe(3);
    expect(await consumers.delete('S', 'B')).toBe(true);
    await expect(consumers.delete('S', 'B')).rejects.toThrow('consumer not found');
    const gone = consumers.info('S', 'B');
    await expect(gone).rejects.toThrow(jserrors.ConsumerNotFoundError);
    await expect(gone).rejects.toMatchObject({ code: 10014, status: 404, message: 'consumer not found' });
    await expect(consumers.info('none', 'B')).rejects.toThrow(jserrors.StreamNotFoundError);
  });

  test('many consumers are listed page by page', async () => {
    const { site } = used;
    await site.stream();
    const names = Array.from({ length: 300 }, (_, i) => `C${String(i).padStart(3, '0')}`);
    await Promise.all(names.map((durable_name) => site.add({ durable_name })));
    expect((await all(site.manager.consumers.list('S'))).map(({ name }) => name)).toEqual(names);
    expect(await site.ask('CONSUMER.LIST.S', { offset: 290 })).toMatchObject({ total: 300, offset: 290, limit: 256 });
  });

  test('a consumer without a name gets one, and goes when nobody uses it', async () => {
    const { site } = used;
    await site.stream();
    const gone = (async () => {
      for await (const { kind, data } of site.manager.advisories())
        if (kind === AdvisoryKind.ConsumerAction && (data as { action: string }).action === 'delete') return data;
      return undefined;
    })();
    await site.connection.flush();
    const { config, name } = await site.manager.consumers.add('S', {
      ack_policy: AckPolicy.Explicit,
      inactive_threshold: 100 * nsPerMs,
    });
    expect(name).not.toBe('');
    expect(config).toMatchObject({ inactive_threshold: 100 * nsPerMs });
    expect(await gone).toMatchObject({ stream: 'S', consumer: name });
    await expect(site.manager.consumers.info('S', name)).rejects.toThrow('consumer not found');
  });

  test('the same again is the same; another is refused; an update of none, too', async () => {
    const { site } = used;
    await site.stream();
    const { created } = await site.add({ max_deliver: 3 });
    expect((await site.add({ max_deliver: 3 })).created).toBe(created);
    await expect(site.add({ max_deliver: 4 })).rejects.toEqual(refused(10148, 'consumer already exists'));
    const updated = await site.manager.consumers.update('S', 'C', { max_deliver: 4, description: 'new' });
    expect(updated.config).toMatchObject({ max_deliver: 4, description: 'new' });
    expect(updated.created).toBe(created);
    await expect(site.manager.consumers.update('S', 'none', { max_deliver: 4 })).rejects.toThrow('consumer not found');
    const body = { stream_name: 'S', config: { durable_name: 'none', ack_policy: 'explicit' }, action: 'update' };
    expect(await site.ask('CONSUMER.CREATE.S.none', body)).toMatchObject({
      error: { code: 400, err_code: 10149, description: 'consumer does not exist' },
    });
  });

  test('what cannot be updated is refused by name', async () => {
    const { site } = used;
    await site.stream();
    const { config } = await site.add();
    const changed = async (change: object): Promise<unknown> => {
      const body = { stream_name: 'S', config: { ...config, ...change }, action: 'update' };
      return ((await site.ask('CONSUMER.CREATE.S.C', body)).error as { description: string }).description;
    };
    expect(await changed({ deliver_policy: 'new' })).toBe('deliver policy can not be updated');
    expect(await changed({ ack_policy: 'all' })).toBe('ack policy can not be updated');
    expect(await changed({ replay_policy: 'original' })).toBe('replay policy can not be updated');
    expect(await changed({ max_waiting: 7 })).toBe('max waiting can not be updated');
    expect(await changed({ deliver_subject: 'out', max_waiting: 0 })).toBe(
      'can not update pull consumer to push based',
    );
    expect(await changed({ deliver_policy: 'by_start_sequence', opt_start_seq: 3 })).toMatch(/can not be updated$/);
  });

  test('configurations that make no sense are refused by name', async () => {
    const { site } = used;
    await site.stream();
    const refusal = async (config: object): Promise<unknown[]> => {
      const body = { stream_name: 'S', config: { name: 'X', ack_policy: 'explicit', ...config } };
      const { error } = (await site.ask('CONSUMER.CREATE.S.X', body)) as { error: Record<string, unknown> };
      return [error.err_code, error.description];
    };
    expect(await refusal({ deliver_policy: 'by_start_sequence' })).toEqual([
      10094,
      'consumer delivery policy is deliver by start sequence, but optional start sequence is not set',
    ]);
    expect(await refusal({ deliver_policy: 'last_per_subject' })).toEqual([
      10094,
      'consumer delivery policy is deliver last per subject, but optional filter subject is not set',
    ]);
    expect(await refusal({ backoff: [1, 2, 3], max_deliver: 2 })).toEqual([
      10116,
      'max deliver is required to be > length of backoff values',
    ]);
    expect(await refusal({ idle_heartbeat: 1e9 })).toEqual([
      10088,
      'consumer idle heartbeat requires a push based consumer',
    ]);
    expect(await refusal({ flow_control: true })).toEqual([
      10089,
      'consumer flow control requires a push based consumer',
    ]);
    expect(await refusal({ deliver_subject: 's.x' })).toEqual([10081, 'consumer deliver subject forms a cycle']);
    expect(await refusal({ deliver_subject: 'x.*' })).toEqual([10079, 'consumer deliver subject has wildcards']);
    expect(await refusal({ deliver_subject: 'x', max_waiting: 3 })).toEqual([
      10080,
      'consumer in push mode can not set max waiting',
    ]);
    expect(await refusal({ rate_limit_bps: 100 })).toEqual([
      10086,
      'consumer in pull mode can not have rate limit set',
    ]);
    expect(await refusal({ description: 'x'.repeat(5000) })).toEqual([
      10107,
      'consumer description is too long, maximum allowed is 4096',
    ]);
    expect(await refusal({ priority_policy: 'overflow' })).toEqual([
      10159,
      'Setting PriorityPolicy requires at least one PriorityGroup to be set',
    ]);
    expect(await refusal({ num_replicas: 3 })).toMatchObject([10074, expect.anything()]);
    await expect(site.add({ durable_name: 'a.b' })).rejects.toThrow();
  });

  test('limits of a stream hold for its consumers', async () => {
    const { site } = used;
    await site.stream({
      max_consumers: 2,
      consumer_limits: { max_ack_pending: 50, inactive_threshold: 5000 * nsPerMs },
    } as never);
    const { config } = await site.add({ durable_name: 'A' });
    expect(config).toMatchObject({ max_ack_pending: 50, inactive_threshold: 5000 * nsPerMs });
    await expect(site.add({ durable_name: 'X', max_ack_pending: 51 })).rejects.toEqual(
      refused(10121, 'consumer max ack pending exceeds system limit of 50'),
    );
    await expect(site.add({ durable_name: 'X', inactive_threshold: 6000 * nsPerMs })).rejects.toEqual(
      refused(10153, 'consumer inactive threshold exceeds system limit of 5s'),
    );
    await site.add({ durable_name: 'B' });
    await expect(site.add({ durable_name: 'X' })).rejects.toEqual(refused(10026, 'maximum consumers limit reached'));
    await site.manager.consumers.delete('S', 'A');
    await site.add({ durable_name: 'X' });
  });

  test('pause: nothing is delivered until then, or until it is resumed; heartbeats come', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    const consumer = await site.consumer();
    const until = new Date(Date.now() + 3_600_000);
    const paused = await site.manager.consumers.pause('S', 'C', until);
    expect(paused).toMatchObject({ paused: true, pause_until: until.toISOString() });
    const info = await consumer.info();
    expect(info).toMatchObject({ paused: true, num_pending: 1 });
    expect(info.pause_remaining).toBeGreaterThan(3_000_000 * nsPerMs);
    const changed = await site.manager.consumers.update('S', 'C', { description: 'later' });
    expect(changed.config.metadata).toMatchObject({ '_nats.req.level': '1' });
    const messages = await consumer.consume({ idle_heartbeat: 500, expires: longMs });
    const beat = noticed(messages, 'heartbeat');
    const taken = take(messages, 1);
    expect(await beat).toMatchObject({ lastConsumerSequence: 0 });
    expect((await consumer.info()).num_pending).toBe(1);
    expect(await site.manager.consumers.resume('S', 'C')).toMatchObject({ paused: false });
    expect(sequences(await taken)).toEqual([1]);
    expect((await consumer.info()).paused).toBeUndefined();
  });

  test('a pause ends by itself, and a consumer may be made paused', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    const until = Date.now() + 400;
    const consumer = await site.consumer({ pause_until: new Date(until).toISOString() });
    expect(sequences([await next(consumer)])).toEqual([1]);
    expect(Date.now()).toBeGreaterThanOrEqual(until - 2);
  });

  test('reset: from the floor, or from a sequence', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2', '3', '4');
    const consumer = await site.consumer();
    const [first] = await take(await consumer.fetch({ max_messages: 3 }));
    await first?.ackAck({ timeout: longMs });
    // by the API itself: this version of the client's core does not know the feature yet
    expect(await site.ask('CONSUMER.RESET.S.C')).toMatchObject({
      reset_seq: 2,
      num_pending: 3,
      num_ack_pending: 0,
      delivered: { consumer_seq: 0, stream_seq: 1 },
      ack_floor: { consumer_seq: 0, stream_seq: 1 },
    });
    const [second] = await take(await consumer.fetch({ max_messages: 1 }));
    expect(second?.info).toMatchObject({ streamSequence: 2, deliverySequence: 1, deliveryCount: 1 });
    expect(await site.ask('CONSUMER.RESET.S.C', { seq: 4 })).toMatchObject({ reset_seq: 4, num_pending: 1 });
    expect(sequences([await next(consumer)])).toEqual([4]);
    const refusal = (description: string) => ({ error: { err_code: 10204, description } });
    await site.add({ durable_name: 'N', deliver_policy: DeliverPolicy.New });
    expect(await site.ask('CONSUMER.RESET.S.N', { seq: 1 })).toMatchObject(refusal('invalid reset: not allowed'));
    await site.add({ durable_name: 'B', deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: 3 });
    expect(await site.ask('CONSUMER.RESET.S.B', { seq: 2 })).toMatchObject(refusal('invalid reset: below start seq'));
  });

  test('advisories tell of consumers that are made and removed, and of what was not confirmed', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    const told: Record<string, unknown>[] = [];
    const advised = site.connection.subscribe('$JS.EVENT.ADVISORY.CONSUMER.>');
    const listening = (async () => {
      for await (const message of advised) {
        const { type, action, reason, stream_seq, deliveries } = message.json<Record<string, string>>();
        told.push({ kind: type?.split('.').at(-1), action, reason, stream_seq, deliveries });
        if (action === 'delete') return;
      }
    })();
    await site.connection.flush();
    const consumer = await site.consumer({ max_deliver: 2, ack_wait: 100 * nsPerMs });
    const [first, second] = await take(await consumer.fetch({ max_messages: 2 }));
    first?.nak();
    second?.term('no use');
    await site.connection.flush();
    const again = await next(consumer);
    expect(again.info.deliveryCount).toBe(2);
    expect(await consumer.next({ expires: 1000 })).toBeNull();
    await site.until('C', { num_ack_pending: 0 });
    await consumer.delete();
    await listening;
    expect(told).toEqual([
      { kind: 'consumer_action', action: 'create' },
      { kind: 'nak', stream_seq: 1, deliveries: 1 },
      { kind: 'terminated', stream_seq: 2, deliveries: 1, reason: 'no use' },
      { kind: 'max_deliver', stream_seq: 1, deliveries: 2 },
      { kind: 'consumer_action', action: 'delete' },
    ]);
  });

  test('samples of acknowledgements are published where they are asked for', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1');
    const samples = site.connection.subscribe('$JS.EVENT.METRIC.CONSUMER.ACK.S.C');
    const consumer = await site.consumer({ sample_freq: '100' });
    (await next(consumer)).ack();
    for await (const message of samples) {
      const sample = message.json<Record<string, unknown>>();
      expect(sample).toMatchObject({
        type: 'io.nats.jetstream.metric.v1.consumer_ack',
        stream: 'S',
        consumer: 'C',
        consumer_seq: 1,
        stream_seq: 1,
        deliveries: 1,
      });
      expect(sample.ack_time).toBeGreaterThan(0);
      break;
    }
  });

  test('pauses are advised', async () => {
    const { site } = used;
    await site.stream();
    await site.add();
    const told: unknown[] = [];
    const advised = site.connection.subscribe('$JS.EVENT.ADVISORY.CONSUMER.PAUSE.S.C');
    const listening = (async () => {
      for await (const message of advised) if (told.push(message.json<{ paused: boolean }>().paused) === 2) return;
    })();
    await site.manager.consumers.pause('S', 'C', new Date(Date.now() + 3_600_000));
    await site.manager.consumers.resume('S', 'C');
    await listening;
    expect(told).toEqual([true, false]);
  });

  describe('work queues and interest', () => {
    test('a work queue gives a message up once it is acknowledged', async () => {
      const { site } = used;
      await site.stream({ retention: RetentionPolicy.Workqueue });
      await site.publish('1', '2', '3');
      const consumer = await site.consumer();
      const [one, two, three] = await take(await consumer.fetch({ max_messages: 3 }));
      await two?.ackAck({ timeout: longMs });
      expect((await site.manager.streams.info('S')).state).toMatchObject({ messages: 2, first_seq: 1, last_seq: 3 });
      one?.term();
      await three?.ackAck({ timeout: longMs });
      await expect
        .poll(async () => (await site.manager.streams.info('S')).state)
        .toMatchObject({ messages: 0, first_seq: 4, last_seq: 3 });
    });

    test('a work queue has one consumer for a message', async () => {
      const { site } = used;
      await site.stream({ retention: RetentionPolicy.Workqueue });
      await expect(site.add({ ack_policy: AckPolicy.None })).rejects.toEqual(
        refused(10084, 'consumer in pull mode requires explicit ack policy on workqueue stream'),
      );
      await expect(site.add({ deliver_policy: DeliverPolicy.New })).rejects.toEqual(
        refused(10101, 'consumer must be deliver all on workqueue stream'),
      );
      await site.add({ durable_name: 'A', filter_subject: 's.a' });
      await expect(site.add({ durable_name: 'B' })).rejects.toEqual(
        refused(10099, 'multiple non-filtered consumers not allowed on workqueue stream'),
      );
      await expect(site.add({ durable_name: 'B', filter_subject: 's.*' })).rejects.toEqual(
        refused(10100, 'filtered consumer not unique on workqueue stream'),
      );
      await expect(
        site.add({ durable_name: 'B', filter_subject: 's.*', deliver_policy: DeliverPolicy.LastPerSubject }),
      ).rejects.toEqual(refused(10101));
      await site.add({ durable_name: 'B', filter_subject: 's.b' });
    });

    test('a stream of interest keeps a message until all that want it have acknowledged it', async () => {
      const { site } = used;
      await site.stream({ retention: RetentionPolicy.Interest });
      const messages = async () => (await site.manager.streams.info('S')).state.messages;
      await site.publish('unwanted');
      expect(await messages()).toBe(0);
      const one = await site.consumer({ durable_name: 'A' });
      const two = await site.consumer({ durable_name: 'B', filter_subject: 's.1' });
      await site.js.publish('s.1', 'both');
      await site.js.publish('s.2', 'one');
      expect(await messages()).toBe(2);
      const mine = await take(await one.fetch({ max_messages: 2 }));
      for (const message of mine) await message.ackAck({ timeout: longMs });
      await expect.poll(messages).toBe(1);
      await (await next(two)).ackAck({ timeout: longMs });
      await expect.poll(messages).toBe(0);
    });

    test('what a consumer never wanted goes with it, and when it is reset', async () => {
      const { site } = used;
      await site.stream({ retention: RetentionPolicy.Interest });
      const state = async () => (await site.manager.streams.info('S')).state;
      const late = { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: 3 };
      await site.add({ durable_name: 'A', ...late });
      await site.publish('1', '2');
      expect(await state()).toMatchObject({ messages: 2 });
      await site.ask('CONSUMER.RESET.S.A', {});
      await expect.poll(state).toMatchObject({ messages: 0, first_seq: 3 });
      await site.publish('3');
      await site.manager.consumers.delete('S', 'A');
      await expect.poll(state).toMatchObject({ messages: 0, first_seq: 4 });
      // of a stream whose messages have all gone none is the last one of its subject
      const info = await site.add({ deliver_policy: DeliverPolicy.LastPerSubject, filter_subject: 's.>' });
      expect(info.delivered.stream_seq).toBe(3);
    });

    test('what an update of filters leaves out goes', async () => {
      const { site } = used;
      await site.stream({ retention: RetentionPolicy.Interest });
      await site.add({ durable_name: 'A' });
      await site.publish('1', '2');
      await site.js.publish('s.2', '3');
      await site.manager.consumers.update('S', 'A', { filter_subject: 's.2' });
      await expect
        .poll(async () => (await site.manager.streams.info('S')).state)
        .toMatchObject({ messages: 1, first_seq: 3 });
    });

    test('a consumer that is deleted wants nothing more', async () => {
      const { site } = used;
      await site.stream({ retention: RetentionPolicy.Interest });
      await site.add({ durable_name: 'A' });
      const other = await site.consumer({ durable_name: 'B' });
      await site.publish('1', '2');
      const [one] = await take(await other.fetch({ max_messages: 2 }));
      await one?.ackAck({ timeout: longMs });
      await site.manager.consumers.delete('S', 'A');
      await expect
        .poll(async () => (await site.manager.streams.info('S')).state)
        .toMatchObject({ messages: 1, first_seq: 2 });
    });
  });
});
