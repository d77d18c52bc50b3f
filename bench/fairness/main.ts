import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { collected, positiveIntegers, runCommand } from '../commandLine.js';
import type { Attack } from './attack.js';
import { attacks } from './attacks.js';
import { Server } from './server.js';

const pairsFile = fileURLToPath(new URL('./pairs.js', import.meta.url));
const here = fileURLToPath(new URL('../../..', import.meta.url));
const pairCount = 4;

interface FairnessFlags {
  readonly checkout: string[];
  readonly shards: number[];
  readonly peer?: string;
}

interface Lap {
  readonly durationMs: number;
  /** Messages of the pair that publishes evenly. */
  readonly received: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  readonly keptMs: number;
}

function start(checkout: string, shards: number, attack: Attack): Promise<Server> {
  return attack.embedded ? Server.embedded(checkout, shards) : Server.start(checkout, shards, attack.flags);
}

async function measure(server: Server, attack: Attack): Promise<string> {
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
  const waited = `${during.longestMs.toFixed(0)} ms (p99 ${during.p99Ms.toFixed(1)}; before ${before.p99Ms.toFixed(1)}; the pairs' own process ${during.keptMs.toFixed(0)})`;
  const kept = `${((100 * rateOf(during)) / rateOf(before)).toFixed(0)}% of the rate`;
  const result = `${waited}, ${kept}, ${server.residentMb} MB${told}${attacker.ended ? ', ended' : ''}`;
  pairs.kill('SIGKILL');
  attacker.close();
  server.stop();
  return result;
}

function rateOf({ received, durationMs }: Lap): number {
  return received / durationMs;
}

function attackOf(name: string): Attack {
  const attack = attacks[name];
  if (attack === undefined) throw new Error(`no attack is called ${name}: ${Object.keys(attacks).join(', ')}`);
  return attack;
}

async function run(
  names: readonly string[],
  { checkout: others, shards: numbers, peer }: FairnessFlags,
): Promise<void> {
  const wanted = names.length > 0 ? names : Object.keys(attacks);
  // a mistake is told before anything is measured
  for (const name of wanted) attackOf(name);
  for (const name of wanted) {
    const attack = attackOf(name);
    console.log(`${name}: ${attack.what}`);
    if (peer !== undefined) console.log(`  ${peer}: ${await measure(await Server.peer(peer), attack)}`);
    for (const shards of numbers)
      for (const checkout of [...others, here])
        console.log(
          `  ${shards} shards${checkout === here ? '' : ` ${checkout}`}: ${await measure(await start(checkout, shards, attack), attack)}`,
        );
  }
  process.exit();
}

await runCommand(
  new Command('bench:fairness')
    .description(
      'How long well-behaved pairs wait at most while somebody does their worst, and how much of their rate they keep.',
    )
    .argument('[attack...]', 'attacks by name (default: all)')
    .option('--checkout <dir>', 'another built checkout, measured in turns; may be repeated', collected, [])
    .option('--shards <n[,n]>', 'numbers of shards', positiveIntegers, [1, 3, 4])
    .option('--peer <nats-server>', 'a nats-server to measure first, where an attack needs nothing of our own')
    .addHelpText(
      'after',
      `
Attacks:
${Object.entries(attacks)
  .map(([name, { what }]) => `  ${name.padEnd(18)}${what}`)
  .join('\n')}

Examples:
  npm run bench:fairness -- --shards 1
  npm run bench:fairness -- connect format --checkout ../before`,
    )
    .action(run),
);
