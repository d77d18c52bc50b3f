import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { client, collect } from '../harness/officialClient.js';
import { Broker } from '../harness/server.js';

// Invariant 48 of docs/INVARIANTS.md.

let data: string;

beforeEach(() => {
  data = mkdtempSync(`${tmpdir()}/shardcast-data-`);
});

afterEach(() => rmSync(data, { recursive: true }));

async function start(shards: number, ...args: string[]) {
  const broker = await Broker.start({ shards, args: ['--data', data, ...args] });
  const connection = await client(broker.port);
  return {
    broker,
    connection,
    js: jetstream(connection as never),
    manager: await jetstreamManager(connection as never),
  };
}

const syncs = ['always', 'interval:10', 'interval:3600000', 'never'];
const configOf = (sync: string, i: number) => ({
  name: `S${i}`,
  subjects: [`s.${i}`],
  metadata: { 'shardcast.sync': sync },
  max_msgs_per_subject: 20,
});

describe.each([1, 2, 4])('%i shards', (shards) => {
  test('whichever way streams are brought to disk, a broker that is killed has lost nothing, and neither has one that has stopped', async () => {
    const { broker, connection, js, manager } = await start(shards);
    for (const [i, sync] of syncs.entries()) {
      const { config } = await manager.streams.add(configOf(sync, i));
      expect(config.metadata).toMatchObject({ 'shardcast.sync': sync });
    }
    const { texts } = collect(connection, 's.*');
    const published = syncs.flatMap((_, i) => Array.from({ length: 30 }, (__, n) => js.publish(`s.${i}`, `${n}`)));
    expect((await Promise.all(published)).map(({ seq }) => seq).sort((a, b) => a - b)[119]).toBe(30);
    await expect.poll(() => texts.length).toBe(120);
    await broker.kill();

    const second = await start(shards);
    for (const i of syncs.keys()) {
      const { state } = await second.manager.streams.info(`S${i}`);
      expect(state).toMatchObject({ messages: 20, first_seq: 11, last_seq: 30 });
      expect((await second.manager.streams.getMessage(`S${i}`, { seq: 17 }))?.string()).toBe('16');
      expect(await second.js.publish(`s.${i}`, 'more')).toMatchObject({ seq: 31 });
      await second.manager.streams.purge(`S${i}`, { keep: 2 });
    }
    expect((await second.broker.stop()).code).toBe(0);

    if (shards < 4) return;
    const third = await start(2);
    for (const i of syncs.keys())
      expect((await third.manager.streams.info(`S${i}`)).state).toMatchObject({ messages: 2, last_seq: 31 });
    expect((await third.broker.stop()).code).toBe(0);
  });
});

test('streams that are declared are brought to disk as the broker is told to, and those that are there as before', async () => {
  const { broker, manager } = await start(1, '--durable', 'd.>', '--sync', 'interval:500');
  const syncOf = async (name: string, of = manager) =>
    (await of.streams.info(name)).config.metadata?.['shardcast.sync'];
  expect(await syncOf('d')).toBe('interval:500');
  await broker.kill();
  const again = await start(1, '--durable', 'd.>', '--durable', 'e', '--sync', 'never');
  expect([await syncOf('d', again.manager), await syncOf('e', again.manager)]).toEqual(['interval:500', 'never']);
  await again.broker.kill();
  await expect(start(1, '--durable', 'd.>', '--sync', 'soon')).rejects.toThrow('always, interval:<milliseconds up to');
});

test('how a stream is brought to disk may be changed, but not to or from always', async () => {
  const { broker, js, manager } = await start(1);
  await manager.streams.add(configOf('interval:10', 0));
  await js.publish('s.0', 'a');
  for (const sync of ['never', 'interval:20']) {
    const { config } = await manager.streams.update('S0', configOf(sync, 0));
    expect(config.metadata).toMatchObject({ 'shardcast.sync': sync });
    await js.publish('s.0', 'b');
  }
  const refusal = 'stream configuration update can not change shardcast.sync to or from always';
  await expect(manager.streams.update('S0', configOf('always', 0))).rejects.toThrow(refusal);
  await expect(manager.streams.update('S0', { ...configOf('', 0), metadata: {} })).rejects.toThrow(refusal);
  await manager.streams.add({ name: 'A', subjects: ['a'] });
  const wanted = { name: 'A', subjects: ['a'], metadata: { 'shardcast.sync': 'never' } };
  await expect(manager.streams.update('A', wanted)).rejects.toThrow(refusal);
  await manager.streams.delete('S0');
  await manager.streams.add(configOf('always', 0));
  expect(await js.publish('s.0', 'c')).toMatchObject({ seq: 1 });
  await broker.kill();
});
