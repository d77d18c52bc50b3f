import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { positiveNumber, runCommand } from '../commandLine.js';
import { endServersOnExit } from '../compare/childProcesses.js';
import { runScenario } from '../compare/compare.js';
import { scenarios } from '../compare/scenarios.js';
import { selectScenarios } from '../compare/selectScenarios.js';
import { summarise } from '../compare/summary.js';
import { renderScenario } from '../compare/table.js';
import { repositoryDirectory, type ShardcastOptions, shardcastTarget } from '../compare/targets.js';
import { readThreadProfile, renderThreadProfile } from './cpuProfile.js';

const topFunctions = 20;
/** Clinic is fetched first, and digests what it collected after the broker has ended. */
const clinicPatience = { readyMs: 300_000, stopMs: 300_000 };

interface ProfileFlags {
  readonly seconds: number;
  readonly warmUp: number;
  readonly dir: string;
  readonly shardcastDir: string;
  readonly clinic?: 'flame' | 'doctor' | 'bubbleprof';
}

function instrumentation(flags: ProfileFlags, output: string): Partial<ShardcastOptions> {
  if (!flags.clinic) return { nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${output}`] };
  const clinic = ['npx', '--yes', 'clinic@13.0.0', flags.clinic, '--open=false', `--dest=${output}`];
  // Without NO_INSIGHT clinic asks whether it may send statistics, gets no answer here, and ends without a word.
  const env = { NO_INSIGHT: '1' };
  return { env, wrapper: [...clinic, '--', process.execPath], patience: clinicPatience };
}

async function profile(word: string, flags: ProfileFlags): Promise<void> {
  const [scenario, ...others] = selectScenarios(scenarios, [word]);
  if (!scenario || others.length > 0) {
    throw new Error(`'${word}' matches several scenarios: ${[scenario, ...others].map((each) => each?.id).join(', ')}`);
  }
  const output = resolve(flags.dir, `${scenario.id}-${new Date().toISOString().replace(/[:.]/g, '-')}`);
  mkdirSync(output, { recursive: true });
  const directory = resolve(flags.shardcastDir);
  const target = shardcastTarget({ name: 'shardcast', directory, ...instrumentation(flags, output) });
  const unavailable = target.unavailable();
  if (unavailable) throw new Error(unavailable);

  const broker = await target.start(scenario.shardcastArgs ?? ['--shards', '1']);
  const threads = { publishing: 1, subscribing: 1 };
  const options = { warmUpSeconds: flags.warmUp, seconds: flags.seconds, threads };
  const result = await runScenario(scenario, broker, options).finally(() => broker.stop());
  // Profiled figures: not to be compared with those of bench:compare.
  console.log(`${renderScenario(scenario, [summarise('shardcast', [result])], [])}\n`);

  const files = readdirSync(output).map((file) => join(output, file));
  if (flags.clinic) {
    console.log(files.join('\n'));
    return;
  }
  const profiles = files.filter((file) => file.endsWith('.cpuprofile')).map(readThreadProfile);
  if (profiles.length === 0) throw new Error(`the broker left no .cpuprofile in ${output}: did it end by itself?`);
  profiles.sort((a, b) => a.thread - b.thread);
  for (const each of profiles) console.log(`${renderThreadProfile(each, topFunctions)}\n`);
}

endServersOnExit();
await runCommand(
  new Command('profile')
    .description('Runs one scenario of bench:compare against Shardcast under a profiler.')
    .argument('<scenario>', 'id, name or regular expression of one scenario (bench:compare -- --list)')
    .option('--seconds <n>', 'length of the load, after the warm-up', positiveNumber, 5)
    .option('--warm-up <n>', 'seconds of load before it (profiled too)', positiveNumber, 1)
    .option('--dir <dir>', 'where profiles go, a directory per run', 'profiles')
    .option('--shardcast-dir <dir>', 'the built checkout to profile', repositoryDirectory)
    .addOption(
      new Option(
        '--clinic <tool>',
        'use clinic (fetched by npx; it sees the main thread only) instead of --cpu-prof',
      ).choices(['flame', 'doctor', 'bubbleprof']),
    )
    .addHelpText(
      'after',
      `
Every thread of the broker writes a .cpuprofile (open it in a browser's developer tools or speedscope); the busiest
functions of each are printed. Thread 0 is the main thread.

Examples:
  npm run profile -- 1-10-16
  npm run profile -- p1 --seconds 10 --clinic flame`,
    )
    .action((word: string, flags: ProfileFlags) => profile(word, flags)),
);
