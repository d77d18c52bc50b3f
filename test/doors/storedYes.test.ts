import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { jetstreamManager } from '@nats-io/jetstream';
import { codecs } from 'shardcast';
import { afterAll, describe, expect, test } from 'vitest';
import { inProcess } from '../client/broker.js';
import { JsonClient } from '../harness/jsonClient.js';
import { client } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';

// Invariant 46 of docs/INVARIANTS.md: what becomes of the yes where a stream refuses.

const full = { storage: 'memory' as never, max_msgs: 2, discard: 'new' as never };
const refusal = 'maximum messages exceeded (10077)';
const published = (topic: string, id: number) => ({ command: 'PUB', topic, payload: `${id}`, id });

describe.each([1, 2, 4])('%i shards', (shards) => {
  const data = mkdtempSync(`${tmpdir()}/shardcast-yes-`);
  // what is said last is done first: the broker has stopped by then
  afterAll(() => rmSync(data, { recursive: true, force: true }));
  const server = useBroker({ shards, args: ['--jsonl-port', '0', '--ws-port', '0', '--data', data] });

  test.each(['jsonl', 'websocket'] as const)(
    '%s: yes is what is stored, no what is refused, delivered all the same',
    async (door) => {
      const manager = await jetstreamManager((await client(server.port)) as never);
      await manager.streams.add({ name: door, subjects: [`${door}.*`], ...full });
      const port = server.broker.doorPort(door);
      const json = await (door === 'jsonl' ? JsonClient.overTcp(port) : JsonClient.overWebSocket(port));
      const other = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
      await other.exchange({ command: 'SUB', topic: `${door}.*` });
      json.send(published(`${door}.a`, 1), published(`${door}.b`, 2), published(`${door}.a`, 3));
      expect((await json.take(3)).sort()).toEqual([
        JSON.stringify({ error: `not stored: ${refusal}`, id: 3 }),
        '{"ok":true,"id":1}',
        '{"ok":true,"id":2}',
      ]);
      const seen = (await other.take(3)).map((line) => line.at(-1));
      expect(seen.sort()).toEqual(['1', '2', '3']);
      // without a name there is no answer
      expect(await json.exchange({ command: 'PUB', topic: `${door}.a`, payload: 'x' })).toEqual([]);
    },
  );

  test('who says no more is still told what is stored', async () => {
    const manager = await jetstreamManager((await client(server.port)) as never);
    await manager.streams.add({ name: 'disk' });
    const json = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    json.sendRaw(Array.from({ length: 50 }, (_, id) => JSON.stringify(published('disk', id))).join('\n'));
    json.end();
    expect(await json.expectClosed()).toEqual(Array.from({ length: 50 }, (_, id) => `{"ok":true,"id":${id}}`));
  });

  test('in process a publish of either kind rejects with what the stream says', async () => {
    const here = await inProcess({ listen: false, shards });
    const stream = here.stream('S');
    await stream.create({ subjects: ['s.*'], storage: 'memory', maxMessages: 2, discard: 'new' });
    const topic = here.topic('s.*', { codec: codecs.utf8 });
    const got: string[] = [];
    topic.subscribe(({ value }) => void got.push(value));
    expect(await topic.publish('one', { subject: 's.a' })).toBe(true);
    await topic.publishSync('two', { subject: 's.b' });
    await expect(topic.publish('three', { subject: 's.a' })).rejects.toMatchObject({ code: 'STREAM_FULL' });
    await expect(topic.publishSync('four', { subject: 's.b' })).rejects.toMatchObject({ code: 'STREAM_FULL' });
    await expect.poll(() => got.sort()).toEqual(['four', 'one', 'three', 'two']);
    await stream.delete();
    expect(await topic.publish('five', { subject: 's.a' })).toBe(true);
    expect(here.endpointCensus().synchronous).toBe(0);
  });
});
