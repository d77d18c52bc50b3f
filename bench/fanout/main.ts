import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { collected, positiveInteger, positiveIntegers, runCommand } from '../commandLine.js';
import { endServersOnExit } from '../compare/childProcesses.js';
import { startCheckout } from '../doors/server.js';
import { median } from '../median.js';
import { type Load, loads } from './load.js';
import { measure, type Outcome } from './run.js';

interface FanoutFlags {
  readonly checkout: string[];
  readonly only: string;
  readonly shards: number[];
  readonly rounds: number;
  readonly messages: number;
}

const here = fileURLToPath(new URL('../../..', import.meta.url));

async function run({ checkout, only, shards, rounds, messages }: FanoutFlags): Promise<void> {
  const chosen = loads.filter(({ name }) => name.includes(only));
  if (chosen.length === 0) throw new Error(`no load is called ${only}: ${loads.map(({ name }) => name).join(', ')}`);
  for (const load of chosen) {
    console.log(`${load.name}: CPU of the broker a message, messages a second, against the first number of shards`);
    const first = new Map<string, number>();
    for (const shardCount of shards) {
      const outcomes = await inTurns([here, ...checkout], rounds, (each) => once(each, load, shardCount, messages));
      for (const [each, runs] of outcomes) {
        const cpuUs = median(runs.map((outcome) => outcome.cpuUs));
        if (!first.has(each)) first.set(each, cpuUs);
        const perSecond = median(runs.map(({ messagesPerSecond }) => messagesPerSecond)) / 1e6;
        const ratio = cpuUs / first.get(each)!;
        console.log(
          `${each === here ? 'this' : each}  ${shardCount} shards  ${cpuUs.toFixed(3)} us  ${perSecond.toFixed(2)} M/s  ${ratio.toFixed(2)}`,
        );
      }
    }
  }
}

async function inTurns(
  checkouts: readonly string[],
  rounds: number,
  measured: (checkout: string) => Promise<Outcome>,
): Promise<Map<string, Outcome[]>> {
  const outcomes = new Map<string, Outcome[]>(checkouts.map((checkout) => [checkout, []]));
  for (let round = 0; round < rounds; round++)
    for (const checkout of checkouts) outcomes.get(checkout)!.push(await measured(checkout));
  return outcomes;
}

async function once(checkout: string, load: Load, shards: number, messages: number): Promise<Outcome> {
  const server = await startCheckout(checkout, shards);
  try {
    return await measure(server, load, messages);
  } finally {
    await server.stop();
  }
}

endServersOnExit();
await runCommand(
  new Command('bench:fanout')
    .description('Measures what a message costs the broker, all threads, when subscribers are on all shards.')
    .option('--checkout <dir>', 'another built checkout, measured in turns; may be repeated', collected, [])
    .option('--only <name>', 'only loads whose name contains this', '')
    .option('--shards <n[,n]>', 'numbers of shards', positiveIntegers, [1, 2, 4])
    .option('--rounds <n>', 'rounds of all checkouts; medians are shown', positiveInteger, 3)
    .option('--messages <n>', 'messages a round, after as many to warm up', positiveInteger, 2_400_000)
    .addHelpText(
      'after',
      `
Examples:
  npm run bench:fanout
  npm run bench:fanout -- --checkout ../before --only '12 x' --shards 1,4`,
    )
    .action(run),
);
