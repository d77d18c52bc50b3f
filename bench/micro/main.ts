import { Command } from 'commander';
import { Bench } from 'tinybench';
import { positiveNumber } from '../compare/command-line.js';
import { addressedPairs } from './addressed.js';
import { encoderPairs } from './encoder.js';
import { fanOutPairs } from './fanOut.js';
import { acrossThreadsTable, inProcessTable } from './inProcess.js';
import { journalTable } from './journal.js';
import type { Pair } from './pair.js';
import { parserPairs } from './parser.js';
import { ringPairs } from './ring.js';
import { streamsTable } from './streams.js';
import { topicTablePairs } from './topicTable.js';

interface MicroFlags {
  readonly only?: string[];
  readonly time: number;
}

/** What has other peers than a naive way of its own. */
const tables = {
  'in-process: emitters': inProcessTable,
  'in-process: threads': acrossThreadsTable,
  journal: journalTable,
  'streams on disk': streamsTable,
};
const groups = [parserPairs, encoderPairs, topicTablePairs, ringPairs, fanOutPairs, addressedPairs];
const header = ['', 'ours/s', 'naive/s', 'ours ns', 'naive ns', 'ratio', 'baseline'];

/** Operations a second of both: medians of calls that handle many messages each. */
async function measure(pair: Pair, time: number): Promise<string[]> {
  const bench = new Bench({ time, warmupTime: time / 4 });
  bench.add('ours', () => pair.ours());
  bench.add('naive', () => pair.naive());
  await bench.run();
  pair.close?.();
  const [ours, naive] = bench.tasks.map(({ result }) => {
    if (!('latency' in result)) throw new Error(`${pair.name} was not measured: ${result.state}`);
    return (pair.messages * 1000) / result.latency.p50;
  }) as [number, number];
  const count = (value: number) => Math.round(value).toLocaleString('en-US');
  const nanoseconds = (value: number) => (1e9 / value).toFixed(1);
  return [
    pair.name,
    count(ours),
    count(naive),
    nanoseconds(ours),
    nanoseconds(naive),
    `${(ours / naive).toFixed(1)}x`,
    pair.baseline,
  ];
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

async function run({ only, time }: MicroFlags): Promise<void> {
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
    print(await table(time));
  }
}

new Command('bench')
  .description('Measures the parts that every message passes, each beside the naive way to do the same.')
  .option('--only <words...>', 'only rows whose name contains one of these')
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
  .action(run)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  });
