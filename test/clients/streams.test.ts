import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { describe, expect, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';

// Invariants 42 and 60 of docs/INVARIANTS.md.

describe.each([1, 2, 4])('%i shards', (shards) => {
  const broker = useBroker({ shards });

  test('a stream takes what is published to its subjects, acknowledges it, and shows it', async () => {
    const connection = await client(broker.port);
    const manager = await jetstreamManager(connection as never);
    const js = jetstream(connection as never);
    for (const name of ['one', 'two', 'three']) {
      const created = await manager.streams.add({ name, subjects: [`${name}.>`], storage: 'memory' as never });
      expect(created).toMatchObject({ did_create: true, config: { name, subjects: [`${name}.>`] } });
      for (let i = 1; i <= 10; i++) {
        const ack = await js.publish(`${name}.a.${i % 3}`, `message ${i}`);
        expect(ack).toMatchObject({ stream: name, seq: i, duplicate: false });
      }
      const message = await manager.streams.getMessage(name, { seq: 5 });
      expect(message).toMatchObject({ subject: `${name}.a.2`, seq: 5 });
      expect(message!.string()).toBe('message 5');
      const info = await manager.streams.info(name);
      expect(info.state).toMatchObject({ messages: 10, first_seq: 1, last_seq: 10, num_subjects: 3 });
      expect(await manager.streams.delete(name)).toBe(true);
      await expect(manager.streams.info(name)).rejects.toThrow('stream not found');
      await expect(js.publish(`${name}.a.1`, '')).rejects.toThrow();
    }
  });

  test('what is older than max_age goes by itself', async () => {
    const connection = await client(broker.port);
    const manager = await jetstreamManager(connection as never);
    await manager.streams.add({ name: 'old', subjects: ['old'], max_age: 100_000_000, storage: 'memory' as never });
    await jetstream(connection as never).publish('old', 'x');
    while ((await manager.streams.info('old')).state.messages > 0);
    expect((await manager.streams.info('old')).state).toMatchObject({ first_seq: 2, last_seq: 1 });
  });

  test('a message goes when its own time is over, and one that lives for ever does not', async () => {
    const connection = await client(broker.port);
    const manager = await jetstreamManager(connection as never);
    const js = jetstream(connection as never);
    const config = { name: 'ttl', subjects: ['ttl'], storage: 'memory' as never, allow_msg_ttl: true };
    const made = await manager.streams.add(config);
    expect(made.config).toMatchObject({ allow_msg_ttl: true, metadata: { '_nats.req.level': '1' } });
    for (const ttl of ['never', '1s', '1h']) await js.publish('ttl', ttl, { ttl });
    const has = async (seq: number): Promise<boolean> => (await manager.streams.getMessage('ttl', { seq })) !== null;
    while (await has(2));
    expect((await manager.streams.info('ttl')).state).toMatchObject({ messages: 2, first_seq: 1, last_seq: 3 });
    await manager.streams.update('ttl', { max_age: 100_000_000, duplicate_window: 100_000_000 });
    while (await has(3));
    expect(await has(1)).toBe(true);
    const disable = manager.streams.update('ttl', { allow_msg_ttl: false });
    await expect(disable).rejects.toThrow('message TTL status can not be disabled');
    await manager.streams.delete('ttl');
  });

  test('no sequence comes twice, however far sequences are told to go', async () => {
    const connection = await client(broker.port);
    const ask = async (subject: string, body: string): Promise<unknown> =>
      (await connection.request(subject, body)).json();
    const create = (first: string): Promise<unknown> =>
      ask('$JS.API.STREAM.CREATE.far', `{"name":"far","subjects":["far"],"storage":"memory","first_seq":${first}}`);
    const purge = (sequence: string): Promise<unknown> => ask('$JS.API.STREAM.PURGE.far', `{"seq":${sequence}}`);
    for (const first of ['4503599627370497', '9007199254740993', '18446744073709551615'])
      expect(await create(first)).toMatchObject({ error: { err_code: 10052 } });
    await create('7');
    expect(await purge('18446744073709551615')).toMatchObject({ error: { err_code: 10003 } });
    expect(await purge('4503599627370496')).toMatchObject({ purged: 0 });
    expect(await ask('far', '')).toMatchObject({ seq: 4503599627370496 });
    expect(await ask('far', '')).toMatchObject({ seq: 4503599627370497 });
    await jetstreamManager(connection as never).then((manager) => manager.streams.delete('far'));
  });

  test('a purge, another one and a deletion that come at once are answered in order', async () => {
    const connection = await client(broker.port);
    const manager = await jetstreamManager(connection as never);
    await manager.streams.add({ name: 'full', subjects: ['full.>'], storage: 'memory' as never });
    for (let i = 0; i < 10_000; i++) connection.publish(`full.${i % 7}.${i}`);
    await connection.flush();
    const ask = async (subject: string, body = ''): Promise<unknown> =>
      (await connection.request(`$JS.API.STREAM.${subject}.full`, body, { timeout: 30_000 })).json();
    const answers = [
      ask('PURGE', JSON.stringify({ filter: 'full.*.>' })),
      ask('PURGE'),
      ask('INFO'),
      ask('DELETE'),
      ask('PURGE'),
    ];
    const [purged, again, info, deleted] = await Promise.all(answers);
    expect(purged).toMatchObject({ purged: 10_000 });
    expect(again).toMatchObject({ purged: 0 });
    expect(info).toMatchObject({ state: { messages: 0 } });
    expect(deleted).toMatchObject({ success: true });
    await expect(manager.streams.info('full')).rejects.toThrow('stream not found');
  });
});

describe.each([1, 2, 4])('%i shards, strict', (shards) => {
  const broker = useBroker({ shards, args: ['--strict', '--topic', 'declared.>'] });

  test('requests and publishes are answered where answers are awaited, though nobody declares that', async () => {
    const connection = await client(broker.port);
    const manager = await jetstreamManager(connection as never);
    await manager.streams.add({ name: 'strict', subjects: ['declared.>'], storage: 'memory' as never });
    expect(await jetstream(connection as never).publish('declared.a', 'x')).toMatchObject({ stream: 'strict', seq: 1 });
  });
});
