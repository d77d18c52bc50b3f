import { count, formatSize } from '../figures.js';
import { describeTable } from '../tables.js';
import type { Conn, Sample } from './polling.js';

const NAME_LENGTH_MAX = 24;
const COLUMNS = [
  'cid',
  'name',
  'address',
  'subs',
  'pending',
  'msgs from/s',
  'msgs to/s',
  'bytes from/s',
  'bytes to/s',
  'rtt',
  'uptime',
];
const TEXT_COLUMNS = [1, 2];

interface Counts {
  readonly in_msgs: number;
  readonly out_msgs: number;
  readonly in_bytes: number;
  readonly out_bytes: number;
}

/** What a server does, from two looks at it: rates are those between them. */
export function describeServer(before: Sample, now: Sample, isTerminal: boolean): string {
  const seconds = (now.atMs - before.atMs) / 1000;
  // a server that has been started anew counts from zero
  const isSame = before.varz.server_id === now.varz.server_id && before.varz.start === now.varz.start;
  const rates = ratesOf(isSame ? before.varz : undefined, now.varz, seconds);
  return [
    describeTable(...serverTable(now), isTerminal),
    describeTable(...trafficTable(now.varz, rates), isTerminal),
    describeTable(COLUMNS, connectionRows(isSame ? before : null, now, seconds), isNumber, isTerminal),
  ].join('\n');
}

/** What replaces the text on a terminal, cut to its size. */
export function frame(text: string, columns: number, rows: number): string {
  const lines = text
    .trimEnd()
    .split('\n')
    .slice(0, rows - 1);
  return `\x1b[H${lines.map((line) => `${cut(line, columns)}\x1b[K\n`).join('')}\x1b[J`;
}

type Table = [names: string[], rows: string[][], isNumber: (column: number) => boolean];

function serverTable({ varz }: Sample): Table {
  const { server_name: name = varz.server_id, cpu = 0, mem = 0, connections = 0, subscriptions = 0 } = varz;
  const { slow_consumers: slow = 0, uptime = '', version } = varz;
  const values = [`${cpu}%`, formatSize(mem), count(connections), count(subscriptions), count(slow), uptime];
  const names = ['server', 'version', 'cpu', 'memory', 'connections', 'subscriptions', 'slow consumers', 'uptime'];
  return [names, [[shorten(name), version, ...values]], (column) => column > 1];
}

function trafficTable(varz: Counts, rates: Counts | null): Table {
  const rows = [
    ['in', perSecond(rates?.in_msgs), sizePerSecond(rates?.in_bytes), count(varz.in_msgs), formatSize(varz.in_bytes)],
    [
      'out',
      perSecond(rates?.out_msgs),
      sizePerSecond(rates?.out_bytes),
      count(varz.out_msgs),
      formatSize(varz.out_bytes),
    ],
  ];
  return [['', 'msgs/s', 'bytes/s', 'msgs', 'bytes'], rows, (column) => column > 0];
}

function connectionRows(before: Sample | null, now: Sample, seconds: number): string[][] {
  const earlier = new Map(before?.connections.map((connection) => [connection.cid, connection]));
  return now.connections.map((each) => connectionRow(each, ratesOf(earlier.get(each.cid), each, seconds)));
}

function connectionRow(connection: Conn, rates: Counts | null): string[] {
  const { cid, name = '', ip = '', port = '', rtt = '', uptime = '' } = connection;
  return [
    String(cid),
    shorten(name),
    `${ip.includes(':') ? `[${ip}]` : ip}:${port}`,
    count(connection.subscriptions ?? 0),
    formatSize(connection.pending_bytes ?? 0),
    perSecond(rates?.in_msgs),
    perSecond(rates?.out_msgs),
    sizePerSecond(rates?.in_bytes),
    sizePerSecond(rates?.out_bytes),
    rtt,
    uptime,
  ];
}

/** @returns null where it is not known what was counted before */
function ratesOf(before: Counts | undefined, now: Counts, seconds: number): Counts | null {
  if (before === undefined || seconds <= 0) return null;
  const rate = (key: keyof Counts): number => Math.max(0, now[key] - before[key]) / seconds;
  return {
    in_msgs: rate('in_msgs'),
    out_msgs: rate('out_msgs'),
    in_bytes: rate('in_bytes'),
    out_bytes: rate('out_bytes'),
  };
}

function isNumber(column: number): boolean {
  return !TEXT_COLUMNS.includes(column);
}

function perSecond(rate: number | undefined): string {
  return rate === undefined ? '-' : count(Math.round(rate));
}

function sizePerSecond(rate: number | undefined): string {
  return rate === undefined ? '-' : formatSize(Math.round(rate));
}

function shorten(name: string): string {
  const line = name.replace(/\s+/g, ' ');
  return line.length > NAME_LENGTH_MAX ? `${line.slice(0, NAME_LENGTH_MAX - 1)}…` : line;
}

/** Cuts what is seen of a line: what only styles it takes no room. */
function cut(line: string, columns: number): string {
  let room = columns;
  return line.replace(/\x1b\[[0-9;]*m|./gu, (part) => (part.startsWith('\x1b') || room-- > 0 ? part : ''));
}
