import type { Verdict } from './bars.js';
import type { Scenario } from './scenario.js';
import { type Metric, ratio, type Summary } from './summary.js';

interface Column {
  readonly title: string;
  readonly metric: Metric;
  format(value: number): string;
}

const count = (value: number): string => Math.round(value).toLocaleString('en-US');
const fixed = (digits: number, scale = 1) => {
  return (value: number): string => (value * scale).toLocaleString('en-US', { maximumFractionDigits: digits });
};

const loadColumns: readonly Column[] = [
  { title: 'published/s', metric: 'publishedPerSecond', format: count },
  { title: 'delivered/s', metric: 'deliveredPerSecond', format: count },
  { title: 'µs CPU/delivery', metric: 'cpuUsPerDelivery', format: (value) => value.toPrecision(3) },
  { title: 'p50 µs', metric: 'p50Us', format: count },
  { title: 'p99 µs', metric: 'p99Us', format: count },
  { title: 'p99.9 µs', metric: 'p999Us', format: count },
  { title: 'peak MB', metric: 'peakMemoryBytes', format: fixed(0, 1e-6) },
  { title: 'broker cores', metric: 'brokerCores', format: fixed(2) },
  { title: 'generator', metric: 'generatorCores', format: fixed(2) },
  { title: 'others', metric: 'otherCores', format: fixed(2) },
];

const idleColumns: readonly Column[] = [
  { title: 'opened/s', metric: 'openedPerSecond', format: count },
  { title: 'bytes/connection', metric: 'bytesPerConnection', format: count },
  { title: 'MB before', metric: 'residentBytesBefore', format: fixed(1, 1e-6) },
  { title: 'MB open', metric: 'residentBytesOpen', format: fixed(1, 1e-6) },
  { title: 'MB after close', metric: 'residentBytesAfterClose', format: fixed(1, 1e-6) },
  { title: 'peak MB', metric: 'peakMemoryBytes', format: fixed(1, 1e-6) },
  { title: 'fds left', metric: 'descriptorsLeft', format: count },
  { title: 'idle cores', metric: 'brokerCores', format: fixed(3) },
];

/** Columns whose ratio says something about a broker. */
const comparable = new Set<Metric>([
  'publishedPerSecond',
  'deliveredPerSecond',
  'cpuUsPerDelivery',
  'p50Us',
  'p99Us',
  'p999Us',
  'peakMemoryBytes',
  'openedPerSecond',
  'bytesPerConnection',
]);

function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!);
  return rows.map((row) => `  ${row.map(cell).join('  ')}`.trimEnd()).join('\n');
}

/** A scenario's table: a row per target, ratios of the first Shardcast to each other target, and what went wrong. */
export function renderScenario(
  scenario: Scenario,
  summaries: readonly Summary[],
  verdicts: readonly Verdict[],
): string {
  const known = scenario.kind === 'idle' ? idleColumns : loadColumns;
  const columns = known.filter(({ metric }) => summaries.some((summary) => summary.metrics[metric] !== undefined));
  const rows = [['', ...columns.map((column) => column.title)]];
  for (const summary of summaries) {
    const cells = columns.map(({ metric, format }) => {
      const value = summary.metrics[metric];
      return value === undefined ? '-' : format(value);
    });
    rows.push([summary.target + (summary.incidents.length > 0 ? ' (!)' : ''), ...cells]);
  }
  const subject = summaries.find((summary) => summary.target === 'shardcast');
  for (const other of subject ? summaries : []) {
    if (!subject || other === subject) continue;
    const cells = columns.map(({ metric }) => {
      const quotient = comparable.has(metric) ? ratio(subject, other, metric) : null;
      return quotient === null ? '' : `${quotient.toPrecision(3)}x`;
    });
    rows.push([`shardcast / ${other.target}`, ...cells]);
  }
  const lines = [`${scenario.name}  [${scenario.id}], medians of ${summaries[0]?.rounds ?? 0}`, align(rows)];
  for (const { target, incidents } of summaries)
    for (const incident of incidents) lines.push(`  ! ${target}, ${incident}`);
  for (const { bar, measured, met } of verdicts) {
    lines.push(`  ${met ? 'met    ' : 'NOT MET'} ${bar}: ${measured === null ? 'not measured' : fixed(3)(measured)}`);
  }
  return lines.join('\n');
}
