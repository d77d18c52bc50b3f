import { Decoding } from '../api/decoding.js';
import type { Parsed } from '../api/json.js';
import { valuesOf } from '../api/requests.js';
import type { ConsumerConfig } from '../consumerConfig.js';
import { goDuration } from '../consumerRules.js';

/** What a client asks a consumer for, in nats-server's units: durations in nanoseconds. */
export interface PullFields {
  readonly batch: number;
  readonly expires: bigint;
  readonly no_wait: boolean;
  /** 0 for no bound. */
  readonly max_bytes: number;
  readonly idle_heartbeat: bigint;
  /** Only of consumers with groups; '' where none was named. */
  readonly group: string;
  readonly min_pending: number;
  readonly min_ack_pending: number;
  /** By which whoever is pinned is known; '' for nobody yet. */
  readonly id: string;
  /** 0 is served first. */
  readonly priority: number;
}

const priorityMax = 9;

const onlyOne: PullFields = {
  batch: 1,
  expires: 0n,
  no_wait: false,
  max_bytes: 0,
  idle_heartbeat: 0n,
  group: '',
  min_pending: 0,
  min_ack_pending: 0,
  id: '',
  priority: priorityMax,
};

/** Why a request is refused at once: the status line's code and text. */
export class PullRefusal extends Error {}

/**
 * Reads a request for messages: JSON, a number, or nothing.
 *
 * @throws PullRefusal
 */
export function readPull(body: string, config: ConsumerConfig): PullFields {
  const isJson = /^[ \t\r\n]*\{/.test(body);
  const fields = isJson ? readKnown(body) : { ...onlyOne, batch: /^\s*\d+\s*$/.test(body) ? Number(body) : 1 };
  const { batch, expires, max_bytes, idle_heartbeat } = fields;
  if (idle_heartbeat > 0n && 2n * idle_heartbeat > expires)
    throw new PullRefusal('400 Bad Request - heartbeat value too large');
  if (config.max_batch > 0n && BigInt(batch) > config.max_batch)
    throw new PullRefusal(`409 Exceeded MaxRequestBatch of ${config.max_batch}`);
  if (config.max_expires > 0n && expires > config.max_expires)
    throw new PullRefusal(`409 Exceeded MaxRequestExpires of ${goDuration(config.max_expires)}`);
  if (config.max_bytes > 0n && BigInt(max_bytes) > config.max_bytes)
    throw new PullRefusal(`409 Exceeded MaxRequestMaxBytes of ${config.max_bytes}`);
  checkGroups(fields, config, isJson);
  return { ...fields, batch: Math.max(1, batch) };
}

function checkGroups(fields: PullFields, config: ConsumerConfig, isJson: boolean): void {
  const refuse = (why: string) => new PullRefusal(`400 Bad Request - ${why}`);
  const { priority_policy: policy, priority_groups: groups } = config;
  if (policy !== 'overflow' && (fields.min_pending !== 0 || fields.min_ack_pending !== 0))
    throw refuse('Not a Overflow Priority consumer');
  if (policy !== 'pinned_client' && fields.id !== '') throw refuse('Not a Pinned Client Priority consumer');
  if (fields.priority < 0 || fields.priority > priorityMax) throw refuse('Priority must be between 0 and 9');
  if (policy === 'none' || !isJson) return;
  if (fields.group === '') throw refuse('Priority Group missing');
  if (!groups.includes(fields.group)) throw refuse('Invalid Priority Group');
}

/** What requests said that were read before, by their text: clients ask for the same again and again. So many of so many characters at most. */
const known = new Map<string, PullFields>();
const knownMax = 64;
const knownCharactersMax = 256;

function readKnown(body: string): PullFields {
  const fields = known.get(body) ?? readJson(body);
  if (known.size === knownMax) known.clear();
  if (body.length <= knownCharactersMax) known.set(body, fields);
  return fields;
}

function readJson(body: string): PullFields {
  const type = 'JSApiConsumerGetNextRequest';
  const decoding = new Decoding(type, false);
  const wholes = { batch: 0n, expires: 0n, max_bytes: 0n, idle_heartbeat: 0n, min_pending: 0n, min_ack_pending: 0n };
  const read = { priority: 0n, no_wait: false, group: '', id: '' };
  const whole = (name: keyof typeof wholes, goType: 'int' | 'int64' | 'time.Duration') => (value: Parsed) => {
    wholes[name] = decoding.whole(value, name, goType);
  };
  const fields = {
    batch: whole('batch', 'int'),
    expires: whole('expires', 'time.Duration'),
    no_wait: (value: Parsed) => {
      read.no_wait = decoding.flag(value, 'no_wait');
    },
    max_bytes: whole('max_bytes', 'int'),
    idle_heartbeat: whole('idle_heartbeat', 'time.Duration'),
    group: (value: Parsed) => {
      read.group = decoding.text(value, 'group');
    },
    min_pending: whole('min_pending', 'int64'),
    min_ack_pending: whole('min_ack_pending', 'int64'),
    id: (value: Parsed) => {
      read.id = decoding.text(value, 'id');
    },
    priority: (value: Parsed) => {
      read.priority = decoding.whole(value, 'priority', 'int');
    },
  };
  for (const value of valuesOf(body, decoding)) decoding.object(value, '', type, fields);
  if (decoding.error !== null) throw new PullRefusal(`400 Bad Request - ${decoding.error}`);
  const { batch, expires, max_bytes, idle_heartbeat, min_pending, min_ack_pending } = wholes;
  return {
    ...read,
    expires,
    idle_heartbeat,
    batch: Number(batch),
    max_bytes: Math.max(0, Number(max_bytes)),
    min_pending: Number(min_pending),
    min_ack_pending: Number(min_ack_pending),
    priority: Number(read.priority),
  };
}
