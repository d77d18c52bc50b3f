import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Attack, attacks } from './attacks.js';
import { Server } from './server.js';

/**
 * `npm run bench:fairness [-- attack...] [--checkout dir]...`: how long well-behaved pairs wait at most while somebody does their worst, at one and at
 * three shards, the process's greatest memory, and what the attacker was told. More checkouts are measured beside this one.
 */
const pairsFile = fileURLToPath(new URL('./pairs.js', import.meta.url));
const here = fileURLToPath(new URL('../../..', import.meta.url));
const pairCount = 4;

interface Lap {
  readonly count: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

async function measure(checkout: string, shards: number, attack: Attack): Promise<string> {
  const server = attack.embedded
    ? await Server.embedded(checkout, shards)
    : await Server.start(checkout, shards, attack.flags, attack.hangingDisk);
  const { attacker, strike } = await attack.prepare(server);
  const pairs = fork(pairsFile, [String(server.nats), String(pairCount)]);
  const lap = async (): Promise<Lap> => {
    pairs.send('lap');
    return ((await once(pairs, 'message')) as [Lap])[0];
  };
  await sleep(1000);
  await lap();
  await sleep(700);
  const before = await lap();
  attacker.error = '';
  await strike();
  const during = await lap();
  const told = attacker.error === '' ? '' : `, told "${attacker.error}"`;
  const result = `${during.longestMs.toFixed(0)} ms (p99 ${during.p99Ms.toFixed(1)}; before ${before.p99Ms.toFixed(1)}), ${server.residentMb} MB${told}${attacker.ended ? ', ended' : ''}`;
  pairs.kill('SIGKILL');
  attacker.close();
  server.stop();
  return result;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { checkout: { type: 'string', multiple: true, default: [] }, shards: { type: 'string', default: '1,3' } },
});
for (const name of positionals.length > 0 ? positionals : Object.keys(attacks)) {
  const attack = attacks[name];
  if (attack === undefined) throw new Error(`no attack is called ${name}: ${Object.keys(attacks).join(', ')}`);
  console.log(`${name}: ${attack.what}`);
  for (const shards of values.shards.split(',').map(Number))
    for (const checkout of [...values.checkout, here])
      console.log(
        `  ${shards} shards${checkout === here ? '' : ` ${checkout}`}: ${await measure(checkout, shards, attack)}`,
      );
}
process.exit();
