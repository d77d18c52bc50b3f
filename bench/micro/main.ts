import { Command } from 'commander';
import { Bench } from 'tinybench';
import { positiveNumber, runCommand } from '../commandLine.js';
import { median } from '../median.js';
import { addressedPairs } from './addressed.js';
import { encoderPairs } from './encoder.js';
import { fanOutPairs } from './fanOut.js';
import { acrossThreadsTable, inProcessTable } from './inProcess.js';
import { journalTable } from './journal.js';
import type { Pair } from './pair.js';
import { parserPairs } from './parser.js';
import { ringPairs } from './ring.js';
import { streamIndexTable } from './streamIndex.js';
import { streamsTable } from './streams.js';
import { topicTablePairs } from './topicTable.js';

interface MicroFlags {
  readonly only?: string[];
  readonly rows?: string[];
  readonly time: number;
}

/** What has other peers than a naive way of its own. */
const tables = {
  'in-process: emitters': inProcessTable,
  'in-process: threads': acrossThreadsTable,
  journal: journalTable,
  'streams on disk': streamsTable,
  'index of a stream': streamIndexTable,
};
const groups = [parserPairs, encoderPairs, topicTablePairs, ringPairs, fanOutPairs, addressedPairs];
const header = ['', 'ours/s', 'naive/s', 'ours ns', 'naive ns', 'ratio', 'baseline'];

/** Rounds in which both ways of a pair are measured, one behind the other. */
const rounds = 6;

/** Operations a second of both: medians of rounds, since a machine with others at work is half as fast for a second now and then. */
async function measure(pair: Pair, time: number): Promise<string[]> {
  const ours: number[] = [];
  const naive: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const [one, other] = await measureOnce(pair, time / rounds, round === 0 ? time / 4 : 0);
    ours.push(one);
    naive.push(other);
  }
  pair.close?.();
  const ratio = median(ours.map((rate, round) => rate / naive[round]!));
  const count = (value: number) => Math.round(value).toLocaleString('en-US');
  const nanoseconds = (value: number) => (1e9 / value).toFixed(1);
  return [
    pair.name,
    count(median(ours)),
    count(median(naive)),
    nanoseconds(median(ours)),
    nanoseconds(median(naive)),
    `${ratio.toFixed(2)}x`,
    pair.baseline,
  ];
}

/** Of calls that handle many messages each, the median. */
async function measureOnce(pair: Pair, time: number, warmupTime: number): Promise<[number, number]> {
  const bench = new Bench({ time, warmup: warmupTime > 0, warmupTime });
  bench.add('ours', () => pair.ours());
  bench.add('naive', () => pair.naive());
  await bench.run();
  return bench.tasks.map(({ result }) => {
    if (!('latency' in result)) throw new Error(`${pair.name} was not measured: ${result.state}`);
    return (pair.messages * 1000) / result.latency.p50;
  }) as [number, number];
}

function print(rows: readonly (readonly string[])[]): void {
  const columns = rows[0]!.length;
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const texts = [0, columns - 1];
  for (const row of rows) {
    const cells = row.map((cell, i) => (texts.includes(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
    console.log(cells.join('  ').trimEnd());
  }
}

async function run({ only, rows: rowWords, time }: MicroFlags): Promise<void> {
  const wanted = ({ name }: { readonly name: string }) =>
    only === undefined || only.some((word) => name.includes(word));
  const pairs = groups.flatMap((make) => make());
  const chosen = pairs.filter(wanted);
  for (const pair of pairs) if (!chosen.includes(pair)) pair.close?.();
  const chosenTables = Object.entries(tables).filter(([name]) => wanted({ name }));
  if (chosen.length + chosenTables.length === 0) throw new Error(`nothing is called ${only?.join(' or ')}`);
  const rows: string[][] = [header];
  for (const pair of chosen) rows.push(await measure(pair, time));
  if (chosen.length > 0) print(rows);
  for (const [, table] of chosenTables) {
    console.log();
    print(await table(time, rowWords));
  }
}

await runCommand(
  new Command('bench')
    .description('Measures the parts that every message passes, each beside the naive way to do the same.')
    .option('--only <words...>', 'only rows whose name contains one of these')
    .option('--rows <words...>', 'of the streams on disk, only rows whose name contains one of these')
    .option('--time <ms>', 'how long each side of a row is measured', positiveNumber, 600)
    .addHelpText(
      'after',
      `
ours/s and naive/s are messages (or look-ups) a second, medians; ratio is ours to naive. Everything runs on one thread, but
for the rows "in-process", which measure the API of the package beside event emitters, and across threads.

Examples:
  npm run bench
  npm run bench -- --only parser ring --time 2000`,
    )
    .action(run),
);
