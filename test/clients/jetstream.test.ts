import {
  AdvisoryKind,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  StorageType,
  type StoredMsg,
  type StreamConfig,
} from '@nats-io/jetstream';
import { jserrors, startFastIngest } from '@nats-io/jetstream/internal';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { beforeEach, describe, expect, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';

// What the official client documents of streams, direct gets and publishing. Invariant 42 of docs/INVARIANTS.md.

/** A busy machine may take its time. */
const patient = { timeout: 60_000 };

async function all<T>(items: AsyncIterable<T> | Promise<AsyncIterable<T>>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of await items) found.push(item);
  return found;
}

const sequencesOf = async (messages: Promise<AsyncIterable<StoredMsg>>): Promise<number[]> =>
  (await all(messages)).map(({ seq }) => seq);
const apiError = (code: number, message?: string) =>
  expect.objectContaining({ code, ...(message === undefined ? {} : { message }) });

describe.each([1, 2, 4])('%i shards', (shards) => {
  const broker = useBroker({ shards, args: ['--domain', 'hub'] });
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let js: JetStreamClient;

  beforeEach(async () => {
    connection = await client(broker.port);
    manager = await jetstreamManager(connection as never, patient);
    js = jetstream(connection as never, patient);
    for (const name of await all(manager.streams.names())) await manager.streams.delete(name);
  });

  async function add(config: Partial<StreamConfig> = {}): Promise<void> {
    const given = { name: 'S', subjects: ['s.>'], storage: StorageType.Memory, allow_direct: true };
    await manager.streams.add({ ...given, ...config });
  }

  /** On subjects s.1, s.2, s.1, s.2, s.3. */
  async function publishFive(): Promise<void> {
    for (const [i, token] of [1, 2, 1, 2, 3].entries()) await js.publish(`s.${token}`, `${i + 1}`);
  }

  test('add, info, update, find, names, list, get and delete', async () => {
    await add({ description: 'first' });
    await add({ description: 'first' });
    await expect(add({ description: 'second' })).rejects.toEqual(apiError(10058));
    const updated = await manager.streams.update('S', { max_msgs: 3, subjects: ['s.*', 't'] });
    expect(updated.config).toMatchObject({ description: 'first', max_msgs: 3, subjects: ['s.*', 't'] });
    await expect(manager.streams.update('S', { storage: StorageType.File } as never)).rejects.toEqual(apiError(10052));
    await add({ name: 'T', subjects: ['u'] });
    expect(await manager.streams.find('t')).toBe('S');
    await expect(manager.streams.find('none')).rejects.toThrow('no stream matches subject');
    expect(await all(manager.streams.names())).toEqual(['S', 'T']);
    expect(await all(manager.streams.names('s.*'))).toEqual(['S']);
    expect((await all(manager.streams.list())).map(({ config }) => config.name)).toEqual(['S', 'T']);
    expect(await all(manager.streams.list('none'))).toEqual([]);
    const stream = await manager.streams.get('S');
    expect((await stream.info()).config).toEqual(updated.config);
    expect((await (await stream.best()).info()).config.name).toBe('S');
    expect(await stream.alternates()).toEqual([]);
    expect(await manager.streams.delete('S')).toBe(true);
    const gone = manager.streams.info('S');
    await expect(gone).rejects.toThrow(jserrors.StreamNotFoundError);
    await expect(gone).rejects.toMatchObject({ code: 10059, status: 404 });
    await expect(manager.streams.info('a.b')).rejects.toThrow(jserrors.InvalidNameError);
  });

  test('advisories tell of streams that are made, changed and removed', async () => {
    const told: unknown[] = [];
    const advised = (async () => {
      for await (const { kind, data } of manager.advisories())
        if (kind === AdvisoryKind.StreamAction && told.push((data as { action: string }).action) === 3) return;
    })();
    await connection.flush();
    await add();
    await add();
    await manager.streams.update('S', { max_msgs: 3 });
    await manager.streams.delete('S');
    await advised;
    expect(told).toEqual(['create', 'modify', 'delete']);
  });

  test('purge, deleteMessage and getMessage', async () => {
    await add();
    await publishFive();
    await publishFive();
    expect(await manager.streams.purge('S', { filter: 's.3' })).toMatchObject({ success: true, purged: 2 });
    expect(await manager.streams.purge('S', { seq: 3 })).toMatchObject({ purged: 2 });
    expect(await manager.streams.purge('S', { filter: 's.1', keep: 1 })).toMatchObject({ purged: 2 });
    expect(await manager.streams.purge('S', { keep: 2 })).toMatchObject({ purged: 2 });
    const info = await manager.streams.info('S', { deleted_details: true, subjects_filter: '>' });
    expect(info.state).toMatchObject({ messages: 2, first_seq: 8, last_seq: 10, subjects: { 's.1': 1, 's.2': 1 } });
    const [first] = [await manager.streams.getMessage('S', { seq: 8 })];
    expect(first).toMatchObject({ subject: 's.1', seq: 8 });
    expect(first?.string()).toBe('3');
    expect((await manager.streams.getMessage('S', { last_by_subj: 's.*' }))?.seq).toBe(9);
    expect((await manager.streams.getMessage('S', { next_by_subj: 's.2', seq: 1 } as never))?.seq).toBe(9);
    expect((await manager.streams.getMessage('S', { start_time: new Date(0).toISOString() } as never))?.seq).toBe(8);
    expect(await manager.streams.getMessage('S', { seq: 1 })).toBeNull();
    expect(await manager.streams.deleteMessage('S', 8)).toBe(true);
    expect(await (await manager.streams.get('S')).deleteMessage(9, false)).toBe(true);
    await expect(manager.streams.deleteMessage('S', 8)).rejects.toEqual(apiError(10043, 'sequence 8 not found'));
    expect(await manager.streams.purge('S')).toMatchObject({ purged: 0 });
    await expect(manager.streams.purge('none')).rejects.toThrow(jserrors.StreamNotFoundError);
  });

  test('publish with an id, expectations, headers and a time', async () => {
    await add({ allow_rollup_hdrs: true });
    expect(await js.publish('s.1', 'a', { msgID: 'one' })).toEqual({
      stream: 'S',
      domain: 'hub',
      seq: 1,
      duplicate: false,
    });
    expect(await js.publish('s.1', 'a', { msgID: 'one' })).toMatchObject({ seq: 1, duplicate: true });
    const expecting = (expect: object) => js.publish('s.1', 'b', { expect });
    await expect(expecting({ streamName: 'T' })).rejects.toThrow(JetStreamApiError);
    await expect(expecting({ streamName: 'T' })).rejects.toEqual(apiError(10060, 'expected stream does not match'));
    await expect(expecting({ lastSequence: 7 })).rejects.toEqual(apiError(10071, 'wrong last sequence: 1'));
    await expect(expecting({ lastSubjectSequence: 0 })).rejects.toEqual(apiError(10071, 'wrong last sequence: 1'));
    await expect(expecting({ lastMsgID: 'two' })).rejects.toEqual(apiError(10070, 'wrong last msg ID: one'));
    expect(await expecting({ streamName: 'S', lastSequence: 1, lastMsgID: 'one' })).toMatchObject({ seq: 2 });
    const others = { lastSubjectSequence: 2, lastSubjectSequenceSubject: 's.*' };
    expect(await js.publish('s.2', 'c', { expect: others, timeout: 59_000 })).toMatchObject({ seq: 3 });
    const block = headers();
    block.append('own', 'x');
    block.append('Nats-Rollup', 'sub');
    await js.publish('s.1', 'd', { headers: block });
    const last = await manager.streams.getMessage('S', { last_by_subj: 's.1' });
    expect([last?.header.get('own'), last?.string()]).toEqual(['x', 'd']);
    expect((await manager.streams.info('S')).state).toMatchObject({ messages: 2, first_seq: 3 });
  });

  test('a publish that no stream takes is told so', async () => {
    await expect(js.publish('s.1')).rejects.toThrow(/no responders/i);
  });

  test('limits refuse what is new, or let what is old go', async () => {
    await add({ max_msgs: 2, max_msg_size: 10 });
    await publishFive();
    expect((await manager.streams.info('S')).state).toMatchObject({ messages: 2, first_seq: 4, num_subjects: 2 });
    await expect(js.publish('s.1', 'x'.repeat(11))).rejects.toEqual(apiError(10054));
    await manager.streams.update('S', { discard: DiscardPolicy.New, max_msgs_per_subject: 1 });
    expect(await js.publish('s.2', 'x')).toMatchObject({ seq: 6 });
    await expect(js.publish('s.9', 'x')).rejects.toEqual(apiError(10077, 'maximum messages exceeded'));
    await manager.streams.update('S', { sealed: true } as never);
    await expect(js.publish('s.2', 'x')).rejects.toEqual(apiError(10109));
    await expect(manager.streams.purge('S')).rejects.toEqual(apiError(10109));
  });

  test('direct gets of one message', async () => {
    await add();
    await publishFive();
    const seqOf = async (query: object): Promise<number | undefined> =>
      (await manager.direct.getMessage('S', query as never))?.seq;
    const second = await manager.direct.getMessage('S', { seq: 2 });
    expect(second).toMatchObject({ subject: 's.2', seq: 2, stream: 'S' });
    expect(second?.string()).toBe('2');
    expect(second?.time.getTime()).toBeCloseTo(Date.now(), -6);
    expect(await seqOf({ last_by_subj: 's.1' })).toBe(3);
    expect(await seqOf({ last_by_subj: 's.*' })).toBe(5);
    expect(await seqOf({ next_by_subj: 's.2', seq: 3 })).toBe(4);
    expect(await seqOf({ start_time: new Date(0) })).toBe(1);
    expect(await seqOf({ start_time: second?.timestamp })).toBe(2);
    expect(await seqOf({ seq: 9 })).toBeUndefined();
    expect(await seqOf({ last_by_subj: 's.9' })).toBeUndefined();
    await manager.streams.update('S', { allow_direct: false });
    await expect(seqOf({ seq: 1 })).rejects.toThrow(/no responders/i);
  });

  test('direct gets of several messages', async () => {
    await add();
    await publishFive();
    const batch = (options: object) => manager.direct.getBatch('S', options as never);
    const lasts = (options: object) => manager.direct.getLastMessagesFor('S', options as never);
    expect(await sequencesOf(batch({ seq: 2 }))).toEqual([2, 3, 4, 5]);
    const some = await all(batch({ seq: 1, batch: 2 }));
    expect(some.map(({ seq, pending, lastSequence }) => [seq, pending, lastSequence])).toEqual([
      [1, 4, 0],
      [2, 3, 1],
    ]);
    expect(await sequencesOf(batch({ seq: 1, next_by_subj: 's.1' }))).toEqual([1, 3]);
    expect(await sequencesOf(batch({ start_time: new Date(0) }))).toEqual([1, 2, 3, 4, 5]);
    expect(await sequencesOf(batch({ seq: 1, max_bytes: 8 }))).toEqual([1, 2]);
    expect(await sequencesOf(lasts({ multi_last: ['s.1', 's.3'] }))).toEqual([3, 5]);
    expect(await sequencesOf(lasts({ multi_last: ['s.>'], up_to_seq: 3 }))).toEqual([2, 3]);
    expect(await sequencesOf(lasts({ multi_last: ['s.>'], batch: 1 }))).toEqual([3]);
    expect(await sequencesOf(lasts({ multi_last: ['none'] }))).toEqual([]);
    await expect(all(batch({ seq: 9 }))).rejects.toThrow('message not found');
  });

  test('the account, the API that is asked for, and a domain', async () => {
    const before = await manager.getAccountInfo();
    expect(before).toMatchObject({ streams: 0, consumers: 0, memory: 0, domain: 'hub', api: { level: 5 } });
    expect(before.limits).toMatchObject({ max_streams: -1, max_storage: -1, max_memory: -1 });
    expect(connection.info).toMatchObject({ jetstream: true, domain: 'hub', api_lvl: 5, version: '2.15.1' });
    const inDomain = await jetstream(connection as never, { ...patient, domain: 'hub' }).jetstreamManager(true);
    await inDomain.streams.add({ name: 'S', subjects: ['s.>'], storage: StorageType.Memory, max_bytes: 1000 });
    await js.publish('s.1', '12345');
    const taken = 16 + 's.1'.length + 5;
    const after = await manager.getAccountInfo();
    expect(after).toMatchObject({ streams: 1, memory: taken, reserved_memory: 1000 });
    await expect(add({ name: 'T', subjects: ['t'], max_bytes: 2 ** 31 })).rejects.toEqual(apiError(10028));
    await expect(manager.streams.update('S', { max_bytes: 2 ** 31 })).rejects.toEqual(apiError(10028));
    await expect(jetstreamManager(connection as never, { domain: 'elsewhere' })).rejects.toThrow();
  });

  test('what is not there yet is refused by name, and does not hang', async () => {
    await add();
    const counter = { name: 'T', storage: StorageType.Memory, allow_msg_counter: true };
    await expect(manager.streams.add(counter)).rejects.toEqual(apiError(10052));
    const mirror = { name: 'M', mirror: { name: 'S' }, mirror_direct: true };
    await expect(manager.streams.add(mirror)).rejects.toThrow('mirror is not supported by this server yet');
    await expect(manager.streams.add(counter)).rejects.toThrow('allow_msg_counter');
    await expect(manager.streams.add({ name: 'T', mirror: { name: 'S' } })).rejects.toThrow('mirror');
    await expect(js.publish('s.1', '', { ttl: '5s' })).rejects.toEqual(apiError(10166));
    await expect(js.startBatch('s.1', 'x')).rejects.toEqual(apiError(10174, 'atomic publish is disabled'));
    const ingest = startFastIngest(connection as never, 's.1', 'x', { allowGaps: false });
    await expect(ingest).rejects.toEqual(apiError(10205, 'batch publish is disabled'));
    expect((await manager.streams.info('S')).state.messages).toBe(0);
  });
});

describe('2 shards', () => {
  const broker = useBroker({ shards: 2 });

  test('listers go over all pages', async () => {
    const manager = await jetstreamManager((await client(broker.port)) as never, patient);
    const names = Array.from({ length: 258 }, (_, i) => `P${`${i}`.padStart(3, '0')}`);
    for (const name of names) await manager.streams.add({ name, storage: StorageType.Memory });
    expect((await all(manager.streams.list())).map(({ config }) => config.name)).toEqual(names);
    expect(await all(manager.streams.names())).toEqual(names);
  });
});
