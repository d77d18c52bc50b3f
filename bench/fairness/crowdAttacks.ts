import { setTimeout as sleep } from 'node:timers/promises';
import { type Attack, again, floodMs, once, repeat, subscribe } from './attack.js';
import { Client } from './client.js';

/** Five connections with 100,000 subscriptions each. */
async function subscribers(nats: number): Promise<Client[]> {
  const crowd = await Promise.all(Array.from({ length: 5 }, () => Client.nats(nats)));
  for (const [k, one] of crowd.entries()) {
    await one.sendLines(100_000, (i) => `SUB s.${k}.${i} ${i}\r\n`);
    await one.flush();
  }
  return crowd;
}

/** Connections that come, are many, or go. */
export const crowdAttacks: Readonly<Record<string, Attack>> = {
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
          await sleep(1500);
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
          await sleep(1500);
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
          await sleep(500);
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
  knocks: {
    what: 'connections that come, greet and go again and again, 50 at a time',
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      return { attacker, strike: () => again(50, async () => (await Client.nats(nats)).close()) };
    },
  },
  storm: {
    what: 'connections that end as soon as they are there, 200 at a time',
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      return { attacker, strike: () => again(200, async () => (await Client.connect(nats)).close()) };
    },
  },
  waves: {
    what: '1,000 connections at once that greet, and end at once, and again',
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      const wave = async () => {
        const crowd = await Promise.all(Array.from({ length: 1_000 }, () => Client.nats(nats)));
        for (const one of crowd) one.close();
      };
      return { attacker, strike: () => again(1, wave) };
    },
  },
  leaveTogether: {
    what: 'five connections with 100,000 subscriptions each end at once',
    prepare: async ({ nats }) => {
      const crowd = await subscribers(nats);
      return {
        attacker: crowd[0] as Client,
        strike: async () => {
          for (const one of crowd) one.close();
          await sleep(2_500);
        },
      };
    },
  },
  unsubs: once('100,000 subscriptions are ended, one after the other', subscribe(100_000), () =>
    repeat(100_000, (i) => `UNSUB ${i}\r\n`),
  ),
  drains: {
    what: 'five connections end 100,000 subscriptions each, one after the other, and go',
    prepare: async ({ nats }) => {
      const crowd = await subscribers(nats);
      const all = repeat(100_000, (i) => `UNSUB ${i}\r\n`);
      const drain = async (one: Client): Promise<void> => {
        await one.send(all);
        await one.flush();
        one.close();
      };
      return { attacker: crowd[0] as Client, strike: () => Promise.all(crowd.map(drain)) };
    },
  },
};
