import { type Attack, again, floodMs, repeat } from './attack.js';
import { Client } from './client.js';

/** The same from a client of JSON lines. */
function jsonFlood(what: string, line: string): Attack {
  return {
    what,
    prepare: async ({ jsonl }) => {
      const attacker = await Client.connect(jsonl);
      return { attacker, strike: () => attacker.flood(`${line}\n`.repeat(Math.ceil(50_000 / line.length)), floodMs) };
    },
  };
}

/** The same message again and again from a NATS client, to clients of JSON lines, who are told its headers. */
function headerFlood(what: string, readers: number, headers: string, times: number): Attack {
  return {
    what,
    prepare: async ({ nats, jsonl }) => {
      const attacker = await Client.nats(nats);
      for (let i = 0; i < readers; i++) {
        const reader = await Client.connect(jsonl);
        await reader.send('{"command":"FORMAT","format":"json"}\n{"command":"SUB","topic":"h","id":1}\n');
        await reader.hears(/"id":1/);
      }
      const block = `NATS/1.0\r\n${headers}\r\n`;
      const bytes = `HPUB h ${block.length} ${block.length}\r\n${block}\r\n`.repeat(times);
      return { attacker, strike: () => attacker.flood(bytes, floodMs) };
    },
  };
}

/** What clients of JSON lines may do to others, or have done for them. */
export const jsonAttacks: Readonly<Record<string, Attack>> = {
  format: {
    what: '120 FORMATs on JSON lines, with 30,000 subscriptions',
    prepare: async ({ jsonl }) => {
      const attacker = await Client.connect(jsonl);
      await attacker.sendLines(30_000, (i) => `{"command":"SUB","topic":"s.${i}"}\n`);
      await attacker.send('{"command":"PING","id":1}\n');
      await attacker.hears(/"id":1/);
      const lines = repeat(120, (i) => `{"command":"FORMAT","format":"${i % 2 ? 'text' : 'json'}"}\n`);
      return {
        attacker,
        strike: async () => {
          await attacker.send(`${lines}{"command":"PING","id":2}\n`);
          await attacker.hears(/"id":2/);
        },
      };
    },
  },
  emptyLines: jsonFlood('a flood of empty lines of JSON', '\n'.repeat(1000)),
  jsonErrors: jsonFlood('a flood of wrong lines of JSON', '{"command":"NOPE","id":1}'),
  jsonHuge: jsonFlood(
    'a flood of JSON lines of 1 MB',
    `{"command":"PUB","topic":"huge","payload":"${'x'.repeat(1_000_000)}"}`,
  ),
  jsonHeaders: headerFlood(
    'a flood of messages with 4 KB of headers, to ten clients of JSON lines of its own',
    10,
    repeat(160, (i) => `Header-${i}: value of it\r\n`),
    50,
  ),
  manyHeaders: headerFlood(
    'a flood of messages with 30,000 headers, to a client of JSON lines of its own',
    1,
    repeat(30_000, (i) => `h${i}:v\r\n`),
    3,
  ),
  sameHeaders: headerFlood(
    'a flood of messages with 200,000 headers of one name, to a client of JSON lines of its own',
    1,
    'a:\r\n'.repeat(200_000),
    1,
  ),
  jsonSaysHeaders: jsonFlood(
    'a flood of JSON lines with 4,000 headers each',
    `{"command":"PUB","topic":"h","payload":"","headers":{${Array.from({ length: 4000 }, (_, i) => `"h${i}":"v"`).join(',')}}}`,
  ),
  jsonDeep: jsonFlood(
    'a flood of JSON lines that nest 400,000 arrays',
    `{"command":"PUB","topic":"a","payload":${'['.repeat(400_000)}${']'.repeat(400_000)}}`,
  ),
  jsonNumbers: jsonFlood(
    'a flood of JSON lines with 450,000 numbers each',
    `{"command":"PUB","topic":"a","payload":[${'0,'.repeat(450_000)}0]}`,
  ),
  jsonEscapes: jsonFlood(
    'a flood of JSON lines with 150,000 escapes each',
    `{"command":"PUB","topic":"a","payload":"${'\\u00e9'.repeat(150_000)}"}`,
  ),
  binaryToText: {
    what: 'a flood of messages of 1 MB that are no text, to ten clients of JSON lines of its own',
    prepare: async ({ nats, jsonl }) => {
      const attacker = await Client.nats(nats);
      for (let i = 0; i < 10; i++) {
        const reader = await Client.connect(jsonl);
        await reader.send('{"command":"SUB","topic":"b","id":1}\n');
        await reader.hears(/"id":1/);
      }
      const bytes = Buffer.concat([
        Buffer.from('PUB b 1000000\r\n'),
        Buffer.alloc(1_000_000, 0xff),
        Buffer.from('\r\n'),
      ]);
      return { attacker, strike: () => attacker.flood(bytes, floodMs) };
    },
  },
  jsonKeys: jsonFlood(
    'a flood of JSON lines with 5,000 keys that nobody knows',
    `{"command":"PUB","topic":"a","payload":"",${Array.from({ length: 5000 }, (_, i) => `"k${i}":1`).join(',')}}`,
  ),
  jsonCommands: jsonFlood(
    'a flood of small commands on JSON lines',
    ['{"command":"SUB","topic":"c.*"}', '{"command":"PING"}', '{"command":"PUB","topic":"c.a","payload":"x"}']
      .concat(['{"command":"UNSUB","topic":"c.*"}', '{"command":"FORMAT","format":"text"}'])
      .join('\n'),
  ),
  jsonEndless: {
    what: 'connections that send 3 MB of a line of JSON without its end, 20 at a time',
    prepare: async ({ nats, jsonl }) => {
      const attacker = await Client.nats(nats);
      const line = `{"command":"PUB","topic":"a","payload":"${'x'.repeat(3_000_000)}`;
      const say = async (): Promise<void> => {
        const one = await Client.connect(jsonl);
        await one.send(line);
        await one.hears(/error/, 1_000);
        attacker.error = one.error;
        one.close();
      };
      return { attacker, strike: () => again(20, say) };
    },
  },
};
