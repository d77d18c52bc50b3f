import type { StreamConfigJson, StreamInfoJson } from '../../protocol/streamApi/json.js';
import { count, formatSize } from '../figures.js';
import { bound, describeRows, describeTable, formatNs, type Row } from '../tables.js';

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
  return describeRows(`stream ${config.name}`, rows, isTerminal);
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
  return describeTable(['name', 'messages', 'bytes', 'storage', 'subjects'], cells, isNumber, isTerminal);
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

function positionOf(sequence: number, time: string): string {
  return time.startsWith('0001-') ? count(sequence) : `${count(sequence)} at ${time}`;
}

function isNumber(column: number): boolean {
  return column === 1 || column === 2;
}
