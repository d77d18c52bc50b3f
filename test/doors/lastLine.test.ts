import { describe, expect, test } from 'vitest';
import { inProcess } from '../client/broker.js';
import { JsonClient } from '../harness/jsonClient.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';

describe.each([1, 2, 4])('the end of a client of JSON lines, %i shards', (shards) => {
  const server = useBroker({ shards, args: ['--jsonl-port', '0', '--ws-port', '0'] });
  const transports = {
    TCP: () => JsonClient.overTcp(server.broker.doorPort('jsonl')),
    WebSocket: () => JsonClient.overWebSocket(server.broker.doorPort('websocket')),
  };
  const overTcp = transports.TCP;

  test.each([
    ['short', 'x'],
    ['longer than what is carried from read to read', 'é'.repeat(300_000)],
  ])('ends its last line: a publish that is %s', async (_, payload) => {
    const watcher = await overTcp();
    await watcher.exchange({ command: 'SUB', topic: 'last' });
    const client = await overTcp();
    client.sendRaw(`{"command":"PING","id":6}\n${JSON.stringify({ command: 'PUB', topic: 'last', payload, id: 7 })}`);
    client.end();
    expect(await watcher.take(1)).toEqual([`BROKER BROADCAST [last]: ${payload}`]);
    expect(await client.expectClosed()).toEqual(['{"ok":true,"pong":true,"id":6}', '{"ok":true,"id":7}']);
  });

  test.each([
    ['{"command":"PUB","topic":"last","payl', 'the line is no JSON'],
    ['{"command":"PUB","topic":"last"}', 'payload must be a string'],
    ['hello', 'the line is no JSON'],
    ['\xe9', 'no JSON'],
  ])('is told what is wrong with its last line: %j', async (line, wrong) => {
    const client = await overTcp();
    client.sendRaw(line);
    client.end();
    const told = await client.expectClosed();
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(wrong);
  });

  test.each(['', ' ', '{"command":"PING","id":1}\n', '{"command":"PING","id":1}\r\n\t'])(
    'with nothing behind its last line end: %j',
    async (text) => {
      const client = await overTcp();
      client.sendRaw(text);
      client.end();
      expect(await client.expectClosed()).toEqual(text.length > 1 ? ['{"ok":true,"pong":true,"id":1}'] : []);
    },
  );

  describe.each(Object.entries(transports))('over %s', (_, connect) => {
    test('everything it said before is carried out, though it takes many turns', async () => {
      const watcher = await overTcp();
      await watcher.exchange({ command: 'SUB', topic: 'many' });
      const client = await connect();
      // more than any turn carries out
      const count = 5_000;
      const lines = Array.from({ length: count }, (_, i) =>
        JSON.stringify({ command: 'PUB', topic: 'many', payload: `${i}` }),
      );
      client.sendRaw(lines.join('\n'));
      client.end();
      expect(await watcher.take(count)).toEqual(lines.map((_, i) => `BROKER BROADCAST [many]: ${i}`));
    });
  });

  test('of NATS, in the middle of an operation, is the end of that operation: as for nats-server it is none', async () => {
    const watcher = await RawClient.connect(server.broker.port);
    await watcher.exchange('SUB cut 1\r\n');
    for (const text of [
      'PUB cut 1\r\nx\r\nPUB cut 5\r\nabc',
      'PUB cut 1\r\nx\r\nPUB cut 1\r\ny',
      'PUB cut 1\r\nx\r\nPUB cut 1',
    ]) {
      const client = await RawClient.connect(server.broker.port);
      client.send(text);
      client.socket.end();
      await client.expectClosed();
    }
    expect((await watcher.messages(3)).map(({ payload }) => payload.toString())).toEqual(['x', 'x', 'x']);
    expect(await watcher.exchange()).toEqual([]);
  });
});

test('the last line waits for a topic that is full, and so does the end', async () => {
  const broker = await inProcess({ shards: 2, jsonlPort: 0 });
  const stream = broker.topic<number>('full').subscribe({ policy: 'block', bufferCount: 1 });
  const client = await JsonClient.overTcp(Number(new URL(broker.ports.jsonl[0]!).port));
  const count = 500;
  const line = (i: number): string => JSON.stringify({ command: 'PUB', topic: 'full', payload: `${i}` });
  client.sendRaw(Array.from({ length: count }, (_, i) => line(i)).join('\n'));
  client.end();
  for (let i = 0; i < count; i++) expect((await stream.next()).value?.value).toBe(i);
  expect(await client.expectClosed()).toEqual([]);
});
