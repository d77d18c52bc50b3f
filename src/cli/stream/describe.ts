import { styleText } from 'node:util';
import { formatDurationMs } from '../../options/units.js';
import type { StreamConfigJson, StreamInfoJson } from '../../protocol/streamApi/json.js';
import { count, formatSize } from '../figures.js';
import { withoutControls } from '../messageFormat.js';

type Row = readonly [label: string, value: string];

const nsPerMs = 1e6;

/** A stream as people read it. */
export function describeStream(info: StreamInfoJson, isTerminal: boolean): string {
  const { config, state, created } = info;
  const rows: Row[] = [
    ['subjects', (config.subjects ?? []).join(', ')],
    ...(config.description ? [['description', config.description] as Row] : []),
    ['storage', config.storage ?? ''],
    ['retention', config.retention ?? ''],
    ['discard', config.discard ?? ''],
    ...limitsOf(config),
    ['switches', switchesOf(config)],
    ...Object.entries(config.metadata ?? {}).map(([key, value]): Row => [`metadata ${key}`, value]),
    ['created', created],
    ['messages', count(state.messages)],
    ['bytes', formatSize(state.bytes)],
    ['first', positionOf(state.first_seq, state.first_ts)],
    ['last', positionOf(state.last_seq, state.last_ts)],
    ['subjects stored', count(state.num_subjects ?? 0)],
    ['deleted between', count(state.num_deleted ?? 0)],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`.trimEnd());
  return shown([heading(`stream ${config.name}`, isTerminal), ...lines], isTerminal);
}

/** A line for each. */
export function listStreams(infos: readonly StreamInfoJson[], isTerminal: boolean): string {
  if (infos.length === 0) return 'no streams\n';
  const cells = infos.map(({ config, state }) => [
    config.name,
    count(state.messages),
    formatSize(state.bytes),
    config.storage ?? '',
    (config.subjects ?? []).join(', '),
  ]);
  const table = [['name', 'messages', 'bytes', 'storage', 'subjects'], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const [head, ...lines] = table.map((row) =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  return shown([heading(head!, isTerminal), ...lines], isTerminal);
}

function limitsOf(config: StreamConfigJson): Row[] {
  const { max_msgs, max_bytes, max_age, max_msgs_per_subject, max_msg_size, duplicate_window } = config;
  return [
    ['max messages', bound(max_msgs, count)],
    ['max bytes', bound(max_bytes, formatSize)],
    ['max age', bound(max_age, formatNs)],
    ['max per subject', bound(max_msgs_per_subject, count)],
    ['max message size', bound(max_msg_size, formatSize)],
    ['duplicate window', formatNs(duplicate_window ?? 0)],
  ];
}

/** The fields of a configuration that are true. */
function switchesOf(config: StreamConfigJson): string {
  const names = Object.entries(config).flatMap(([name, value]) => (value === true ? [name] : []));
  return names.join(', ') || 'none';
}

function bound(value: number | undefined, format: (value: number) => string): string {
  return value === undefined || value <= 0 ? 'no limit' : format(value);
}

function positionOf(sequence: number, time: string): string {
  return time.startsWith('0001-') ? count(sequence) : `${count(sequence)} at ${time}`;
}

function isNumber(column: number): boolean {
  return column === 1 || column === 2;
}

function formatNs(ns: number): string {
  return formatDurationMs(ns / nsPerMs);
}

function heading(text: string, isTerminal: boolean): string {
  return isTerminal && !process.env.NO_COLOR ? styleText('bold', text, { validateStream: false }) : text;
}

/** Names and descriptions must not be able to command a terminal. */
function shown([first, ...lines]: readonly string[], isTerminal: boolean): string {
  const safe = isTerminal ? lines.map(withoutControls) : lines;
  return `${[first, ...safe].join('\n')}\n`;
}
