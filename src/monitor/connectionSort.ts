import type { ConnectionReport } from '../base/reports.js';
import { closeReason } from './closeReasons.js';
import { RequestError } from './query.js';

type Key = (report: ConnectionReport) => number | string;

/** By what connections may be sorted, and whether the largest come first. */
interface Order {
  readonly key: Key;
  readonly descending: boolean;
}

const rising = (key: Key): Order => ({ key, descending: false });
const falling = (key: Key): Order => ({ key, descending: true });
const lastedMs = ({ startMs, end }: ConnectionReport): number => (end?.ms ?? Date.now()) - startMs;

const orders: ReadonlyMap<string, Order> = new Map([
  ['cid', rising(({ id }) => id)],
  ['start', rising(({ startMs }) => startMs)],
  ['subs', falling(({ subscriptions }) => subscriptions)],
  ['pending', falling(({ pendingBytes }) => pendingBytes)],
  ['msgs_to', falling(({ outMessages }) => outMessages)],
  ['msgs_from', falling(({ inMessages }) => inMessages)],
  ['bytes_to', falling(({ outBytes }) => outBytes)],
  ['bytes_from', falling(({ inBytes }) => inBytes)],
  ['last', falling(({ activeMs }) => activeMs)],
  ['idle', falling(({ activeMs, end }) => (end?.ms ?? Date.now()) - activeMs)],
  ['uptime', falling(lastedMs)],
  ['rtt', falling(({ rttMs }) => rttMs)],
  ['stop', falling(({ end }) => end?.ms ?? 0)],
  ['reason', rising(({ end }) => closeReason(end?.reason ?? ''))],
]);

/** Sorts that ask how connections have ended. */
const ofClosed: readonly string[] = ['stop', 'reason'];

export type Compare = (one: ConnectionReport, other: ConnectionReport) => number;

/** @throws RequestError for an order that there is not, or not of connections like these */
export function readSort(name: string, state: 'open' | 'closed' | 'all'): Compare {
  const order = orders.get(name === '' ? 'cid' : name);
  if (order === undefined) throw new RequestError(400, `invalid sorting option: ${name}`);
  if (ofClosed.includes(name) && state !== 'closed')
    throw new RequestError(400, `sort by ${name} only valid on closed connections`);
  const { key, descending } = order;
  return (one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === b) return one.id - other.id;
    return a < b === descending ? 1 : -1;
  };
}
