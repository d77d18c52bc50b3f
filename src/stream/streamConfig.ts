import type { Decoding } from './api/decoding.js';
import { choice, choiceInAnyCase, flag, type Reader, readText, whole } from './api/fieldReaders.js';
import { type Json, type JsonObject, type Parsed, writeMap } from './api/json.js';
import { ownMetadata, type ServerLevel, serverMetadata } from './metadata.js';

export type Retention = 'limits' | 'interest' | 'workqueue';
export type Discard = 'old' | 'new';
export type StorageKind = 'file' | 'memory';

/** How a stream is configured, in NATS's names and units: durations in nanoseconds, -1 is no limit. */
export interface StreamConfig {
  readonly name: string;
  readonly description: string;
  readonly subjects: readonly string[];
  readonly retention: Retention;
  readonly max_consumers: bigint;
  readonly max_msgs: bigint;
  readonly max_bytes: bigint;
  readonly max_age: bigint;
  readonly max_msgs_per_subject: bigint;
  readonly max_msg_size: bigint;
  readonly discard: Discard;
  readonly storage: StorageKind;
  readonly num_replicas: bigint;
  readonly no_ack: boolean;
  readonly duplicate_window: bigint;
  readonly placement: Placement | null;
  readonly compression: 'none' | 's2';
  readonly first_seq: bigint;
  readonly allow_direct: boolean;
  readonly mirror_direct: boolean;
  readonly discard_new_per_subject: boolean;
  readonly sealed: boolean;
  readonly deny_delete: boolean;
  readonly deny_purge: boolean;
  readonly allow_rollup_hdrs: boolean;
  readonly allow_msg_ttl: boolean;
  readonly consumer_limits: ConsumerLimits;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface Placement {
  readonly cluster: string;
  readonly tags: readonly string[];
  readonly preferred: string;
}

export interface ConsumerLimits {
  readonly inactive_threshold: bigint;
  readonly max_ack_pending: bigint;
}

/** A configuration as somebody asks for it. */
export interface ConfigRequest {
  readonly config: StreamConfig;
  /** Whether nothing may be filled in silently. */
  readonly pedantic: boolean;
  /** Fields that ask for what is not there, by name. */
  readonly unsupported: readonly string[];
}

const noConfig: StreamConfig = {
  name: '',
  description: '',
  subjects: [],
  retention: 'limits',
  max_consumers: 0n,
  max_msgs: 0n,
  max_bytes: 0n,
  max_age: 0n,
  max_msgs_per_subject: 0n,
  max_msg_size: 0n,
  discard: 'old',
  storage: 'file',
  num_replicas: 0n,
  no_ack: false,
  duplicate_window: 0n,
  placement: null,
  compression: 'none',
  first_seq: 0n,
  allow_direct: false,
  mirror_direct: false,
  discard_new_per_subject: false,
  sealed: false,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
  allow_msg_ttl: false,
  consumer_limits: { inactive_threshold: 0n, max_ack_pending: 0n },
  metadata: new Map(),
};

const readers: { readonly [K in keyof StreamConfig]: Reader<StreamConfig[K]> } = {
  name: readText,
  description: readText,
  subjects: (decoding, value, path) => decoding.texts(value, path),
  retention: choice<Retention>('limits', 'interest', 'workqueue'),
  max_consumers: whole('int'),
  max_msgs: whole('int64'),
  max_bytes: whole('int64'),
  max_age: whole('time.Duration'),
  max_msgs_per_subject: whole('int64'),
  max_msg_size: whole('int32'),
  discard: choiceInAnyCase<Discard>('old', 'new'),
  storage: choice<StorageKind>('file', 'memory'),
  num_replicas: whole('int'),
  no_ack: flag,
  duplicate_window: whole('time.Duration'),
  placement: readPlacement,
  compression: readCompression,
  first_seq: whole('uint64'),
  allow_direct: flag,
  mirror_direct: flag,
  discard_new_per_subject: flag,
  sealed: flag,
  deny_delete: flag,
  deny_purge: flag,
  allow_rollup_hdrs: flag,
  allow_msg_ttl: flag,
  consumer_limits: readConsumerLimits,
  metadata: (decoding, value, path) => decoding.textMap(value, path),
};

/** Fields that nothing leaves as they are: a null is none of their words. */
const readsNull: readonly string[] = ['retention', 'discard', 'storage', 'compression'];

/** Fields of what is not there, and what they say when nobody asks for it; null says that everywhere. */
const missing: Readonly<Record<string, (decoding: Decoding, value: Parsed, path: string) => boolean>> = {
  mirror: (_, value) => value !== null,
  sources: (_, value) => value !== null && !(Array.isArray(value) && value.length === 0),
  subject_transform: (_, value) => value !== null,
  republish: (_, value) => value !== null,
  subject_delete_marker_ttl: (...given) => whole('time.Duration')(...given) !== 0n,
  allow_msg_counter: flag,
  allow_atomic: flag,
  allow_msg_schedules: flag,
  allow_batched: flag,
  persist_mode: (decoding, value) => {
    const known = value === '' || value === 'default' || value === 'async';
    if (!known) decoding.noteUnknown(value);
    return value === 'async';
  },
};

/**
 * @param values each says what it says beside those before it
 * @param decoding remembers what is wrong
 */
export function readConfigRequest(values: Iterable<Parsed>, decoding: Decoding): ConfigRequest {
  const config: Record<string, unknown> = { ...noConfig };
  const unsupported: string[] = [];
  let pedantic = false;
  const fields: Record<string, (field: Parsed) => void> = {
    pedantic: (field) => {
      pedantic = decoding.flag(field, 'pedantic');
    },
  };
  for (const [name, read] of Object.entries(readers))
    fields[name] = (field) => {
      if (field !== null || readsNull.includes(name)) config[name] = read(decoding, field, name);
    };
  for (const [name, isAsked] of Object.entries(missing))
    fields[name] = (field) => {
      if (isAsked(decoding, field, name)) unsupported.push(name);
    };
  for (const value of values) decoding.object(value, '', 'StreamConfigRequest', fields);
  return { config: config as unknown as StreamConfig, pedantic, unsupported };
}

function readPlacement(decoding: Decoding, value: Parsed, path: string): Placement | null {
  let [cluster, preferred] = ['', ''];
  let tags: string[] = [];
  decoding.object(value, path, 'server.Placement', {
    cluster: (field) => {
      cluster = decoding.text(field, `${path}.cluster`);
    },
    tags: (field) => {
      tags = decoding.texts(field, `${path}.tags`);
    },
    preferred: (field) => {
      preferred = decoding.text(field, `${path}.preferred`);
    },
  });
  return cluster === '' && tags.length === 0 && preferred === '' ? null : { cluster, tags, preferred };
}

function readConsumerLimits(decoding: Decoding, value: Parsed, path: string): ConsumerLimits {
  const limits = { inactive_threshold: 0n, max_ack_pending: 0n };
  decoding.object(value, path, 'server.StreamConsumerLimits', {
    inactive_threshold: (field) => {
      limits.inactive_threshold = decoding.whole(field, `${path}.inactive_threshold`, 'time.Duration');
    },
    max_ack_pending: (field) => {
      limits.max_ack_pending = decoding.whole(field, `${path}.max_ack_pending`, 'int');
    },
  });
  return limits;
}

function readCompression(decoding: Decoding, value: Parsed): 'none' | 's2' {
  const name = decoding.loneText(value);
  if (name === 'none' || name === 's2') return name;
  decoding.note('unknown compression algorithm');
  return 'none';
}

/** Whether two configurations are the same for who asked for them. */
export function sameConfig(one: StreamConfig, other: StreamConfig): boolean {
  return comparable(one) === comparable(other);
}

function comparable(config: StreamConfig): string {
  const whole = { ...config, metadata: ownMetadata(config.metadata), placement: config.placement ?? undefined };
  return JSON.stringify(whole, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
}

/** @param server null where only what is stored is shown */
export function configJson(config: StreamConfig, server: ServerLevel | null): JsonObject {
  const { placement, consumer_limits } = config;
  return {
    name: config.name,
    description: config.description || undefined,
    subjects: config.subjects,
    retention: config.retention,
    max_consumers: config.max_consumers,
    max_msgs: config.max_msgs,
    max_bytes: config.max_bytes,
    max_age: config.max_age,
    max_msgs_per_subject: config.max_msgs_per_subject,
    max_msg_size: config.max_msg_size,
    discard: config.discard,
    storage: config.storage,
    num_replicas: config.num_replicas,
    no_ack: config.no_ack || undefined,
    duplicate_window: config.duplicate_window || undefined,
    placement: placement === null ? undefined : placementJson(placement),
    compression: config.compression,
    first_seq: config.first_seq || undefined,
    allow_direct: config.allow_direct,
    mirror_direct: config.mirror_direct,
    discard_new_per_subject: config.discard_new_per_subject || undefined,
    sealed: config.sealed,
    deny_delete: config.deny_delete,
    deny_purge: config.deny_purge,
    allow_rollup_hdrs: config.allow_rollup_hdrs,
    consumer_limits: {
      inactive_threshold: consumer_limits.inactive_threshold || undefined,
      max_ack_pending: consumer_limits.max_ack_pending || undefined,
    },
    allow_msg_ttl: config.allow_msg_ttl,
    metadata: writeMap(serverMetadata(config.metadata, server)),
  };
}

function placementJson({ cluster, tags, preferred }: Placement): Json {
  return {
    cluster: cluster || undefined,
    tags: tags.length === 0 ? undefined : tags,
    preferred: preferred || undefined,
  };
}
