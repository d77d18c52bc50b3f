import { rmSync } from 'node:fs';
import { Command } from 'commander';
import { collected, positiveInteger, positiveIntegers, runCommand } from '../commandLine.js';
import { endServersOnExit, temporaryDirectory } from '../compare/childProcesses.js';
import { repositoryDirectory } from '../compare/targets.js';
import { median } from '../median.js';
import { type Load, loads } from './loads.js';
import { compileGenerator, consume, fill } from './run.js';
import { type Side, sides } from './sides.js';

interface ConsumersFlags {
  readonly only: string;
  readonly shards: number[];
  readonly shardcastDir: string[];
  readonly rounds: number;
  readonly messages: number;
}

async function run({ only, shards, shardcastDir, rounds, messages }: ConsumersFlags): Promise<void> {
  const chosen = loads.filter(({ name }) => new RegExp(only).test(name));
  if (chosen.length === 0) throw new Error(`no load is called ${only}: ${loads.map(({ name }) => name).join(', ')}`);
  const directory = temporaryDirectory();
  const started: Side[] = [];
  try {
    const program = compileGenerator(directory);
    for (const start of sides(shards, [...shardcastDir, repositoryDirectory])) started.push(await start());
    for (const { name, port } of started) {
      console.error(`${name}: filling a stream with ${messages} messages`);
      await fill(port, messages);
    }
    for (const load of chosen) await compare(program, load, started, rounds, Math.floor(messages / load.share));
  } finally {
    for (const side of started) await side.stop();
    rmSync(directory, { recursive: true });
  }
}

async function compare(
  program: string,
  load: Load,
  started: readonly Side[],
  rounds: number,
  messages: number,
): Promise<void> {
  console.log(`${load.name}: thousand messages a second, CPU of the server for each of them, round by round`);
  const rates = new Map<Side, number[]>(started.map((side) => [side, []]));
  const costs = new Map<Side, number[]>(started.map((side) => [side, []]));
  const own: number[] = [];
  for (let round = 0; round < rounds; round++)
    for (const side of started) {
      const cpuUs = side.cpuUs();
      const { tookMs, generatorUs } = await consume(program, side.port, load, messages);
      rates.get(side)!.push(messages / tookMs);
      costs.get(side)!.push((side.cpuUs() - cpuUs) / messages);
      own.push(generatorUs / messages);
    }
  for (const side of started) {
    const [rate, cost] = [rates.get(side)!, costs.get(side)!];
    const shown = rate.map((each, i) => `${each.toFixed(0)} (${cost[i]!.toFixed(1)})`).join(', ');
    console.log(`  ${side.name}  ${median(rate).toFixed(0)} k/s  ${median(cost).toFixed(2)} us  of ${shown}`);
  }
  console.log(`  the generator takes ${median(own).toFixed(2)} us of its own`);
}

endServersOnExit();
await runCommand(
  new Command('bench:consumers')
    .description('Reads streams by consumers, and works through them with acknowledgements, beside nats-server.')
    .option('--only <name>', 'only loads whose name matches this regular expression', '')
    .option('--shards <n[,n]>', 'numbers of shards', positiveIntegers, [1])
    .option('--shardcast-dir <dir>', 'another checkout to measure beside this one; may be repeated', collected, [])
    .option('--rounds <n>', 'rounds of all servers; medians are shown', positiveInteger, 5)
    .option('--messages <n>', 'messages of the stream; work takes a fifth of them', positiveInteger, 1_000_000)
    .addHelpText(
      'after',
      `
SHARDCAST_NATS_SERVER names the peer's binary; else the first nats-server in PATH is taken.

Examples:
  npm run bench:consumers
  npm run bench:consumers -- --only work --shards 1,4`,
    )
    .action(run),
);
