import { readSyncMs, type SyncPolicy, syncKey, syncTexts } from '../../base/syncPolicy.js';
import type { StreamConfigJson, StreamInfoJson } from '../../protocol/streamApi/json.js';
import { checkNames } from '../checks.js';
import { checkKinds, type FieldKind, flag, limit, milliseconds, oneOf, text, textMap, texts } from './streamFields.js';

/** How a stream is configured. Limits that are left out are none. */
export interface StreamConfig {
  /** Subjects and patterns that it takes; its name, when left out. */
  readonly subjects?: readonly string[] | undefined;
  readonly description?: string | undefined;
  /** `file` (default) needs the broker's option `data`. */
  readonly storage?: 'file' | 'memory' | undefined;
  readonly retention?: 'limits' | 'interest' | 'workqueue' | undefined;
  /** What a full stream gives up: `old` messages (default), or `new` ones, whose publishes are refused. */
  readonly discard?: 'old' | 'new' | undefined;
  /** With `discard: 'new'`: also refuses new messages of a subject that is full. */
  readonly discardPerSubject?: boolean | undefined;
  readonly maxMessages?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly maxAgeMs?: number | undefined;
  readonly maxMessagesPerSubject?: number | undefined;
  /** Of one message, headers included. */
  readonly maxMessageBytes?: number | undefined;
  /** How long ids of messages are known; 2 minutes when left out. */
  readonly duplicateWindowMs?: number | undefined;
  readonly firstSequence?: number | undefined;
  /** Whether it answers direct gets, which make reading it quick; true when left out. */
  readonly allowDirect?: boolean | undefined;
  readonly allowRollup?: boolean | undefined;
  /** Whether messages may say how long they live: `ttlSeconds` of `publish`. It stays so once it is. */
  readonly allowMessageTtl?: boolean | undefined;
  readonly denyDelete?: boolean | undefined;
  readonly denyPurge?: boolean | undefined;
  /** When what it has taken is on disk, with `storage: 'file'`: before anybody is told (`always`, default), within so many milliseconds, or some time. */
  readonly sync?: SyncPolicy | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

const streamConfigKinds: { readonly [K in keyof Required<StreamConfig>]: FieldKind } = {
  subjects: texts,
  description: text,
  storage: oneOf('file', 'memory'),
  retention: oneOf('limits', 'interest', 'workqueue'),
  discard: oneOf('old', 'new'),
  discardPerSubject: flag,
  maxMessages: limit,
  maxBytes: limit,
  maxAgeMs: milliseconds,
  maxMessagesPerSubject: limit,
  maxMessageBytes: limit,
  duplicateWindowMs: milliseconds,
  firstSequence: limit,
  allowDirect: flag,
  allowRollup: flag,
  allowMessageTtl: flag,
  denyDelete: flag,
  denyPurge: flag,
  sync: { allowed: syncTexts.join(' or '), allows: (value) => typeof value === 'string' && readSyncMs(value) !== null },
  metadata: textMap,
};

/** What is known of a stream. */
export interface StreamInfo {
  readonly name: string;
  readonly config: StreamConfig;
  readonly created: Date;
  readonly messages: number;
  readonly bytes: number;
  readonly firstSequence: number;
  /** 0 when nothing was ever stored. */
  readonly lastSequence: number;
  /** Of the first message, and of the last that was stored; null where there is none. */
  readonly firstTime: Date | null;
  readonly lastTime: Date | null;
  /** How many subjects there are messages of. */
  readonly subjects: number;
}

const nsPerMs = 1e6;

/**
 * A configuration in NATS's names and units.
 *
 * @throws ArgumentError for a field that there is not, or that is not of its kind
 *
 * @internal
 */
export function configToJson(name: string, config: StreamConfig): StreamConfigJson {
  checkNames(config, streamConfigKinds, 'a stream');
  checkKinds(config, streamConfigKinds);
  const { maxAgeMs, duplicateWindowMs } = config;
  const fields = {
    subjects: config.subjects,
    description: config.description,
    storage: config.storage,
    retention: config.retention,
    discard: config.discard,
    discard_new_per_subject: config.discardPerSubject,
    max_msgs: config.maxMessages,
    max_bytes: config.maxBytes,
    max_age: maxAgeMs === undefined ? undefined : Math.round(maxAgeMs * nsPerMs),
    max_msgs_per_subject: config.maxMessagesPerSubject,
    max_msg_size: config.maxMessageBytes,
    duplicate_window: duplicateWindowMs === undefined ? undefined : Math.round(duplicateWindowMs * nsPerMs),
    first_seq: config.firstSequence,
    allow_direct: config.allowDirect,
    allow_rollup_hdrs: config.allowRollup,
    allow_msg_ttl: config.allowMessageTtl,
    deny_delete: config.denyDelete,
    deny_purge: config.denyPurge,
    metadata: metadataOf(config),
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), name };
}

/**
 * What the API tells of a stream, in this API's names and units.
 *
 * @internal
 */
export function infoOf({ config, created, state }: StreamInfoJson): StreamInfo {
  return {
    name: config.name,
    config: configOf(config),
    created: new Date(created),
    messages: state.messages,
    bytes: state.bytes,
    firstSequence: state.first_seq,
    lastSequence: state.last_seq,
    firstTime: timeOf(state.first_ts),
    lastTime: timeOf(state.last_ts),
    subjects: state.num_subjects ?? 0,
  };
}

/** What else a stream's metadata says is the user's. */
function metadataOf({ sync, metadata }: StreamConfig): StreamConfig['metadata'] {
  return sync === undefined ? metadata : { ...metadata, [syncKey]: sync };
}

function withoutSync(metadata: StreamConfig['metadata']): StreamConfig['metadata'] {
  return metadata && Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== syncKey));
}

/**
 * The metadata of a stream that is changed: what is not said stays.
 *
 * @internal
 */
export function changedMetadata(config: StreamConfig, current: StreamConfigJson): StreamConfig['metadata'] {
  const { sync, metadata } = configOf(current);
  return metadataOf({ sync: config.sync ?? sync, metadata: config.metadata ?? metadata });
}

function configOf(json: StreamConfigJson): StreamConfig {
  return {
    subjects: json.subjects,
    description: json.description,
    // the API names no others
    storage: json.storage as StreamConfig['storage'],
    retention: json.retention as StreamConfig['retention'],
    discard: json.discard as StreamConfig['discard'],
    discardPerSubject: json.discard_new_per_subject,
    maxMessages: limitOf(json.max_msgs),
    maxBytes: limitOf(json.max_bytes),
    maxAgeMs: limitOf(json.max_age, nsPerMs),
    maxMessagesPerSubject: limitOf(json.max_msgs_per_subject),
    maxMessageBytes: limitOf(json.max_msg_size),
    duplicateWindowMs: limitOf(json.duplicate_window, nsPerMs),
    firstSequence: limitOf(json.first_seq),
    allowDirect: json.allow_direct,
    allowRollup: json.allow_rollup_hdrs,
    allowMessageTtl: json.allow_msg_ttl,
    denyDelete: json.deny_delete,
    denyPurge: json.deny_purge,
    sync: json.metadata?.[syncKey] as SyncPolicy | undefined,
    metadata: withoutSync(json.metadata),
  };
}

/** No limit is said as 0 or -1. */
function limitOf(value: number | undefined, unit = 1): number | undefined {
  return value === undefined || value <= 0 ? undefined : value / unit;
}

function timeOf(text: string): Date | null {
  return text.startsWith('0001-') ? null : new Date(text);
}
