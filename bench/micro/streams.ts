import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type Broker, brokerOnPort, freePort } from '../compare/broker.js';
import { endServersOnExit, ServerProcess, temporaryDirectory } from '../compare/childProcesses.js';
import { cpuMicroseconds } from '../compare/processStats.js';
import { findInPath, repositoryDirectory, shardcastTarget } from '../compare/targets.js';
import { percentile } from '../percentile.js';
import {
  type AckLoad,
  AckPublisher,
  countingHeader,
  payloadBytes,
  rotatingSubject,
  scatteredSubject,
} from './ackPublisher.js';
import { type DiskLoad, diskAlone } from './diskAlone.js';
import { RedisPublisher } from './redisPublisher.js';
import type { WindowPublisher } from './windowPublisher.js';

const windowMessages = 4096;
const clientWindow = 256;
const rounds = 3;

interface Outcome {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

/** Publishes to a stream for so long; its subjects begin with its name. */
type Load = (site: LoadSite) => Promise<Outcome>;

interface Times {
  readonly milliseconds: number;
  /** How long the load goes on before it is measured. */
  readonly warmUpMs: number;
}

interface LoadSite extends Times {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly stream: string;
  readonly cpuUs: () => number;
}

/** What is published to, and how. */
interface Row {
  readonly streams?: number;
  /** Of ours; one if it does not say. */
  readonly shards?: number;
  /** So many times longer than others: what is slow, or rare, is compiled late and seen seldom. */
  readonly patience?: number;
  /** Half as long as it is measured, if it does not say. */
  readonly warmUpMs?: number;
  readonly storage?: 'memory';
  /** What the stream says in its metadata, which only ours reads. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly load: Load;
  /** The same to a stream of Redis. */
  readonly redis?: Load;
  /** Beside a nats-server, too, that syncs before it acknowledges. */
  readonly besideSynced?: boolean;
  /** What ours writes to its disk, which is measured by itself, too. */
  readonly disk?: DiskLoad;
}

/** A client that is slower than the broker gives it few turns a second: V8 has compiled what they run after so long. */
const fewTurnsMs = 10_000;
const eachSecond = { 'shardcast.sync': 'interval:1000' };

const rows: Readonly<Record<string, Row>> = {
  '1 publisher': { load: raw(1, windowMessages), redis: redis(1) },
  '8 publishers': { load: raw(8, windowMessages), redis: redis(8) },
  '10,000 subjects': { load: raw(1, windowMessages, (stream) => ({ subject: rotatingSubject(`${stream}.of`) })) },
  'Nats-Msg-Id': { load: raw(1, windowMessages, () => ({ headers: countingHeader('Nats-Msg-Id') })) },
  headers: { load: raw(1, windowMessages, () => ({ headers: 'Content-Type: text\r\nTrace: 4711\r\n' })) },
  '64 streams, 64 in flight each': {
    streams: 64,
    load: raw(64, 64 * 64, (stream, i) => ({ subject: `${stream}-${i}.new` })),
  },
  '1 in flight': { load: raw(1, 1), besideSynced: true, patience: 3, disk: { blockBytes: 4096, everyMs: 0 } },
  '1 in flight, synced each second': { load: raw(1, 1), metadata: eachSecond, patience: 3 },
  '1 publisher, synced each second': { load: raw(1, windowMessages), metadata: eachSecond },
  '50,000/s': {
    load: raw(1, 100_000, () => ({ perSecond: 50_000 })),
    patience: 5,
    disk: { blockBytes: 12 * 1024, everyMs: 1 },
  },
  'js.publish': { load: publishByClient, patience: 3, warmUpMs: fewTurnsMs },
  'js.publish, in memory': { storage: 'memory', load: publishByClient, patience: 3, warmUpMs: fewTurnsMs },
  'a million subjects in no order': {
    load: raw(1, windowMessages, (stream) => ({ subject: scatteredSubject(`${stream}.of`) })),
  },
  'sizes from 16 B to 64 KB': { load: raw(1, 512, () => ({ payloads: mixedSizes })) },
  'each with the sequence it expects': {
    load: raw(1, windowMessages, () => ({ headers: countingHeader('Nats-Expected-Last-Sequence') })),
  },
  'with a plain subscriber': { load: besideSubscriber(raw(1, windowMessages)) },
  '8 publishers, two shards': { shards: 2, load: raw(8, windowMessages) },
  '8 publishers, four shards': { shards: 4, load: raw(8, windowMessages) },
  '8 streams, a publisher each, four shards': {
    shards: 4,
    streams: 8,
    load: raw(8, windowMessages, (stream, i) => ({ subject: `${stream}-${i}.new` })),
  },
};

/** As many of each order of magnitude, a block of 32 that is the same each time. */
const mixedSizes = Array.from({ length: 32 }, (_, i) => Math.round(16 * 4096 ** (((i * 7) % 32) / 31)));

/** A load while somebody takes all that is published, and counts it. */
function besideSubscriber(load: Load): Load {
  return async (site) => {
    const connection = await connect({ servers: `${site.host}:${site.port}` });
    let received = 0;
    connection.subscribe(`${site.stream}.>`, {
      callback: () => {
        received++;
      },
    });
    await connection.flush();
    const outcome = await load(site);
    await connection.flush();
    await connection.close();
    if (received === 0) throw new Error('the subscriber got nothing');
    return outcome;
  };
}

/** So many publishers that send lines. */
function raw(
  count: number,
  window: number,
  form: (stream: string, index: number) => Partial<AckLoad> = () => ({}),
): Load {
  return async ({ port, stream, cpuUs, ...times }) => {
    const publishers = await Promise.all(
      Array.from({ length: count }, (_, i) =>
        AckPublisher.open(port, {
          subject: `${stream}.new`,
          inbox: `_INBOX.${stream}${i}`,
          window: window / count,
          ...form(stream, i),
        }),
      ),
    );
    return await publishAll(publishers, times, cpuUs);
  };
}

function redis(count: number): Load {
  return async ({ port, stream, cpuUs, ...times }) => {
    const open = () => RedisPublisher.open(port, windowMessages / count, stream);
    return await publishAll(await Promise.all(Array.from({ length: count }, open)), times, cpuUs);
  };
}

async function publishAll(publishers: readonly WindowPublisher[], times: Times, cpuUs: () => number): Promise<Outcome> {
  for (const publisher of publishers) publisher.start();
  const onWarm = () => {
    for (const publisher of publishers) publisher.warmedUp();
  };
  const acknowledged = () => publishers.reduce((sum, each) => sum + each.acknowledged, 0);
  const outcome = await measured(times, acknowledged, cpuUs, onWarm);
  const latenciesUs = publishers.flatMap((each) => each.latenciesUs).sort((a, b) => a - b);
  await Promise.all(publishers.map((each) => each.stop()));
  for (const each of publishers) each.close();
  if (publishers.some(({ refused }) => refused > 0)) throw new Error('publishes were refused');
  return { ...outcome, ...percentiles(latenciesUs) };
}

function percentiles(sortedUs: readonly number[]): Pick<Outcome, 'p50Us' | 'p99Us' | 'p999Us'> {
  return {
    p50Us: percentile(sortedUs, 0.5),
    p99Us: percentile(sortedUs, 0.99),
    p999Us: percentile(sortedUs, 0.999),
  };
}

async function publishByClient({ port, stream, cpuUs, ...times }: LoadSite): Promise<Outcome> {
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  const js = jetstream(connection as never);
  const payload = new Uint8Array(payloadBytes).fill(120);
  const latenciesUs: number[] = [];
  let [published, stopping] = [0, false];
  const one = async () => {
    while (!stopping) {
      const fromMs = performance.now();
      await js.publish(`${stream}.new`, payload);
      latenciesUs.push((performance.now() - fromMs) * 1000);
      published++;
    }
  };
  const all = Promise.all(Array.from({ length: clientWindow }, one));
  const onWarm = () => {
    latenciesUs.length = 0;
  };
  const outcome = await measured(times, () => published, cpuUs, onWarm);
  stopping = true;
  await all;
  await connection.close();
  return { ...outcome, ...percentiles(latenciesUs.sort((a, b) => a - b)) };
}

/** What a broker did between two moments, the first of them once its code is compiled. */
async function measured(
  { milliseconds, warmUpMs }: Times,
  count: () => number,
  cpuUs: () => number,
  onWarm: () => void,
): Promise<Pick<Outcome, 'perSecond' | 'cpuUs'>> {
  await pause(warmUpMs);
  onWarm();
  const [messages, cpu, fromMs] = [count(), cpuUs(), performance.now()];
  await pause(milliseconds);
  const done = count() - messages;
  return { perSecond: (done * 1000) / (performance.now() - fromMs), cpuUs: (cpuUs() - cpu) / done };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

type NamedRow = readonly [title: string, row: Row];

/** A server with streams on disk. */
interface Server {
  readonly binary?: string | null;
  start(): Promise<Broker>;
  /** Whether it has a row. */
  has(row: Row): boolean;
  /** Rows that it has, with what was measured. */
  run(broker: Broker, rows: readonly NamedRow[], milliseconds: number): Promise<[string, Outcome][]>;
}

const redisServer = findInPath('redis-server');
const natsServer = process.env.SHARDCAST_NATS_SERVER ?? findInPath('nats-server');

/** Ours and Redis sync before a publish is acknowledged, nats-server as it does without being told, not for two minutes, or always. */
const servers: Readonly<Record<string, Server>> = {
  ours: ours(1),
  'ours with two shards': ours(2),
  'ours with four shards': ours(4),
  'nats-server': {
    binary: natsServer,
    start: () => startNats('2m'),
    has: () => true,
    run: runNats,
  },
  'nats-server, syncing always': {
    binary: natsServer,
    start: () => startNats('always'),
    has: ({ besideSynced = false }) => besideSynced,
    run: runNats,
  },
  redis: {
    binary: redisServer,
    async start() {
      const [port, directory] = [await freePort(), temporaryDirectory()];
      const where = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
      const sync = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
      const server = new ServerProcess(directory, redisServer as string, [...where, ...sync]);
      return await brokerOnPort(server, { host: '127.0.0.1', port, protocol: 'redis' });
    },
    has: ({ redis: load }) => load !== undefined,
    run: runRedis,
  },
};

function ours(count: number): Server {
  const target = shardcastTarget({ name: 'ours', directory: repositoryDirectory });
  return {
    start: () => target.start(['--shards', String(count), '--data', temporaryDirectory()]),
    has: ({ shards = 1 }) => shards === count,
    run: runNats,
  };
}

async function startNats(syncInterval: string): Promise<Broker> {
  const [port, directory] = [await freePort(), temporaryDirectory()];
  const config = join(directory, 'nats.conf');
  writeFileSync(config, `jetstream { store_dir: "${join(directory, 'js')}", sync_interval: ${syncInterval} }\n`);
  const server = new ServerProcess(directory, natsServer as string, ['-a', '127.0.0.1', '-p', `${port}`, '-c', config]);
  return await brokerOnPort(server, { host: '127.0.0.1', port, protocol: 'nats' });
}

/**
 * Publishes with acknowledgements to streams on disk, 128 B each, beside nats-server and Redis where there are such.
 *
 * @param words rows whose title has one of these; none for all
 */
export async function streamsTable(milliseconds: number, words: readonly string[] = []): Promise<string[][]> {
  endServersOnExit();
  const chosen = Object.entries(rows).filter(
    ([title]) => words.length === 0 || words.some((word) => title.includes(word)),
  );
  if (chosen.length === 0) throw new Error(`no row is called ${words.join(' or ')}`);
  const outcomes = new Map<string, Outcome[]>();
  const note = (key: string, outcome: Outcome) => outcomes.set(key, [...(outcomes.get(key) ?? []), outcome]);
  for (let round = 0; round < rounds; round++) {
    for (const [name, server] of Object.entries(servers))
      for (const [load, outcome] of await runAll(server, chosen, milliseconds)) note(`${load}, ${name}`, outcome);
    for (const [load, row] of chosen) if (row.disk !== undefined) note(`${load}, ${alone}`, await diskOf(row.disk));
  }
  const table = [
    ['streams on disk, with acknowledgements', 'messages/s', 'CPU us', 'p50 us', 'p99 us', 'p99.9 us', ''],
  ];
  for (const [load] of chosen)
    for (const name of [...Object.keys(servers), alone])
      if (outcomes.has(`${load}, ${name}`)) table.push(row(`${load}, ${name}`, outcomes));
  return table;
}

const alone = 'the disk alone';
const diskMs = 1000;

async function diskOf(load: DiskLoad): Promise<Outcome> {
  const { latenciesUs, ...rest } = await diskAlone(load, temporaryDirectory(), diskMs);
  return { ...rest, ...percentiles(latenciesUs) };
}

async function runAll(server: Server, chosen: readonly NamedRow[], milliseconds: number): Promise<[string, Outcome][]> {
  const own = chosen.filter(([, each]) => server.has(each));
  if (own.length === 0 || server.binary === null) return [];
  const broker = await server.start();
  try {
    return await server.run(broker, own, milliseconds);
  } finally {
    await broker.stop();
  }
}

async function runNats(
  broker: Broker,
  chosen: readonly NamedRow[],
  milliseconds: number,
): Promise<[string, Outcome][]> {
  const { port } = broker.endpoint;
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  const manager = await jetstreamManager(connection as never);
  const done: [string, Outcome][] = [];
  const cpuUs = () => cpuMicroseconds(broker.pid);
  for (const [
    i,
    [title, { streams = 1, storage = 'file', metadata = {}, patience = 1, load, ...row }],
  ] of chosen.entries()) {
    const lasts = patience * milliseconds;
    const stream = `load${i}`;
    const made = streams === 1 ? [stream] : Array.from({ length: streams }, (_, j) => `${stream}-${j}`);
    for (const each of made)
      await manager.streams.add({
        name: each,
        subjects: [`${each}.>`],
        max_bytes: 1_000_000_000 / streams,
        storage,
        metadata,
      });
    const times = { milliseconds: lasts, warmUpMs: row.warmUpMs ?? lasts / 2 };
    done.push([title, await load({ host: '127.0.0.1', port, stream, cpuUs, ...times })]);
    for (const each of made) await manager.streams.delete(each);
  }
  await connection.close();
  return done;
}

async function runRedis(
  broker: Broker,
  chosen: readonly NamedRow[],
  milliseconds: number,
): Promise<[string, Outcome][]> {
  const { port } = broker.endpoint;
  const done: [string, Outcome][] = [];
  for (const [title, { redis: load }] of chosen) {
    const cpuUs = () => cpuMicroseconds(broker.pid);
    const times = { milliseconds, warmUpMs: milliseconds / 2 };
    done.push([
      title,
      await (load as Load)({ host: '127.0.0.1', port, stream: `load${done.length}`, cpuUs, ...times }),
    ]);
  }
  return done;
}

function row(name: string, outcomes: ReadonlyMap<string, readonly Outcome[]>): string[] {
  const runs = outcomes.get(name)!;
  const median = (of: (outcome: Outcome) => number) => runs.map(of).sort((a, b) => a - b)[runs.length >> 1]!;
  const whole = (value: number) => Math.round(value).toLocaleString('en-US');
  return [
    name,
    whole(median(({ perSecond }) => perSecond)),
    median(({ cpuUs }) => cpuUs).toFixed(3),
    whole(median(({ p50Us }) => p50Us)),
    whole(median(({ p99Us }) => p99Us)),
    whole(median(({ p999Us }) => p999Us)),
    '',
  ];
}
