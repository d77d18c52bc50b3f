import type {
  ConsumerConfigJson,
  ConsumerInfoJson,
  ConsumerPositionJson,
} from '../../protocol/streamApi/consumerJson.js';
import { count, formatSize } from '../figures.js';
import { bound, describeRows, describeTable, formatNs, type Row } from '../tables.js';

/** A consumer as people read it. */
export function describeConsumer(info: ConsumerInfoJson, isTerminal: boolean): string {
  const { config } = info;
  const rows: Row[] = [
    ...said('description', config.description),
    ['kind', kindOf(config)],
    ['filter', filterOf(config)],
    ['begins', startOf(config)],
    ['replay', config.replay_policy ?? ''],
    ...acksOf(config),
    ...limitsOf(config),
    ...Object.entries(config.metadata ?? {}).map(([key, value]): Row => [`metadata ${key}`, value]),
    ['created', info.created],
    ['delivered', positionOf(info.delivered)],
    ['ack floor', positionOf(info.ack_floor)],
    ['unacknowledged', count(info.num_ack_pending)],
    ['redelivered', count(info.num_redelivered)],
    ['pending', count(info.num_pending)],
    ['waiting requests', count(info.num_waiting)],
    ...said('paused', info.paused ? `for ${formatNs(info.pause_remaining ?? 0)} still` : undefined),
  ];
  return describeRows(`consumer ${info.name} of stream ${info.stream_name}`, rows, isTerminal);
}

/** A line for each. */
export function listConsumers(infos: readonly ConsumerInfoJson[], isTerminal: boolean): string {
  if (infos.length === 0) return 'no consumers\n';
  const cells = infos.map((info) => [
    info.name,
    count(info.num_pending),
    count(info.num_ack_pending),
    info.config.deliver_subject === undefined ? 'pull' : 'push',
    filterOf(info.config),
  ]);
  const names = ['name', 'pending', 'unacknowledged', 'kind', 'filter'];
  return describeTable(names, cells, (column) => column === 1 || column === 2, isTerminal);
}

function kindOf({ deliver_subject, deliver_group, durable_name }: ConsumerConfigJson): string {
  const lasting = durable_name === undefined ? 'ephemeral' : 'durable';
  if (deliver_subject === undefined) return `${lasting}, pull`;
  return `${lasting}, push to ${deliver_subject}${deliver_group === undefined ? '' : ` for group ${deliver_group}`}`;
}

function filterOf({ filter_subject, filter_subjects }: ConsumerConfigJson): string {
  return filter_subjects?.join(', ') || filter_subject || 'none';
}

function startOf({ deliver_policy, opt_start_seq, opt_start_time }: ConsumerConfigJson): string {
  const where = opt_start_seq ?? opt_start_time;
  return `${deliver_policy ?? 'all'}${where === undefined ? '' : ` ${where}`}`;
}

function acksOf({ ack_policy, ack_wait, backoff, max_deliver, max_ack_pending }: ConsumerConfigJson): Row[] {
  if (ack_policy === 'none') return [['ack', 'none']];
  return [
    ['ack', ack_policy ?? ''],
    ['ack wait', backoff?.map(formatNs).join(', ') || formatNs(ack_wait ?? 0)],
    ['max deliver', bound(max_deliver, count)],
    ['max ack pending', bound(max_ack_pending, count)],
  ];
}

function limitsOf(config: ConsumerConfigJson): Row[] {
  return [
    ...said('max waiting', config.max_waiting, count),
    ...said('max batch', config.max_batch, count),
    ...said('max expires', config.max_expires, formatNs),
    ...said('max bytes', config.max_bytes, formatSize),
    ...said('rate limit', config.rate_limit_bps, (bits) => `${count(bits)} bits a second`),
    ...said('idle heartbeat', config.idle_heartbeat, formatNs),
    ...said('inactive threshold', config.inactive_threshold, formatNs),
    ...said('priority', config.priority_policy),
    ...said('priority groups', config.priority_groups?.join(', ')),
    ...said('switches', switchesOf(config)),
  ];
}

/** The fields of a configuration that are true. */
function switchesOf(config: ConsumerConfigJson): string {
  return Object.entries(config)
    .flatMap(([name, value]) => (value === true ? [name] : []))
    .join(', ');
}

/** A row for what there is. */
function said<T>(label: string, value: T | undefined, format: (value: T) => string = String): Row[] {
  return value ? [[label, format(value)]] : [];
}

function positionOf({ consumer_seq, stream_seq, last_active }: ConsumerPositionJson): string {
  const at = last_active === undefined ? '' : ` at ${last_active}`;
  return `${count(stream_seq)} of the stream, delivery ${count(consumer_seq)}${at}`;
}
