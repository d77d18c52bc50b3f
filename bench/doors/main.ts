import { Argument, Command } from 'commander';
import { runCommand } from '../commandLine.js';
import { endServersOnExit } from '../compare/childProcesses.js';
import { median } from '../median.js';
import { fanOut, type Load, type Outcome } from './fanOut.js';
import { type Server, startNaive, startShardcast } from './server.js';
import { jsonLines, natsOverWebSocket, plainWebSocket } from './speech.js';

interface Contest {
  readonly name: string;
  readonly subscribers: number;
  readonly ours: (load: Load) => Promise<Outcome>;
  readonly naive: (load: Load) => Promise<Outcome>;
  /** Deliveries a broker CPU second, ours to the other's. */
  readonly bar: number;
}

const payloadBytes = 128;

const contests: readonly Contest[] = [
  {
    name: 'ws',
    subscribers: 100,
    ours: (load) =>
      on(startShardcast('--ws-port'), (server) =>
        fanOut(server, natsOverWebSocket(payloadBytes, false), natsOverWebSocket(payloadBytes, true), load),
      ),
    naive: (load) =>
      on(startNaive('webSocketBroadcast'), (server) =>
        fanOut(server, plainWebSocket(payloadBytes), plainWebSocket(payloadBytes), load),
      ),
    bar: 5,
  },
  {
    name: 'jsonl',
    subscribers: 10,
    ours: (load) =>
      on(startShardcast('--jsonl-port'), (server) =>
        fanOut(server, jsonLines(payloadBytes, false), jsonLines(payloadBytes, true), load),
      ),
    naive: (load) =>
      on(startNaive('jsonLines'), (server) =>
        fanOut(server, jsonLines(payloadBytes, false), jsonLines(payloadBytes, true), load),
      ),
    bar: 3,
  },
];

/** Publishes in one write: from one at a time, when nothing can be shared between them, to as many as a busy feed has. */
const shapes = [
  { atOnce: 1, underWay: 1 },
  { atOnce: 8, underWay: 16 },
  { atOnce: 64, underWay: 256 },
];
const rounds = 3;
const durationMs = 1_500;

async function compare({ ours, naive, bar }: Contest, load: Load): Promise<string> {
  const results: [ours: Outcome, naive: Outcome][] = [];
  for (let round = 0; round < rounds; round++) results.push([await ours(load), await naive(load)]);
  const of = (pick: (result: [Outcome, Outcome]) => number) => median(results.map(pick));
  const ratio = of(([a, b]) => a.deliveriesPerCpuSecond / b.deliveriesPerCpuSecond);
  const show = (value: number) => `${Math.round(value / 1000)}k`.padStart(6);
  return [
    `${load.atOnce} a write, ${load.underWay} under way`.padEnd(28),
    `ours ${show(of(([a]) => a.deliveriesPerCpuSecond))}, ${show(of(([a]) => a.deliveriesPerSecond))}/s`,
    `naive ${show(of(([, b]) => b.deliveriesPerCpuSecond))}, ${show(of(([, b]) => b.deliveriesPerSecond))}/s`,
    // one at a time there is nothing to share: a system call a delivery, whoever makes it
    `ratio ${ratio.toFixed(2)}${load.underWay > 1 ? ` (bar ${bar})` : ''}`,
  ].join('  ');
}

async function on<T>(starting: Promise<Server>, run: (server: Server) => Promise<T>): Promise<T> {
  const server = await starting;
  try {
    return await run(server);
  } finally {
    await server.stop();
  }
}

async function run(words: readonly string[]): Promise<void> {
  for (const contest of contests.filter(({ name }) => words.length === 0 || words.includes(name))) {
    console.log(`${contest.name}: 1 -> ${contest.subscribers}, ${payloadBytes} B; deliveries a broker CPU second`);
    for (const shape of shapes)
      console.log(await compare(contest, { ...shape, subscribers: contest.subscribers, durationMs }));
  }
}

endServersOnExit();
await runCommand(
  new Command('bench:doors')
    .description('Measures fan-out on the other doors beside what one writes first, in alternating rounds.')
    .addArgument(new Argument('[door...]', 'which (all)').choices(contests.map(({ name }) => name)))
    .action(run),
);
