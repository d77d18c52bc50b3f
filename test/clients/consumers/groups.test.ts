import type { PriorityPolicy } from '@nats-io/jetstream/internal';
import { describe, expect, test } from 'vitest';
import { shardCounts } from '../../harness/target.js';
import { longMs, noticed, nsPerMs, refused, sequences, take, texts, useSite } from './site.js';

// Priority groups by the official client: overflow, a pinned client, priorities; as nats-server has them (SHARDCAST_TEST_TARGET=nats-server).

const isWaiting = (num_waiting: number) => ({ num_waiting });

describe.each(shardCounts)('%i shards', (shards) => {
  const used = useSite({ shards });
  const grouped = (priority_policy: PriorityPolicy) => ({ priority_groups: ['g'], priority_policy });

  test('overflow: who asks for min_pending is served when so much is waiting', async () => {
    const { site } = used;
    await site.stream();
    const consumer = await site.consumer(grouped('overflow'));
    const spare = consumer.fetch({ max_messages: 2, expires: longMs, group: 'g', min_pending: 3 });
    const taken = take(await spare);
    await site.until('C', isWaiting(1));
    await site.publish('1', '2');
    expect(await consumer.info()).toMatchObject({ num_pending: 2, num_waiting: 1 });
    await site.publish('3');
    // three are waiting, and then two
    await site.publish('4');
    expect(texts(await taken)).toEqual(['1', '2']);
  });

  test('overflow: who asks for min_ack_pending is served when so much is under way', async () => {
    const { site } = used;
    await site.stream();
    const consumer = await site.consumer(grouped('overflow'));
    const taken = take(await consumer.fetch({ max_messages: 1, expires: longMs, group: 'g', min_ack_pending: 2 }));
    await site.until('C', isWaiting(1));
    await site.publish('1', '2', '3');
    const usual = take(await consumer.fetch({ max_messages: 2, expires: longMs, group: 'g', min_pending: 1 } as never));
    expect(texts(await usual)).toEqual(['1', '2']);
    expect(texts(await taken)).toEqual(['3']);
  });

  test('pinned: one client gets all, until it is unpinned', async () => {
    const { site } = used;
    await site.stream();
    await site.add(grouped('pinned_client'));
    const seen: string[] = [];
    const consume = async (who: string) => {
      const consumer = await site.js.consumers.get('S', 'C');
      const messages = await consumer.consume({ max_messages: 1, expires: longMs, group: 'g' } as never);
      const working = (async () => {
        for await (const message of messages) {
          seen.push(`${who} ${message.string()}`);
          message.ack();
        }
      })();
      return { messages, working };
    };
    const one = await consume('one');
    const pinned = noticed(one.messages, 'consumer_pinned');
    await site.until('C', isWaiting(1));
    await site.publish('1');
    const { id } = await pinned;
    const two = await consume('two');
    await site.publish('2', '3');
    await expect.poll(() => seen).toEqual(['one 1', 'one 2', 'one 3']);
    const info = (await site.ask('CONSUMER.INFO.S.C')) as { priority_groups: unknown };
    expect(info.priority_groups).toMatchObject([{ group: 'g', pinned_client_id: id }]);
    const other = noticed(two.messages, 'consumer_pinned');
    await site.manager.consumers.unpin('S', 'C', 'g');
    await site.publish('4');
    expect((await other).id).not.toBe(id);
    await expect.poll(() => seen.slice(3)).toEqual(['two 4']);
    await Promise.all([one.messages.close(), two.messages.close()]);
    await Promise.all([one.working, two.working]);
  });

  test('pinned: who does not ask any more loses the pin, and that is told', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    const told: string[] = [];
    const advised = site.connection.subscribe('$JS.EVENT.ADVISORY.CONSUMER.*.S.C');
    const listening = (async () => {
      for await (const message of advised) {
        const { type, reason } = message.json<{ type: string; reason?: string }>();
        const kind = type.split('.').at(-1) as string;
        if (kind.startsWith('consumer_group')) told.push(reason === undefined ? kind : `${kind} ${reason}`);
        if (told.length === 3) return;
      }
    })();
    const consumer = await site.consumer({
      ...grouped('pinned_client'),
      priority_timeout: 300 * nsPerMs,
    } as never);
    const asking = () => consumer.fetch({ max_messages: 1, expires: longMs, group: 'g' } as never);
    expect(sequences(await take(await asking()))).toEqual([1]);
    expect(sequences(await take(await asking()))).toEqual([2]);
    await listening;
    expect(told).toEqual(['consumer_group_pinned', 'consumer_group_unpinned timeout', 'consumer_group_pinned']);
  });

  test('prioritized: the lowest number comes first', async () => {
    const { site } = used;
    await site.stream();
    const consumer = await site.consumer(grouped('prioritized'));
    const later = take(await consumer.fetch({ max_messages: 2, expires: longMs, group: 'g', priority: 2 } as never));
    await site.until('C', isWaiting(1));
    const sooner = take(await consumer.fetch({ max_messages: 2, expires: longMs, group: 'g', priority: 1 } as never));
    await site.until('C', isWaiting(2));
    await site.publish('1', '2', '3', '4');
    expect(texts(await sooner)).toEqual(['1', '2']);
    expect(texts(await later)).toEqual(['3', '4']);
  });

  test('pinned: who asks by the id of nobody waits for its turn, and is told then', async () => {
    const { site } = used;
    await site.stream();
    await site.add(grouped('pinned_client'));
    const asked = JSON.stringify({ batch: 1, expires: longMs * nsPerMs, group: 'g', id: 'nobody' });
    const told = site.connection.request('$JS.API.CONSUMER.MSG.NEXT.S.C', asked, { timeout: longMs });
    await site.until('C', { num_waiting: 1 });
    await site.publish('1');
    expect((await told).headers).toMatchObject({ code: 423, description: 'Nats-Wrong-Pin-Id' });
    expect((await site.manager.consumers.info('S', 'C')).num_pending).toBe(1);
  });

  test('requests that do not fit the consumer are refused', async () => {
    const { site } = used;
    await site.stream();
    const refusal = async (config: object, asked: object): Promise<string> => {
      const consumer = await site.consumer({ durable_name: 'R', ...config });
      const error: unknown = await take(
        await consumer.fetch({ expires: longMs, max_messages: 1, ...asked } as never),
      ).catch((thrown: unknown) => thrown);
      await consumer.delete();
      return (error as Error).message;
    };
    const overflow = grouped('overflow');
    expect(await refusal(overflow, {})).toMatch(/priority group missing/i);
    expect(await refusal(overflow, { group: 'other', min_pending: 1 })).toMatch(/invalid priority group/i);
    expect(await refusal({}, { group: 'g', min_pending: 1 })).toMatch(/not a overflow priority consumer/i);
    expect(await refusal(grouped('prioritized'), { group: 'g', priority: 10 })).toMatch(
      /priority must be between 0 and 9/i,
    );
  });

  test('a group that is not there cannot be unpinned', async () => {
    const { site } = used;
    await site.stream();
    await site.add(grouped('pinned_client'));
    const unpin = (group: string) => site.manager.consumers.unpin('S', 'C', group);
    await expect(unpin('other')).rejects.toEqual(
      refused(10160, 'Provided priority group does not exist for this consumer'),
    );
    await expect(unpin('no room')).rejects.toEqual(refused(10162));
    const nobody = { group: 'g', pinned_ts: '0001-01-01T00:00:00Z' };
    expect(await site.ask('CONSUMER.INFO.S.C')).toMatchObject({ priority_groups: [nobody] });
    await site.manager.consumers.unpin('S', 'C', 'g');
    await site.publish('1');
    expect((await site.manager.consumers.info('S', 'C')).num_pending).toBe(1);
  });
});
