import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStreamManager, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Command } from 'commander';
import { journalDirectory } from '../../src/log/journalFiles.js';
import { positiveInteger, positiveNumber, runCommand } from '../commandLine.js';
import { repositoryDirectory } from '../compare/targets.js';
import { Server } from '../fairness/server.js';
import { percentile } from '../percentile.js';
import { FrozenDisk } from './frozenDisk.js';

interface HangFlags {
  readonly rounds: number;
  readonly seconds: number;
}

/** One message after the other, each when the one before is answered, but no more than one a millisecond. */
interface Load {
  readonly name: string;
  readonly subject: string;
  /** In ms. */
  readonly whileItWorks: number[];
  readonly whileItHangs: number[];
}

/** Messages under way to the journal that hangs. */
const hangingWindow = 100;
/** What each of them pauses for behind its acknowledgement, in ms: this program is not what others wait for. */
const hangingPauseMs = 20;
const streamsMax = 16;
const patienceMs = 60_000;
const eachSecond = { metadata: { 'shardcast.sync': 'interval:1000' } };

function load(name: string, subject: string): Load {
  return { name, subject, whileItWorks: [], whileItHangs: [] };
}

/** Makes a stream whose journal is this directory, by trying names; returns a subject of it. */
async function makeStream({ streams }: JetStreamManager, journal: string, more: object = {}): Promise<string> {
  for (let i = 0; i < streamsMax; i++) {
    const name = `${basename(journal)}-${i}`;
    await streams.add({ name, subjects: [`${name}.>`], ...more });
    if (existsSync(journal)) return `${name}.new`;
  }
  throw new Error(`none of ${streamsMax} streams has its journal in ${journal}`);
}

/** Asks until it is over. */
async function askOnAndOn(
  connection: NatsConnection,
  load: Load,
  isOver: () => boolean,
  into: () => 'whileItWorks' | 'whileItHangs' | null,
): Promise<void> {
  const payload = new Uint8Array(128);
  while (!isOver()) {
    const begunMs = performance.now();
    await connection.request(load.subject, payload, { timeout: patienceMs });
    const tookMs = performance.now() - begunMs;
    const when = into();
    if (when !== null) load[when].push(tookMs);
    if (tookMs < 1) await sleep(1);
  }
}

function show(loads: readonly Load[]): void {
  console.log(`${''.padEnd(52)}    asked  p50, ms      p99    p99.9     most`);
  for (const { name, whileItWorks, whileItHangs } of loads)
    for (const [when, latencies] of [
      ['works', whileItWorks],
      ['hangs', whileItHangs],
    ] as const) {
      const sorted = latencies.sort((a, b) => a - b);
      const columns = [0.5, 0.99, 0.999, 1].map((part) => percentile(sorted, part).toFixed(2).padStart(9)).join('');
      console.log(`${`${name}, the disk ${when}`.padEnd(52)}${String(sorted.length).padStart(9)}${columns}`);
    }
}

async function run({ rounds, seconds }: HangFlags): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'shardcast-hang-data-'));
  const flags = ['--data', data];
  const journal = (shard: number, buffered: boolean) => journalDirectory(join(data, 'journal-1'), shard, buffered);
  const first = await Server.start(repositoryDirectory, 2, flags);
  const connection = await connect({ servers: `127.0.0.1:${first.nats}` });
  const manager = await jetstreamManager(connection as never);
  const hanging = await makeStream(manager, journal(0, false));
  const loads = [
    load('plain subject', 'plain'),
    load('stream in memory', 'memory.new'),
    load("another shard's journal", await makeStream(manager, journal(1, false))),
    load("the shard's buffered journal", await makeStream(manager, journal(0, true), eachSecond)),
  ];
  await connection.close();
  await first.ended();
  const disk = FrozenDisk.under(journal(0, false));
  const server = await Server.start(repositoryDirectory, 2, flags);
  try {
    await measure(server.nats, disk, hanging, loads, { rounds, seconds });
  } finally {
    disk.thaw();
    await server.ended();
    disk.remove();
    rmSync(data, { recursive: true });
  }
  show(loads);
}

async function measure(
  port: number,
  disk: FrozenDisk,
  hanging: string,
  loads: readonly Load[],
  { rounds, seconds }: HangFlags,
): Promise<void> {
  const servers = `127.0.0.1:${port}`;
  const open = () => connect({ servers });
  const [asking, publishing, answering] = [await open(), await open(), await open()];
  const manager = await jetstreamManager(asking as never);
  await manager.streams.add({ name: 'memory', subjects: ['memory.>'], storage: StorageType.Memory });
  answering.subscribe('plain', {
    callback: (_, message) => {
      message.respond();
    },
  });
  await answering.flush();
  const state = { over: false, into: null as 'whileItWorks' | 'whileItHangs' | null, stored: 0 };
  const isOver = () => state.over;
  const publish = async () => {
    while (!state.over) {
      await publishing.request(hanging, new Uint8Array(128), { timeout: patienceMs });
      state.stored++;
      await sleep(hangingPauseMs);
    }
  };
  const all = [
    ...loads.map((each) => askOnAndOn(asking, each, isOver, () => state.into)),
    ...Array.from({ length: hangingWindow }, publish),
  ];
  await sleep(seconds * 1000);
  for (let round = 1; round <= rounds; round++) {
    state.into = 'whileItWorks';
    await sleep(seconds * 1000);
    state.into = null;
    disk.freeze();
    const stored = state.stored;
    state.into = 'whileItHangs';
    await sleep(seconds * 1000);
    state.into = null;
    disk.thaw();
    console.log(`round ${round}: ${state.stored - stored} messages for the disk that hung were acknowledged meanwhile`);
  }
  state.over = true;
  await Promise.all(all);
  await Promise.all([asking, publishing, answering].map((each) => each.close()));
}

await runCommand(
  new Command('bench:hang')
    .description(
      'Measures what others wait for while the disk of one journal hangs: a file system of its own that is frozen (needs root, a loop device, mkfs.ext4, fsfreeze).',
    )
    .option('--rounds <n>', 'times that the disk works, and hangs', positiveInteger, 5)
    .option('--seconds <n>', 'length of each', positiveNumber, 3)
    .action(run),
);
