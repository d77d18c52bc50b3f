import { type Broker, codecs, startBroker } from 'shardcast';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DoorLink, socketDoors } from '../harness/doorLink.js';
import { JsonClient } from '../harness/jsonClient.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';
import { ask, numberOf, padding, publication, request } from './slowSubscriber.js';

// Invariant 32 of docs/INVARIANTS.md.

/** More than the kernels' buffers, and what the subscriber may have waiting, together. */
const published = 1_500;
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const flood = (subject: string): string =>
  upTo(published)
    .map((i) => publication(subject, `${i} ${padding}`))
    .join('');

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({
    shards,
    args: ['--jsonl-port', '0', '--write-deadline', '60s', '--block-max', '300ms', '--refuse', 'strict'],
  });
  const connect = (): Promise<RawClient> => RawClient.connect(server.port);

  test('one that blocks and does not read is waited for a while, then told and ended; the others get everything', async () => {
    const [slow, reader, publisher] = [await connect(), await connect(), await connect()];
    await ask(slow, { subject: 'a', policy: 'block', maxMessages: 50, maxBytes: 1_000_000 });
    await slow.exchange('SUB a 1\r\n');
    slow.socket.pause();
    await reader.exchange('SUB a 1\r\n');
    const logged = server.broker.logged(/publishers wait no longer for a subscriber/);
    expect(await publisher.exchange(flood('a'))).toEqual([]);
    expect((await reader.messages(published)).map(numberOf)).toEqual(upTo(published));
    await logged;
    slow.socket.resume();
    const lines = (await slow.expectClosed()).filter((line) => line.startsWith('-ERR'));
    expect(lines).toContain("-ERR 'Publishers Wait No Longer: policy block is now disconnect'");
    expect(lines.at(-1)).toBe("-ERR 'Slow Consumer'");
  });

  test('a pattern that begins with a wildcard may not block, however it asks', async () => {
    const client = await connect();
    const why = 'a subscription to a pattern that begins with a wildcard may not block (--allow-block)';
    for (const subject of ['>', '*', '*.a']) {
      expect(await request(client, { subject, policy: 'block' })).toBe(JSON.stringify({ error: why }));
      expect(await client.exchange(`SUB ${subject} 1\r\n`)).toEqual([]);
      expect(await request(client, { sid: '1', policy: 'block' })).toBe(JSON.stringify({ error: why }));
      await client.exchange('UNSUB 1\r\n');
    }
    await ask(client, { policy: 'block' });
    expect(await client.exchange('SUB a.> 1\r\nSUB *.a 2\r\n')).toEqual([`-ERR 'Invalid Wish: ${why}'`]);
    const json = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const answers = await json.exchange({ command: 'SUB', topic: '>', policy: 'block' });
    expect(answers.join('')).toContain(why);
  });

  test('a group that acknowledges nothing is waited for a while; then what comes for it is dropped and told', async () => {
    const worker = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const joins = ['jobs', 'strict'].map((topic) => ({ command: 'SUB', topic, group: topic, prefetch: 1 }));
    await worker.exchange({ command: 'FORMAT', format: 'json' }, ...joins);
    const [publisher, reader] = [await connect(), await connect()];
    await reader.exchange('SUB jobs 1\r\n');
    let told = false;
    const logged = server.broker.logged(/publishers wait no longer for a group/).then(() => {
      told = true;
    });
    // what was on its way when they went on may all find room: some more is dropped for certain
    for (let sent = 0; sent < 20_000 || !told; sent += 5_000) {
      expect(await publisher.exchange('PUB jobs 1\r\nx\r\n'.repeat(5_000))).toEqual([]);
      expect(await reader.messages(5_000)).toHaveLength(5_000);
    }
    await logged;
    const strict = 'PUB strict 1\r\nx\r\n'.repeat(1_000);
    for (let replies: string[] = []; !replies.includes(`-ERR 'Topic Full for "strict"'`); )
      replies = await publisher.exchange(strict);
    // a request that only the group would take is answered, once nobody waits for it
    reader.close();
    const requester = await connect();
    await requester.exchange('SUB answer 1\r\n');
    for (let replies: string[] = []; !replies.join('').includes('503 Topic Full'); )
      replies = await requester.exchange('PUB jobs answer 1\r\nx\r\n');
  });
});

describe('by other doors', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker({
      port: 0,
      jsonlPort: 0,
      wsPort: 0,
      shards: 2,
      writeDeadlineMs: 60_000,
      blockMaxMs: 300,
      logLevel: 'silent',
    });
  });
  afterAll(() => broker.stop());

  test.each(socketDoors)('%s: a publisher in process goes on, though one that blocks does not read', async (door) => {
    const slow = await DoorLink.open(broker, door);
    const topic = `held.${door}`;
    await slow.exchange(slow.subscribe({ topic, wish: { policy: 'block', maxMessages: 5, notice: true } }));
    slow.pause();
    const publishing = broker.topic(topic, { codec: codecs.bytes });
    const payload = new Uint8Array(64 * 1024);
    for (let i = 0; i < 300; i++) await publishing.publish(payload);
    let offered = 0;
    while (offered < 100) if (publishing.offer(payload)) offered++;
    slow.resume();
    await slow.find('Publishers Wait No Longer');
    await slow.destroy();
  });
});
