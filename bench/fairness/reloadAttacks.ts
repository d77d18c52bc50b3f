import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack } from './attack.js';
import { Client } from './client.js';

const crowdSize = 2_000;

/** Reloads of a file with these options in turn, so far apart, while a crowd is connected that may stay by the first of them. */
function reloads(what: string, options: readonly object[], pauseMs: number, count: number): Attack {
  const file = join(mkdtempSync(join(tmpdir(), 'shardcast-bench-')), 'options.json');
  const write = (index: number) => writeFileSync(file, JSON.stringify(options[index % options.length]));
  write(0);
  return {
    what,
    flags: ['--config', file],
    prepare: async (server) => {
      write(0);
      const crowd: Client[] = [];
      for (let i = 0; i < crowdSize; i++) crowd.push(await Client.nats(server.nats));
      const strike = async () => {
        for (let i = 1; i <= count; i++) {
          write(i);
          server.reload();
          await sleep(pauseMs);
        }
        for (const one of crowd) one.close();
      };
      return { attacker: crowd[0] as Client, strike };
    },
  };
}

/** What an operator may do to everybody without meaning it. */
export const reloadAttacks: Readonly<Record<string, Attack>> = {
  reload: reloads(
    `a reload by which ${crowdSize} connections have no right to be there any more`,
    [{}, { token: 'pair' }],
    2_000,
    1,
  ),
  informs: reloads(
    `reloads that ${crowdSize} connections are told of, five in a second`,
    [{ maxPayload: '1MB' }, { maxPayload: '2MB' }],
    200,
    12,
  ),
};
