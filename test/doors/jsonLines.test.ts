import { describe, expect, test } from 'vitest';
import { JsonClient } from '../harness/jsonClient.js';
import { client } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';

describe.each([1, 2, 4])('JSON lines, %i shards', (shards) => {
  const server = useBroker({ shards, args: ['--jsonl-port', '0', '--ws-port', '0'] });
  const transports = {
    TCP: () => JsonClient.overTcp(server.broker.doorPort('jsonl')),
    WebSocket: () => JsonClient.overWebSocket(server.broker.doorPort('websocket')),
  };

  describe.each(Object.entries(transports))('over %s', (_, connect) => {
    test('what the first issue shows', async () => {
      const [subscriber, publisher] = [await connect(), await connect()];
      expect(await subscriber.exchange({ command: 'SUB', topic: 'test' })).toEqual([]);
      publisher.send({ command: 'PUB', topic: 'test', payload: '100' });
      expect(await subscriber.take(1)).toEqual(['BROKER BROADCAST [test]: 100']);
    });

    test('a payload cannot forge a line', async () => {
      const one = await connect();
      const payload = 'a\nBROKER BROADCAST [b]: c\r\n\\n\u2028\x00';
      expect(await one.exchange({ command: 'SUB', topic: 'a' }, { command: 'PUB', topic: 'a', payload })).toEqual([
        'BROKER BROADCAST [a]: a\\nBROKER BROADCAST [b]: c\\r\\n\\\\n\\u2028\\u0000',
      ]);
    });

    test('answers name their commands, and only those that have a name', async () => {
      const one = await connect();
      const replies = await one.exchange(
        { command: 'SUB', topic: 'ids', id: 1 },
        { command: 'SUB', topic: 'ids' },
        { command: 'PUB', topic: 'other', payload: '', id: 'two' },
        { command: 'UNSUB', topic: 'nothing', id: 3 },
        { command: 'FORMAT', format: 'json', id: 4 },
        { command: 'AUTH', token: 'needless', id: 5 },
        '{"command":"PUB","topic":"a b","payload":"","id":6}',
        'hello',
        '',
      );
      expect(replies.map((line) => JSON.parse(line) as unknown)).toEqual([
        { ok: true, id: 1 },
        { ok: true, id: 'two' },
        { error: 'there is no such subscription', id: 3 },
        { ok: true, id: 4 },
        { ok: true, id: 5 },
        { error: 'topic must not hold blanks or control characters', id: 6 },
        { error: expect.stringContaining('the line is no JSON') as string },
      ]);
    });

    test('as objects, with everything a message has', async () => {
      const one = await connect();
      const message = {
        topic: 'é.test',
        payload: 'x\ny',
        reply: 'back',
        key: 'k',
        traceparent: '00-1-2-01',
        correlationId: 'c',
        headers: { A: ['1', '2'], B: 'é' },
      };
      const binary = { topic: 'é.test', payload: '/wD+', encoding: 'base64' };
      const lines = await one.exchange(
        { command: 'FORMAT', format: 'json' },
        { command: 'SUB', topic: 'é.>' },
        { command: 'PUB', ...message },
        { command: 'PUB', ...binary },
      );
      const timestamp = expect.any(Number) as number;
      // nobody listens on the reply
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
        { ...message, timestamp },
        { ...binary, timestamp },
      ]);
    });

    test('a format holds from the next message on', async () => {
      const one = await connect();
      const publish = { command: 'PUB', topic: 'form', payload: '1' };
      const json = expect.stringMatching(/^\{"topic":"form","payload":"1","timestamp":\d+\}$/) as string;
      await one.exchange({ command: 'SUB', topic: 'form' });
      expect(await one.exchange(publish)).toEqual(['BROKER BROADCAST [form]: 1']);
      expect(await one.exchange({ command: 'FORMAT', format: 'json' }, publish)).toEqual([json]);
      expect(await one.exchange({ command: 'FORMAT', format: 'text' }, publish)).toEqual([
        'BROKER BROADCAST [form]: 1',
      ]);
    });

    test('a request that nobody can answer is told so, as an object', async () => {
      const one = await connect();
      const lines = await one.exchange(
        { command: 'FORMAT', format: 'json' },
        { command: 'SUB', topic: 'inbox' },
        { command: 'PUB', topic: 'nobody', reply: 'inbox', payload: '' },
      );
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ topic: 'inbox', status: 503 }]);
    });

    test('members of a group take turns, and what has unsubscribed gets nothing', async () => {
      const [a, b, publisher] = [await connect(), await connect(), await connect()];
      const group = { command: 'SUB', topic: 'work', group: 'g' };
      await a.exchange(group);
      await b.exchange(group);
      await publisher.exchange(
        ...Array.from({ length: 20 }, (_, i) => ({ command: 'PUB', topic: 'work', payload: `${i}` })),
      );
      const [ofA, ofB] = [await a.exchange(), await b.exchange()];
      expect(ofA.length).toBeGreaterThan(0);
      expect(ofB.length).toBeGreaterThan(0);
      const numbers = [...ofA, ...ofB].map((line) => Number(line.split(': ')[1]));
      expect(numbers.sort((x, y) => x - y)).toEqual(Array.from({ length: 20 }, (_, i) => i));
      expect(await a.exchange({ ...group, command: 'UNSUB', id: 1 })).toEqual(['{"ok":true,"id":1}']);
      await publisher.exchange({ command: 'PUB', topic: 'work', payload: 'last' });
      expect(await b.exchange()).toEqual(['BROKER BROADCAST [work]: last']);
      expect(await a.exchange()).toEqual([]);
    });

    test('the largest payload passes, a larger one is refused, and the connection stays', {
      timeout: 120_000,
    }, async () => {
      const one = await connect();
      const payload = 'é'.repeat(512 * 1024);
      await one.exchange({ command: 'SUB', topic: 'large' });
      one.send({ command: 'PUB', topic: 'large', payload }, { command: 'PUB', topic: 'large', payload: `${payload}!` });
      // the delivery may take the way through another thread
      const [error, delivery] = (await one.take(2)).sort((a, b) => a.length - b.length);
      expect(delivery === `BROKER BROADCAST [large]: ${payload}`).toBe(true);
      expect(error).toBe('{"error":"the payload, with headers, has 1048577 bytes; 1048576 are allowed"}');
      expect(await one.exchange()).toEqual([]);
    });

    test('a NATS client and a JSON client hear each other', async () => {
      const nats = await client(server.port);
      const one = await connect();
      const heard = nats.subscribe('both.*', { max: 1 });
      await nats.flush();
      await one.exchange({ command: 'FORMAT', format: 'json' }, { command: 'SUB', topic: 'both.>' });
      one.send({ command: 'PUB', topic: 'both.a', payload: 'hi', headers: { H: 'v' } });
      for await (const message of heard) {
        expect([message.subject, message.string(), message.headers?.get('H')]).toEqual(['both.a', 'hi', 'v']);
      }
      nats.publish('both.b', new Uint8Array([0xff]));
      const lines = await one.take(2);
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        { topic: 'both.a', payload: 'hi', headers: { H: 'v' } },
        { topic: 'both.b', payload: '/w==', encoding: 'base64' },
      ]);
    });
  });

  test('a web page cannot send commands in a request', async () => {
    const one = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    one.sendRaw('POST / HTTP/1.1\r\nHost: x\r\n\r\n{"command":"PING","id":1}\n');
    expect(await one.expectClosed()).toEqual(['{"error":"this port speaks JSON lines, not HTTP"}']);
  });

  test('a topic is as long as a control line may be, and no longer', async () => {
    const one = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const topic = 'é'.repeat(2048);
    const deliveries = await one.exchange({ command: 'SUB', topic }, { command: 'PUB', topic, payload: '1' });
    expect(deliveries).toEqual([`BROKER BROADCAST [${topic}]: 1`]);
    const error = (bytes: number) =>
      `{"error":"the topic, with reply and group, has ${bytes} bytes; 4096 are allowed"}`;
    expect(
      await one.exchange(
        { command: 'SUB', topic: `${topic}.${'a.'.repeat(500_000)}a` },
        { command: 'SUB', topic, group: 'g' },
        { command: 'UNSUB', topic: `${topic}a` },
        { command: 'PUB', topic, reply: 'ab', payload: '' },
      ),
    ).toEqual([1_004_098, 4097, 4097, 4098].map(error));
  });

  test.each([
    ['nested arrays', '['.repeat(1_000_000)],
    ['nested objects', '{"a":'.repeat(400_000)],
    ['many fields', `{${'"a":0,'.repeat(250_000)}"a":0}`],
    ['many headers', `{"command":"PUB","topic":"a","payload":"","headers":{${'"a":"",'.repeat(200_000)}"a":""}}`],
  ])('%s are told before they are taken apart', async (_, line) => {
    const one = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    expect(await one.exchange(line)).toEqual(['{"error":"the line has more parts than any command has"}']);
  });

  test('a great many lines, between which others have their turn, are all carried out', async () => {
    const one = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    await one.exchange({ command: 'SUB', topic: 'many' });
    const lines = Array.from({ length: 5000 }, (_, i) => ({ command: 'PUB', topic: 'many', payload: `${i}` }));
    const expected = lines.map(({ payload }) => `BROKER BROADCAST [many]: ${payload}`);
    expect(await one.exchange(lines.map((line) => JSON.stringify(line)).join('\n'))).toEqual(expected);
  });

  test('lines may come in any pieces, with or without CR', async () => {
    const one = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const text = '{"command":"SUB","topic":"cut"}\r\n{"command":"PUB","topic":"cut","payload":"é"}\r\n';
    for (const byte of Buffer.from(text).toString()) one.sendRaw(byte);
    expect(await one.take(1)).toEqual(['BROKER BROADCAST [cut]: é']);
  });
});

describe('with credentials', () => {
  const server = useBroker({
    config: { authorization: { user: 'u', password: 'p' }, max_connections: 5 },
    args: ['--jsonl-port', '0', '--ws-port', '0'],
  });
  const connect = () => JsonClient.overTcp(server.broker.doorPort('jsonl'));

  test('the right ones let in', async () => {
    const one = await connect();
    expect(await one.exchange({ command: 'AUTH', user: 'u', pass: 'p', id: 1 })).toEqual(['{"ok":true,"id":1}']);
  });

  test.each([
    '{"command":"AUTH","user":"u","pass":"x"}',
    '{"command":"PING"}',
    'anything',
    '\xff',
    `{"${'x'.repeat(5000)}`,
  ])('%s is told nothing but that it may not', async (line) => {
    const one = await connect();
    one.send(line);
    expect(await one.expectClosed()).toEqual(['{"error":"Authorization Violation"}']);
  });

  test('one client too many is told so in the words of its door', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, connect));
    const refused = await Promise.all(all.slice(5).map((each) => each.expectClosed()));
    expect(refused.flat()).toContain('{"error":"maximum connections exceeded"}');
  });
});
