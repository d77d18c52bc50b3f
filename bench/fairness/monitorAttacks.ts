import { type Attack, again, floodMs, repeat } from './attack.js';
import { Client } from './client.js';

const pairsToken = 'pair';
const systemUser = { user: 'system', pass: 'secret' };
const crowdSize = 1_000;

/** A crowd with so many subscriptions each, for who is told of everybody. */
async function crowdOf(nats: number, each: number): Promise<void> {
  for (let i = 0; i < crowdSize; i++) {
    const one = await Client.nats(nats, { auth_token: pairsToken });
    await one.sendLines(each, (k) => `SUB c.${i}.${k} ${k}\r\n`);
  }
}

/** Requests to the broker itself from whoever may ask for what it tells. */
function systemRequests(what: string, requests: readonly string[]): Attack {
  return {
    what,
    flags: ['--token', pairsToken, '--sys-user', systemUser.user, '--sys-pass', systemUser.pass],
    prepare: async ({ nats }) => {
      await crowdOf(nats, 50);
      const attacker = await Client.nats(nats, systemUser);
      await attacker.send('SUB _INBOX.> 1\r\n');
      const bytes = repeat(200, (i) => {
        const body = '{"subscriptions":true,"limit":1024}';
        return `PUB $SYS.REQ.SERVER.PING.${requests[i % requests.length]} _INBOX.a ${body.length}\r\n${body}\r\n`;
      });
      return { attacker, strike: () => attacker.flood(bytes, floodMs) };
    },
  };
}

/** Requests over HTTP, so many at a time, each on a connection of its own. */
function webRequests(what: string, paths: readonly string[]): Attack {
  return {
    what,
    flags: ['--token', pairsToken, '--http-port', '0'],
    prepare: async ({ nats, http }) => {
      await crowdOf(nats, 50);
      const attacker = await Client.connect(http);
      let next = 0;
      const ask = async (): Promise<void> => {
        const client = await Client.connect(http);
        await client.send(`GET ${paths[next++ % paths.length]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        await client.hears(/^$/, 5_000);
      };
      return { attacker, strike: () => again(30, ask) };
    },
  };
}

/** What it may do to ask for what is known of everybody. */
export const monitorAttacks: Readonly<Record<string, Attack>> = {
  systemRequests: systemRequests(
    `a flood of requests below $SYS, of ${crowdSize} connections with 50 subscriptions each`,
    ['CONNZ', 'SUBSZ', 'JSZ', 'STATSZ', 'VARZ'],
  ),
  userInfo: {
    what: 'a flood of requests for what somebody is',
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      await attacker.send('SUB _INBOX.> 1\r\n');
      return {
        attacker,
        strike: () => attacker.flood('PUB $SYS.REQ.USER.INFO _INBOX.a 0\r\n\r\n'.repeat(1_000), floodMs),
      };
    },
  },
  webRequests: webRequests(`a flood of requests over HTTP, of ${crowdSize} connections with 50 subscriptions each`, [
    '/connz?subs=1&limit=1024',
    '/subsz?subs=1&limit=100000',
    '/jsz?consumers=1&config=1',
    '/varz',
    '/metrics',
  ]),
};
