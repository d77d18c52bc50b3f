import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { JetStreamApiCodes, jetstream, jetstreamManager, type StreamConfig } from '@nats-io/jetstream';
import { afterAll, describe, expect, test } from 'vitest';
import { client, collect } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ask, numberOf, padding, publication } from './slowSubscriber.js';

// What a stream takes is refused, held up and known as any other topic is. Invariants 9, 13 and 42 of docs/INVARIANTS.md.

const published = 300;
/** A busy machine may take its time. */
const patient = { timeout: 60_000 };

const isDone = (outcome: unknown): boolean => outcome === true || outcome === JetStreamApiCodes.StreamNotFound;

describe.each([1, 2, 4])('%i shards', (shards) => {
  const data = mkdtempSync(`${tmpdir()}/shardcast-captured-`);
  const topics = ['--topic', 'c.>', '--topic', 'd.>'];
  const policies = ['--write-deadline', '60s', '--block-max', '1m', '--refuse', 'c.full.>'];
  const server = useBroker({ shards, args: ['--data', data, '--strict', ...topics, ...policies] });
  afterAll(() => rmSync(data, { recursive: true, force: true }));

  async function add(storage: 'file' | 'memory', config: Partial<StreamConfig> = {}) {
    const connection = await client(server.port);
    const manager = await jetstreamManager(connection as never, patient);
    const given = { name: 'C', subjects: ['c.>'], storage: storage as never, ...config };
    // a busy machine may not get a shard's word in time: then it is asked for again
    await expect.poll(() => manager.streams.delete('C').catch(({ code }) => code)).toSatisfy(isDone);
    await expect.poll(() => manager.streams.add(given).then(() => true, String)).toBe(true);
    return { connection, manager, js: jetstream(connection as never, patient) };
  }

  /** A subscriber that wants everything and does not read. */
  async function blocker(subject: string): Promise<RawClient> {
    const slow = await RawClient.connect(server.port);
    await ask(slow, { subject, policy: 'block', maxMessages: 10, maxBytes: 1_000_000 });
    await slow.exchange(`SUB ${subject} 1\r\n`);
    slow.socket.pause();
    return slow;
  }

  test('a full topic is refused by name, and nothing of it stored', async () => {
    const { manager, js } = await add('file');
    const slow = await blocker('c.full.a');
    const publisher = await RawClient.connect(server.port);
    const refusal = `-ERR 'Topic Full for "c.full.a"'`;
    const some = 8;
    let [taken, refused] = [0, 0];
    for (; refused === 0; taken += some - refused) {
      const answers = await publisher.exchange(publication('c.full.a', padding).repeat(some));
      refused = answers.filter((line) => line === refusal).length;
    }
    await expect(js.publish('c.full.a', 'x')).rejects.toThrow(/no responders/i);
    expect(await js.publish('c.other', 'x')).toMatchObject({ stream: 'C', seq: taken + 1 });
    slow.close();
    await expect.poll(() => js.publish('c.full.a', 'x').then(({ stream }) => stream, String)).toBe('C');
    expect((await manager.streams.info('C')).state.last_seq).toBe(taken + 2);
  });

  test('publishers wait for who blocks them, and nothing is lost', async () => {
    const { manager } = await add('file');
    const slow = await blocker('c.held');
    const publisher = await RawClient.connect(server.port);
    let bytes = '';
    for (let i = 0; i < published; i++) bytes += publication('c.held', `${i} ${padding}`);
    const flooded = publisher.exchange(bytes);
    slow.socket.resume();
    expect((await slow.messages(published)).map(numberOf)).toEqual(Array.from({ length: published }, (_, i) => i));
    await flooded;
    expect((await manager.streams.info('C')).state.messages).toBe(published);
  });

  test.each(['committed', 'immediate'])('plain subscribers get what is %s', async (deliver) => {
    const { connection, js } = await add('file', { metadata: { 'shardcast.deliver': deliver } });
    const elsewhere = await client(server.port);
    const [{ texts }, other] = [collect(elsewhere, 'c.*'), collect(connection, 'd.x')];
    await Promise.all([elsewhere.flush(), connection.flush()]);
    const wanted = Array.from({ length: 50 }, (_, i) => `${i}`);
    await Promise.all(wanted.map((text) => js.publish(`c.${Number(text) % 3}`, text)));
    await expect.poll(() => texts).toEqual(wanted);
    connection.publish('d.x', 'plain');
    await expect.poll(() => other.texts).toEqual(['plain']);
  });

  test('what was not declared is refused beside a stream, too', async () => {
    const { js, manager } = await add('memory');
    await manager.streams.update('C', { subjects: ['c.>', 'e.>'] });
    expect(await js.publish('c.x', 'x')).toMatchObject({ seq: 1 });
    const raw = await RawClient.connect(server.port);
    const [answer] = await raw.exchange('PUB e.x 1\r\nx\r\n');
    expect(answer).toBe("-ERR 'Unknown Topic'");
    expect((await manager.streams.info('C')).state.messages).toBe(1);
  });
});
