import { DeliverPolicy, ReplayPolicy } from '@nats-io/jetstream';
import { describe, expect, test } from 'vitest';
import { shardCounts } from '../../harness/target.js';
import { longMs, next, nsPerMs, refused, type Site, sequences, take, useSite } from './site.js';

// Where consumers begin, what they are for and how fast they go: as the official client documents it and as nats-server has it (SHARDCAST_TEST_TARGET=nats-server).

describe.each(shardCounts)('%i shards', (shards) => {
  const used = useSite({ shards });

  /** Sequences 1 to 6, on a b a c b a. */
  async function six(site: Site): Promise<void> {
    await site.stream();
    for (const token of 'abacba') await site.js.publish(`s.${token}`, token);
  }

  /** What a consumer that is made of this has to give, and is said to have. */
  async function given(site: Site, config: Parameters<Site['consumer']>[0]): Promise<number[]> {
    const consumer = await site.consumer(config);
    const { num_pending } = await consumer.info(true);
    const found =
      num_pending === 0 ? [] : await take(await consumer.fetch({ max_messages: num_pending, expires: longMs }));
    expect(found.map(({ info }) => info.pending)).toEqual(found.map((_, i) => num_pending - 1 - i));
    await consumer.delete();
    return sequences(found);
  }

  test('each deliver policy begins where it says', async () => {
    const { site } = used;
    await six(site);
    const time = (await site.manager.streams.getMessage('S', { seq: 4 }))?.timestamp as string;
    const policies = DeliverPolicy;
    expect(await given(site, { deliver_policy: policies.All })).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await given(site, { deliver_policy: policies.Last })).toEqual([6]);
    expect(await given(site, { deliver_policy: policies.Last, filter_subject: 's.b' })).toEqual([5]);
    const none = await site.add({ deliver_policy: policies.Last, filter_subject: 's.none' });
    expect(none).toMatchObject({ num_pending: 0, delivered: { stream_seq: 0 } });
    await site.manager.consumers.delete('S', 'C');
    expect(await given(site, { deliver_policy: policies.New })).toEqual([]);
    expect(await given(site, { deliver_policy: policies.StartSequence, opt_start_seq: 4 })).toEqual([4, 5, 6]);
    expect(await given(site, { deliver_policy: policies.StartSequence, opt_start_seq: 9 })).toEqual([]);
    expect(await given(site, { deliver_policy: policies.StartTime, opt_start_time: time })).toEqual([4, 5, 6]);
    expect(await given(site, { deliver_policy: policies.LastPerSubject, filter_subject: 's.>' })).toEqual([4, 5, 6]);
    expect(await given(site, { deliver_policy: policies.LastPerSubject, filter_subjects: ['s.a', 's.c'] })).toEqual([
      4, 6,
    ]);
  });

  test('new and last_per_subject go on with what comes later', async () => {
    const { site } = used;
    await six(site);
    const newest = await site.consumer({ durable_name: 'N', deliver_policy: DeliverPolicy.New });
    const last = await site.consumer({
      durable_name: 'L',
      deliver_policy: DeliverPolicy.LastPerSubject,
      filter_subject: 's.>',
    });
    await site.js.publish('s.a', '7');
    expect(sequences([await next(newest)])).toEqual([7]);
    expect(sequences(await take(await last.fetch({ max_messages: 4, expires: longMs })))).toEqual([4, 5, 6, 7]);
  });

  test('a filter, several, and all of it', async () => {
    const { site } = used;
    await six(site);
    expect(await given(site, { filter_subject: 's.a' })).toEqual([1, 3, 6]);
    expect(await given(site, { filter_subjects: ['s.a', 's.c'] })).toEqual([1, 3, 4, 6]);
    expect(await given(site, { filter_subject: 's.*' })).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await given(site, { filter_subject: '>' })).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await given(site, { filter_subject: 's.none' })).toEqual([]);
    await expect(site.add({ filter_subjects: ['s.*', 's.a'] })).rejects.toEqual(
      refused(10138, 'consumer subject filters cannot overlap'),
    );
    await expect(site.add({ filter_subject: 's.a', filter_subjects: ['s.b'] } as never)).rejects.toThrow();
  });

  test('a change of filters: what is pending is counted anew', async () => {
    const { site } = used;
    await six(site);
    const consumer = await site.consumer({ filter_subject: 's.a' });
    expect(sequences([await next(consumer)])).toEqual([1]);
    const changed = await site.manager.consumers.update('S', 'C', { filter_subject: 's.b' });
    expect(changed).toMatchObject({ num_pending: 2, config: { filter_subject: 's.b' }, delivered: { stream_seq: 1 } });
    expect(sequences(await take(await consumer.fetch({ max_messages: 2 })))).toEqual([2, 5]);
    await site.js.publish('s.b', '7');
    await site.js.publish('s.a', '8');
    expect(sequences([await next(consumer)])).toEqual([7]);
  });

  test('a change from one filter to several and back', async () => {
    const { site } = used;
    await six(site);
    const consumer = await site.consumer({ filter_subjects: ['s.a', 's.b'] });
    expect((await consumer.info(true)).num_pending).toBe(5);
    const changed = await site.manager.consumers.update('S', 'C', { filter_subjects: ['s.c'] });
    expect(changed.num_pending).toBe(1);
    expect(sequences([await next(consumer)])).toEqual([4]);
  });

  test('what is purged, deleted and replaced is pending no longer', async () => {
    const { site } = used;
    await site.stream({ max_msgs_per_subject: 2 });
    for (const token of 'abacba') await site.js.publish(`s.${token}`, token);
    const consumer = await site.consumer();
    expect((await consumer.info(true)).num_pending).toBe(5);
    await site.js.publish('s.a', '7');
    expect((await consumer.info()).num_pending).toBe(5);
    await site.manager.streams.deleteMessage('S', 4);
    expect((await consumer.info()).num_pending).toBe(4);
    await site.manager.streams.purge('S', { filter: 's.b' });
    expect((await consumer.info()).num_pending).toBe(2);
    expect(sequences(await take(await consumer.fetch({ max_messages: 2 })))).toEqual([6, 7]);
  });

  test('replay original keeps the time between messages', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    // what is waited for is what a timer of another consumer does
    const waited = await site.consumer({ durable_name: 'W', ack_wait: 300 * nsPerMs });
    await next(waited);
    await waited.next({ expires: longMs });
    await waited.next({ expires: longMs });
    await site.publish('3');
    const apart = async (seq: number) =>
      (await site.manager.streams.getMessage('S', { seq }))?.time.getTime() as number;
    const between = (await apart(3)) - (await apart(1));
    const consumer = await site.consumer({ replay_policy: ReplayPolicy.Original });
    const times: number[] = [];
    for await (const message of await consumer.fetch({ max_messages: 3, expires: longMs })) {
      times.push(performance.now());
      expect(message.seq).toBe(times.length);
    }
    expect((times[2] as number) - (times[0] as number)).toBeGreaterThanOrEqual(between * 0.75);
  });

  test('headers_only: the size of the payload in place of it', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('hello');
    const message = await next(await site.consumer({ headers_only: true }));
    expect([message.string(), message.headers?.get('Nats-Msg-Size')]).toEqual(['', '5']);
    await site.manager.consumers.update('S', 'C', { headers_only: false });
    await site.publish('again');
    expect((await next(await site.js.consumers.get('S', 'C'))).string()).toBe('again');
  });
});
