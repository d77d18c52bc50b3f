import { DeliverPolicy, type JsMsg, ReplayPolicy } from '@nats-io/jetstream';
import { describe, expect, test } from 'vitest';
import { shardCounts } from '../../harness/target.js';
import { longMs, noticed, type Site, sequences, take, texts, useSite } from './site.js';

// Ordered consumers of the official client, by pull and by push, as it documents them and as nats-server serves them (SHARDCAST_TEST_TARGET=nats-server).

describe.each(shardCounts)('%i shards', (shards) => {
  const used = useSite({ shards });

  async function filled(site: Site, count: number): Promise<void> {
    await site.stream();
    for (let i = 1; i <= count; i++) await site.js.publish(`s.${i % 3}`, `${i}`);
  }
  const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i + 1}`);

  test('pull: all of it, in order', async () => {
    const { site } = used;
    await filled(site, 250);
    const messages = await (await site.js.consumers.get('S')).consume({ max_messages: 40 });
    expect(texts(await take(messages, 250))).toEqual(upTo(250));
  });

  test('pull: a fetch goes on where the one before ended', async () => {
    const { site } = used;
    await filled(site, 5);
    const consumer = await site.js.consumers.get('S');
    expect(texts(await take(await consumer.fetch({ max_messages: 3 })))).toEqual(['1', '2', '3']);
    expect(texts(await take(await consumer.fetch({ max_messages: 2 })))).toEqual(['4', '5']);
    expect(await consumer.next({ expires: 1000 })).toBeNull();
    await site.publish('6');
    expect((await consumer.next())?.string()).toBe('6');
  });

  test('pull: options', async () => {
    const { site } = used;
    await filled(site, 9);
    const given = async (options: object): Promise<number[]> => {
      const consumer = await site.js.consumers.get('S', options);
      const { num_pending } = await consumer.info(true);
      const found = sequences(await take(await consumer.fetch({ max_messages: num_pending })));
      await consumer.delete();
      return found;
    };
    expect(await given({ filter_subjects: 's.1' })).toEqual([1, 4, 7]);
    expect(await given({ filter_subjects: ['s.1', 's.2'] })).toEqual([1, 2, 4, 5, 7, 8]);
    expect(await given({ opt_start_seq: 8 })).toEqual([8, 9]);
    expect(await given({ deliver_policy: DeliverPolicy.LastPerSubject })).toEqual([7, 8, 9]);
    expect(await given({ deliver_policy: DeliverPolicy.Last })).toEqual([9]);
    const time = (await site.manager.streams.getMessage('S', { seq: 6 }))?.timestamp as string;
    expect(await given({ deliver_policy: DeliverPolicy.StartTime, opt_start_time: time })).toEqual([6, 7, 8, 9]);
    expect(await given({ replay_policy: ReplayPolicy.Instant, headers_only: true })).toHaveLength(9);
  });

  test('pull: who is deleted is made again, and nothing is missed or comes twice', async () => {
    const { site } = used;
    await filled(site, 20);
    const consumer = await site.js.consumers.get('S', { name_prefix: 'own' });
    const messages = await consumer.consume({ max_messages: 5, expires: 1000, idle_heartbeat: 500 });
    const again = noticed(messages, 'ordered_consumer_recreated');
    const taken: JsMsg[] = [];
    for await (const message of messages) {
      taken.push(message);
      if (taken.length === 10) await site.manager.consumers.delete('S', 'own_1');
      if (taken.length === 20) break;
    }
    expect(texts(taken)).toEqual(upTo(20));
    expect((await again).name).toMatch(/^own_/);
  });

  test('pull: with a callback', async () => {
    const { site } = used;
    await filled(site, 10);
    const consumer = await site.js.consumers.get('S');
    const taken: JsMsg[] = [];
    await new Promise<void>((resolve) => {
      const callback = (message: JsMsg): void => {
        if (taken.push(message) === 10) resolve();
      };
      void consumer.consume({ callback });
    });
    expect(texts(taken)).toEqual(upTo(10));
  });

  test('push: all of it, in order, with what comes later', async () => {
    const { site } = used;
    await filled(site, 250);
    const messages = await (await site.js.consumers.getPushConsumer('S')).consume();
    const taken: JsMsg[] = [];
    for await (const message of messages) {
      taken.push(message);
      if (message.info.pending === 0 && taken.length < 251) await site.publish('251');
      if (taken.length === 251) break;
    }
    expect(texts(taken)).toEqual(upTo(251));
  });

  test('push: options', async () => {
    const { site } = used;
    await filled(site, 9);
    const given = async (options: object, count: number): Promise<number[]> => {
      const consumer = await site.js.consumers.getPushConsumer('S', { name_prefix: 'own', ...options });
      const found = sequences(await take(await consumer.consume(), count));
      await consumer.delete();
      return found;
    };
    expect(await given({ filter_subjects: 's.1' }, 3)).toEqual([1, 4, 7]);
    expect(await given({ filter_subjects: ['s.1', 's.2'] }, 6)).toEqual([1, 2, 4, 5, 7, 8]);
    expect(await given({ opt_start_seq: 8 }, 2)).toEqual([8, 9]);
    expect(await given({ deliver_policy: DeliverPolicy.LastPerSubject }, 3)).toEqual([7, 8, 9]);
  });

  test('push: a consumer that was replaced goes on behind what was seen', async () => {
    const { site } = used;
    await filled(site, 20);
    const consumer = await site.js.consumers.getPushConsumer('S', { name_prefix: 'own', deliver_prefix: 'mine' });
    const messages = await consumer.consume();
    const again = noticed(messages, 'ordered_consumer_recreated');
    const taken = await new Promise<JsMsg[]>((resolve) => {
      const seen: JsMsg[] = [];
      void (async () => {
        for await (const message of messages) {
          seen.push(message);
          if (seen.length === 20) {
            // its successor's deliveries are no continuation of its own
            await site.manager.consumers.delete('S', 'own_1');
            await site.ask('CONSUMER.CREATE.S.own_1', {
              stream_name: 'S',
              config: { name: 'own_1', deliver_subject: 'mine.1', ack_policy: 'none', deliver_policy: 'all' },
            });
          }
          if (seen.length === 25) break;
        }
        resolve(seen);
      })();
      void again.then(async () => {
        for (let i = 21; i <= 25; i++) await site.js.publish('s.1', `${i}`);
      });
    });
    expect(texts(taken)).toEqual(upTo(25));
    expect((await again).name).toBe('own_2');
  });

  test('an ordered consumer is in memory, of one delivery, and gone when it is deleted', async () => {
    const { site } = used;
    await filled(site, 1);
    const consumer = await site.js.consumers.get('S');
    const { config, name } = await consumer.info();
    expect(config).toMatchObject({ ack_policy: 'none', max_deliver: 1, mem_storage: true, num_replicas: 1 });
    expect(await consumer.delete()).toBe(true);
    await expect(site.manager.consumers.info('S', name)).rejects.toThrow('consumer not found');
    await expect(site.js.consumers.get('none')).rejects.toThrow('stream not found');
    await expect(consumer.next({ expires: longMs })).rejects.toThrow();
  });
});
