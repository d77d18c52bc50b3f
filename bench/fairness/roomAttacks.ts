import type { Attack } from './attack.js';
import { Client } from './client.js';

const floodMs = 2_500;

/** Publishers at full speed to one subject, with so many subscriptions in all, so many on each connection. */
function room(publishers: number, connections: number, each: number, bytes = 16): Attack {
  const subscriptions = connections * each;
  return {
    what: `${publishers} publishers at full speed of ${bytes} bytes to a subject with ${subscriptions} subscriptions on ${connections} connections`,
    prepare: async ({ nats }) => {
      const readers = await Promise.all(Array.from({ length: connections }, () => Client.nats(nats)));
      for (const reader of readers) {
        await reader.sendLines(each, (i) => `SUB room ${i}\r\n`);
        await reader.flush();
      }
      const senders = await Promise.all(Array.from({ length: publishers }, () => Client.nats(nats)));
      const message = `PUB room ${bytes}\r\n${'x'.repeat(bytes)}\r\n`.repeat(500);
      return {
        attacker: senders[0] as Client,
        strike: () => Promise.all(senders.map((one) => one.flood(message, floodMs))),
      };
    },
  };
}

/** Many who talk to many. */
export const roomAttacks: Readonly<Record<string, Attack>> = {
  room: room(100, 1_000, 1),
  roomOfKilobytes: room(100, 1_000, 1, 1_000),
  roomOfFew: room(100, 20, 50),
  roomOfOne: room(100, 1, 1_000),
};
