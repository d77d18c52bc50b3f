import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { collected, positiveInteger, runCommand } from '../commandLine.js';
import { endServersOnExit } from '../compare/childProcesses.js';
import { findInPath, repositoryDirectory } from '../compare/targets.js';
import { median } from '../median.js';
import { type Start, startOnce } from './start.js';

interface Subject {
  readonly name: string;
  readonly start: () => Promise<Start>;
}

interface StartFlags {
  readonly rounds: number;
  readonly shardcastDir: string[];
}

function shardcast(directory: string, shards: number): Subject {
  const main = resolve(directory, 'dist/src/cli/main.js');
  const where = directory === repositoryDirectory ? '' : ` in ${directory}`;
  return {
    name: `shardcast${where}, ${shards} ${shards === 1 ? 'shard' : 'shards'}`,
    start: () =>
      startOnce(process.execPath, (port) => [main, 'serve', '--port', String(port), '--shards', String(shards)]),
  };
}

function natsServer(): Subject[] {
  const binary = findInPath('nats-server');
  if (binary === null) {
    console.log('nats-server is skipped: not in PATH');
    return [];
  }
  return [{ name: 'nats-server', start: () => startOnce(binary, (port) => ['-a', '127.0.0.1', '-p', String(port)]) }];
}

/** What no program on Node can do without. */
async function emptyProgram(): Promise<Start> {
  const begunMs = performance.now();
  await once(spawn(process.execPath, ['-e', '0']), 'exit');
  return { greetedMs: performance.now() - begunMs, cpuMs: Number.NaN };
}

async function run({ rounds, shardcastDir }: StartFlags): Promise<void> {
  const directories = [repositoryDirectory, ...shardcastDir];
  const subjects = [
    ...directories.flatMap((directory) => [1, 4].map((shards) => shardcast(directory, shards))),
    ...natsServer(),
    { name: 'an empty program on Node, to its end', start: emptyProgram },
  ];
  const starts = new Map<Subject, Start[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < rounds; round++)
    for (const subject of subjects) starts.get(subject)!.push(await subject.start());
  console.log('from exec to the first INFO, in ms: least, median, most; and CPU time of all threads by then: median');
  for (const [{ name }, all] of starts) {
    const times = all.map(({ greetedMs }) => greetedMs);
    const columns = [Math.min(...times), median(times), Math.max(...times), median(all.map(({ cpuMs }) => cpuMs))];
    console.log(`${name.padEnd(40)}${columns.map((value) => value.toFixed(0).padStart(8)).join('')}`);
  }
}

endServersOnExit();
await runCommand(
  new Command('bench:start')
    .description('Measures from exec to the first INFO, beside nats-server where it is in PATH, and an empty program.')
    .option('--rounds <n>', 'rounds of all; medians are shown', positiveInteger, 10)
    .option('--shardcast-dir <dir>', 'another built checkout; may be repeated', collected, [])
    .action(run),
);
