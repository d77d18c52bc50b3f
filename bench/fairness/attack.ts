import { Client } from './client.js';
import type { Server } from './server.js';

/** What one client, or a few, may do to others: `prepare` first, while nobody looks, then what it returns, beside the pairs. */
export interface Attack {
  readonly what: string;
  readonly flags?: readonly string[];
  /** Whether the broker is part of a program, which attacks it. */
  readonly embedded?: true;
  prepare(server: Server): Promise<{ attacker: Client; strike: () => Promise<unknown> }>;
}

export const floodMs = 2_500;

type Prepare = (client: Client) => Promise<unknown>;

/** By one NATS client, prepared by some lines. */
function byOne(what: string, before: Prepare, strike: (attacker: Client) => Promise<unknown>): Attack {
  return {
    what,
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      await before(attacker);
      await attacker.flush();
      return { attacker, strike: () => strike(attacker) };
    },
  };
}

/** A flood of the same from a NATS client, prepared by some lines. */
export function floodAfter(what: string, before: Prepare, bytes: string): Attack {
  return byOne(what, before, (attacker) => attacker.flood(bytes, floodMs));
}

export function flood(what: string, bytes: string): Attack {
  return floodAfter(what, async () => {}, bytes);
}

/** Once: prepared by some lines, then others. */
export function once(what: string, before: Prepare, lines: () => string): Attack {
  return byOne(what, before, async (attacker) => {
    await attacker.send(lines());
    await attacker.flush(20_000);
  });
}

/** So many at a time do the same again and again. */
export function again(atOnce: number, what: () => Promise<unknown>): Promise<unknown> {
  const end = Date.now() + floodMs;
  const one = async () => {
    while (Date.now() < end) await what();
  };
  return Promise.all(Array.from({ length: atOnce }, one));
}

export const repeat = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('');
export const subscribe = (count: number) => (client: Client) => client.sendLines(count, (i) => `SUB s.${i} ${i}\r\n`);

/** A message with headers, each line with its end. */
export function withHeaders(subject: string, lines: string, body = ''): string {
  const block = `NATS/1.0\r\n${lines}\r\n`;
  return `HPUB ${subject} ${block.length} ${block.length + body.length}\r\n${block}${body}\r\n`;
}
