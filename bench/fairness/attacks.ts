import { type Attack, flood, floodAfter, floodMs, once, repeat, subscribe, withHeaders } from './attack.js';
import { Client } from './client.js';
import { consumerAttacks } from './consumerAttacks.js';
import { crowdAttacks } from './crowdAttacks.js';
import { jsonAttacks } from './jsonAttacks.js';
import { monitorAttacks } from './monitorAttacks.js';
import { reloadAttacks } from './reloadAttacks.js';
import { roomAttacks } from './roomAttacks.js';
import { streamAttacks } from './streamAttacks.js';
import { traceAttacks } from './traceAttacks.js';
import { webSocketAttacks } from './webSocketAttacks.js';

const stars = (bits: number, pattern: number) =>
  Array.from({ length: bits }, (_, k) => ((pattern >> k) & 1 ? '*' : 'a')).join('.');

function wish(json: string): string {
  return `PUB $SHARDCAST.SUB ${json.length}\r\n${json}\r\n`;
}

export const attacks: Readonly<Record<string, Attack>> = {
  connect: once('60 CONNECTs that turn `headers` on and off, with 60,000 subscriptions', subscribe(60_000), () =>
    repeat(60, (i) => `CONNECT {"verbose":false,"no_responders":false,"headers":${i % 2 === 1}}\r\n`),
  ),
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
  bigWishes: flood('a flood of wishes of 900 KB', wish(`{"policy":"block","sid":[${'0,'.repeat(450_000)}0]}`)),
  bigConnects: flood(
    'a flood of CONNECTs as long as a line may be',
    `CONNECT {"verbose":false,"more":[${'0,'.repeat(1_900)}0]}\r\n`.repeat(200),
  ),
  oddConnects: flood(
    'a flood of CONNECTs with odd options',
    repeat(500, (i) => {
      const odd = {
        verbose: false,
        name: 'x'.repeat(1_000 + i),
        lang: '',
        no_such: { a: [[[i]]], b: 1e308 },
        echo: i % 2 === 0,
      };
      return `CONNECT ${JSON.stringify({ ...odd, headers: true, no_responders: i % 3 === 0, protocol: i % 2 })}\r\n`;
    }),
  ),
  headerLines: floodAfter(
    'a flood of messages with 200,000 headers to ten readers who know none, and one that knows them',
    async (client) => {
      await client.send('SUB headers 1\r\n');
      for (let i = 0; i < 10; i++) await (await Client.nats(client.port, { headers: false })).send('SUB headers 1\r\n');
    },
    withHeaders('headers', 'a:\r\n'.repeat(200_000)).repeat(2),
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
  ...crowdAttacks,
  ...jsonAttacks,
  ...webSocketAttacks,
  ...traceAttacks,
  ...streamAttacks,
  ...consumerAttacks,
  ...monitorAttacks,
  ...reloadAttacks,
  ...roomAttacks,
};
