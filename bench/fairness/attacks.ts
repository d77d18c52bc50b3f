import { deflateRawSync } from 'node:zlib';
import { Client, frame } from './client.js';
import { reloadAttacks } from './reloadAttacks.js';
import { roomAttacks } from './roomAttacks.js';
import type { Server } from './server.js';
import { streamAttacks } from './streamAttacks.js';

/** What one client, or a few, may do to others: `prepare` first, while nobody looks, then what it returns, beside the pairs. */
export interface Attack {
  readonly what: string;
  readonly flags?: readonly string[];
  /** Whether the broker is part of a program, which attacks it. */
  readonly embedded?: true;
  prepare(server: Server): Promise<{ attacker: Client; strike: () => Promise<unknown> }>;
}

const floodMs = 2_500;
const opcode = { continuation: 0, text: 1, binary: 2, ping: 9 };

/** A flood of the same from a NATS client, after so many subscriptions. */
function flood(what: string, bytes: string, subscriptions = 0): Attack {
  return {
    what,
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      await attacker.sendLines(subscriptions, (i) => `SUB s.${i} ${i}\r\n`);
      await attacker.flush();
      return { attacker, strike: () => attacker.flood(bytes, floodMs) };
    },
  };
}

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

/** The same from a WebSocket. */
function frameFlood(what: string, bytes: Uint8Array, headers = '', flags: string[] = []): Attack {
  return {
    what,
    flags,
    prepare: async ({ webSocket }) => {
      const attacker = await Client.webSocket(webSocket, headers);
      return { attacker, strike: () => attacker.flood(bytes, floodMs) };
    },
  };
}

/** Once: prepared by some lines, then others. */
function once(what: string, before: (client: Client) => Promise<void>, lines: () => string): Attack {
  return {
    what,
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      await before(attacker);
      await attacker.flush();
      return {
        attacker,
        strike: async () => {
          await attacker.send(lines());
          await attacker.flush(20_000);
        },
      };
    },
  };
}

const repeat = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('');
const subscribe = (count: number) => (client: Client) => client.sendLines(count, (i) => `SUB s.${i} ${i}\r\n`);
const stars = (bits: number, pattern: number) =>
  Array.from({ length: bits }, (_, k) => ((pattern >> k) & 1 ? '*' : 'a')).join('.');

function wish(json: string): string {
  return `PUB $SHARDCAST.SUB ${json.length}\r\n${json}\r\n`;
}

export const attacks: Readonly<Record<string, Attack>> = {
  connect: once('60 CONNECTs that turn `headers` on and off, with 60,000 subscriptions', subscribe(60_000), () =>
    repeat(60, (i) => `CONNECT {"verbose":false,"no_responders":false,"headers":${i % 2 === 1}}\r\n`),
  ),
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
  wish: once('1,500 wishes for one of 100,000 subscriptions', subscribe(100_000), () =>
    repeat(1500, (i) => wish(i % 2 ? '{"sid":"1"}' : '{"policy":"block","sid":"1"}')),
  ),
  wishes: once('60 wishes for all of 60,000 subscriptions', subscribe(60_000), () =>
    repeat(60, (i) => wish(i % 2 ? '{}' : '{"policy":"drop-old"}')),
  ),
  unsub: once(
    '12,000 UNSUBs with a maximum, of `t.>` with 60,000 topics',
    async (client) => {
      await client.send('SUB t.> 1\r\n');
      await client.sendLines(60_000, (i) => `PUB t.${i} 0\r\n\r\n`);
    },
    () => repeat(12_000, (i) => `UNSUB 1 ${999_999_999 - i}\r\n`),
  ),
  match: once(
    '500 publishes to new subjects, with 16,384 patterns of `a` and `*`',
    (client) => client.sendLines(1 << 14, (i) => `SUB ${stars(14, i)}.never ${i}\r\n`),
    () => repeat(500, (i) => `PUB ${'a.'.repeat(14)}x${i} 0\r\n\r\n`),
  ),
  matching: once(
    '200 publishes to new subjects, each of which 8,192 patterns of its sender take',
    (client) => client.sendLines(1 << 13, (i) => `SUB ${stars(13, i)}.> ${i}\r\n`),
    () => repeat(200, (i) => `PUB ${'a.'.repeat(13)}x${i} 0\r\n\r\n`),
  ),
  sids: once(
    '2,000 publishes to a subject to which their sender has 20,000 subscriptions',
    (client) => client.sendLines(20_000, (i) => `SUB same ${i}\r\n`),
    () => repeat(2_000, () => 'PUB same 0\r\n\r\n'),
  ),
  groups: once(
    '200 publishes to a subject that 20,000 queue groups of its sender take',
    (client) => client.sendLines(20_000, (i) => `SUB grouped q${i} ${i}\r\n`),
    () => repeat(200, () => 'PUB grouped 0\r\n\r\n'),
  ),
  ungroup: once(
    '20,000 queue groups of a subject that is published to are left, one after the other',
    async (client) => {
      await client.sendLines(20_000, (i) => `SUB grouped q${i} ${i}\r\n`);
      await client.send('PUB grouped 0\r\n\r\n');
    },
    () => repeat(20_000, (i) => `UNSUB ${i}\r\n`),
  ),
  newSids: once(
    '100 publishes to new subjects, each of which 20,000 subscriptions of their sender to one pattern take',
    (client) => client.sendLines(20_000, (i) => `SUB new.* ${i}\r\n`),
    () => repeat(100, (i) => `PUB new.${i} 0\r\n\r\n`),
  ),
  looks: once(
    '100 CONNECTs that turn `headers` on and off, each before a publish that 8,192 patterns of its sender take',
    (client) => client.sendLines(1 << 13, (i) => `SUB ${stars(13, i)}.> ${i}\r\n`),
    () =>
      repeat(
        100,
        (i) =>
          `CONNECT {"verbose":false,"no_responders":false,"headers":${i % 2 === 1}}\r\nPUB ${'a.'.repeat(13)}x 0\r\n\r\n`,
      ),
  ),
  matchingMany: {
    what: '20 publishes to new subjects, each of which 65,536 patterns of 16 clients take, while another comes and goes',
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      const other = await Client.nats(nats);
      const crowd = await Promise.all(Array.from({ length: 16 }, () => Client.nats(nats)));
      for (const [k, one] of crowd.entries()) {
        await one.sendLines(1 << 12, (i) => `SUB ${stars(16, (k << 12) + i)}.> ${i}\r\n`);
        await one.flush();
      }
      return {
        attacker,
        strike: async () => {
          await attacker.send(repeat(20, (i) => `PUB ${'a.'.repeat(16)}x${i} 0\r\n\r\n`));
          let done = false;
          const flushed = attacker.flush(20_000).then(() => {
            done = true;
          });
          for (let i = 0; !done; i++) {
            await other.send(`SUB a.> ${i}\r\nUNSUB ${i}\r\n`);
            await new Promise((resolve) => setTimeout(resolve, 2));
          }
          await flushed;
          for (const one of [...crowd, other]) one.close();
        },
      };
    },
  },
  errors: flood('a flood of wrong SUBs', 'SUB a..b 1\r\n'.repeat(20_000)),
  churn: flood(
    'a flood of SUB and UNSUB of `>`',
    repeat(2000, (i) => `SUB > ${i}\r\nUNSUB ${i}\r\n`),
  ),
  joins: flood(
    'a flood of members of one queue group that come and go',
    repeat(2000, (i) => `SUB a q ${i}\r\nUNSUB ${i}\r\n`),
  ),
  pings: flood('a flood of PINGs', 'PING\r\n'.repeat(20_000)),
  pongs: flood('a flood of PONGs', 'PONG\r\n'.repeat(20_000)),
  connects: flood(
    'a flood of CONNECTs',
    'CONNECT {"verbose":false,"lang":"x","name":"y","headers":true}\r\n'.repeat(2000),
  ),
  publishes: flood('a flood of publishes', 'PUB flood 16\r\n0123456789abcdef\r\n'.repeat(4000)),
  topics: {
    what: 'a flood of publishes to ever new subjects, all taken by another client of its own',
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      const reader = await Client.nats(nats);
      await reader.send('SUB new.> 1\r\n');
      await reader.flush();
      let next = 0;
      const until = () => Date.now() + floodMs;
      return {
        attacker,
        strike: async () => {
          for (const end = until(); Date.now() < end && !attacker.ended; )
            await attacker.sendLines(1000, () => `PUB new.${next++}.topic 0\r\n\r\n`);
          reader.close();
        },
      };
    },
  },
  inProcess: {
    what: 'a program that publishes to ever new subjects in its own process, all taken by one client',
    embedded: true,
    prepare: async (server) => {
      const reader = await Client.nats(server.nats);
      await reader.send('SUB new.> 1\r\n');
      await reader.flush();
      return { attacker: reader, strike: () => server.publishItself(floodMs) };
    },
  },
  subs: {
    what: 'a flood of SUBs to ever new subjects',
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      return { attacker, strike: () => attacker.sendLines(150_000, (i) => `SUB flood.${i} ${i}\r\n`) };
    },
  },
  leave: {
    what: 'a connection with 100,000 subscriptions ends',
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      await subscribe(100_000)(attacker);
      await attacker.flush();
      return {
        attacker,
        strike: async () => {
          attacker.close();
          const other = await Client.nats(nats);
          await other.flush();
          await new Promise((resolve) => setTimeout(resolve, 1500));
          other.close();
        },
      };
    },
  },
  leaving: {
    what: '1,000 connections with 50 subscriptions each end at once',
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      const crowd: Client[] = [];
      for (let i = 0; i < 1000; i++) {
        const one = await Client.nats(nats);
        await one.sendLines(50, (k) => `SUB c.${i}.${k} ${k}\r\n`);
        crowd.push(one);
      }
      return {
        attacker,
        strike: async () => {
          for (const one of crowd) one.close();
          await new Promise((resolve) => setTimeout(resolve, 1500));
        },
      };
    },
  },
  partials: {
    what: '1,000 connections send most of a message of 1 MB each, and not its end',
    prepare: async ({ nats }) => {
      const crowd: Client[] = [];
      for (let i = 0; i < 1000; i++) crowd.push(await Client.nats(nats));
      const attacker = crowd[0]!;
      const most = Buffer.alloc(1_000_000, 'x');
      return {
        attacker,
        strike: async () => {
          await Promise.all(crowd.map((one) => one.send('PUB partial 1048576\r\n')));
          await Promise.all(crowd.map((one) => one.send(most)));
          await new Promise((resolve) => setTimeout(resolve, 500));
          for (const one of crowd) one.close();
        },
      };
    },
  },
  crowd: {
    what: '50 publishers at full speed',
    prepare: async ({ nats }) => {
      const all = await Promise.all(Array.from({ length: 50 }, () => Client.nats(nats)));
      const bytes = all.map((_, i) => `PUB crowd.${i} 16\r\n0123456789abcdef\r\n`.repeat(4000));
      return { attacker: all[0]!, strike: () => Promise.all(all.map((one, i) => one.flood(bytes[i]!, floodMs))) };
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
  bigWishes: flood('a flood of wishes of 900 KB', wish(`{"policy":"block","sid":[${'0,'.repeat(450_000)}0]}`)),
  bigConnects: flood(
    'a flood of CONNECTs as long as a line may be',
    `CONNECT {"verbose":false,"more":[${'0,'.repeat(1_900)}0]}\r\n`.repeat(200),
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
  knocks: {
    what: 'connections that come, greet and go again and again, 50 at a time',
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      const knock = async (end: number): Promise<void> => {
        while (Date.now() < end) (await Client.nats(nats)).close();
      };
      return {
        attacker,
        strike: () => Promise.all(Array.from({ length: 50 }, () => knock(Date.now() + floodMs))),
      };
    },
  },
  ...streamAttacks,
  ...reloadAttacks,
  ...roomAttacks,
  frames: frameFlood(
    'a flood of empty fragments on a WebSocket',
    Buffer.concat([frame(opcode.binary, '', false), ...Array(5000).fill(frame(opcode.continuation, '', false))]),
  ),
  tinyFrames: frameFlood(
    'a flood of frames of one byte on a WebSocket',
    Buffer.concat(Array(3000).fill(Buffer.concat([...'PONG\r\n'].map((c) => frame(opcode.binary, c))))),
  ),
  hugeFrames: frameFlood(
    'a flood of fragments of 60 KB on a WebSocket',
    Buffer.concat([
      frame(opcode.binary, `PUB frames 960000\r\n`, false),
      ...Array(16).fill(frame(opcode.continuation, 'x'.repeat(60_000), false)),
      frame(opcode.continuation, '\r\n'),
    ]),
  ),
  framePings: frameFlood('a flood of pings on a WebSocket', Buffer.concat(Array(10_000).fill(frame(opcode.ping, '')))),
  deflated: frameFlood(
    'a flood of compressed frames, each of which becomes 1 MB of PONGs',
    Buffer.concat(Array(20).fill(deflatedFrame('PONG\r\n'.repeat(170_000)))),
    'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n',
    ['--ws-compression'],
  ),
  images: {
    what: 'clients that ask for the last values of 20,000 topics again and again',
    flags: ['--last-value', 'kept.>'],
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      await attacker.sendLines(20_000, (i) => `PUB kept.${i} 16\r\n0123456789abcdef\r\n`);
      await attacker.flush();
      await attacker.send(wish('{"last":true}'));
      await attacker.flush();
      return {
        attacker,
        strike: () =>
          attacker.flood(
            repeat(20, (i) => `SUB kept.> ${i}\r\nUNSUB ${i}\r\n`),
            floodMs,
          ),
      };
    },
  },
};

function deflatedFrame(text: string): Buffer {
  const bytes = deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4);
  const built = frame(opcode.binary, bytes);
  built[0]! |= 0x40;
  return built;
}
