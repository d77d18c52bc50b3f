import type { Decoding } from './api/decoding.js';
import { choice, flag, type Reader, readText, whole } from './api/fieldReaders.js';
import { type JsonObject, type Parsed, writeJson, writeMap } from './api/json.js';
import { ownMetadata, type ServerLevel, serverMetadata } from './metadata.js';

export type DeliverPolicy = 'all' | 'last' | 'new' | 'by_start_sequence' | 'by_start_time' | 'last_per_subject';
export type AckPolicy = 'none' | 'all' | 'explicit' | 'flow_control';
export type ReplayPolicy = 'instant' | 'original';
export type PriorityPolicy = 'none' | 'overflow' | 'pinned_client' | 'prioritized';
/** What a request is to do: make a consumer, change one, or the one of the two that goes. */
export type ConsumerAction = 'create' | 'update' | '';

/** A moment as it was given, and in microseconds since 1970. */
export interface Moment {
  readonly text: string;
  readonly timeUs: number;
}

/** How a consumer is configured, in NATS's names and units: durations in nanoseconds, '' and null are not given. */
export interface ConsumerConfig {
  readonly durable_name: string;
  readonly name: string;
  readonly description: string;
  readonly deliver_policy: DeliverPolicy;
  readonly opt_start_seq: bigint;
  readonly opt_start_time: Moment | null;
  readonly ack_policy: AckPolicy;
  readonly ack_wait: bigint;
  readonly max_deliver: bigint;
  readonly backoff: readonly bigint[];
  readonly filter_subject: string;
  readonly filter_subjects: readonly string[];
  readonly replay_policy: ReplayPolicy;
  readonly rate_limit_bps: bigint;
  readonly sample_freq: string;
  readonly max_waiting: bigint;
  readonly max_ack_pending: bigint;
  readonly flow_control: boolean;
  readonly headers_only: boolean;
  readonly max_batch: bigint;
  readonly max_expires: bigint;
  readonly max_bytes: bigint;
  readonly deliver_subject: string;
  readonly deliver_group: string;
  readonly idle_heartbeat: bigint;
  readonly inactive_threshold: bigint;
  readonly num_replicas: bigint;
  readonly mem_storage: boolean;
  readonly direct: boolean;
  readonly sourcing: boolean;
  readonly metadata: ReadonlyMap<string, string>;
  readonly pause_until: Moment | null;
  readonly priority_groups: readonly string[];
  readonly priority_policy: PriorityPolicy;
  readonly priority_timeout: bigint;
}

/** A consumer as somebody asks for it. */
export interface ConsumerRequest {
  readonly stream: string;
  readonly config: ConsumerConfig;
  readonly action: ConsumerAction;
  /** Whether nothing may be filled in silently. */
  readonly pedantic: boolean;
}

const noConfig: ConsumerConfig = {
  durable_name: '',
  name: '',
  description: '',
  deliver_policy: 'all',
  opt_start_seq: 0n,
  opt_start_time: null,
  ack_policy: 'none',
  ack_wait: 0n,
  max_deliver: 0n,
  backoff: [],
  filter_subject: '',
  filter_subjects: [],
  replay_policy: 'instant',
  rate_limit_bps: 0n,
  sample_freq: '',
  max_waiting: 0n,
  max_ack_pending: 0n,
  flow_control: false,
  headers_only: false,
  max_batch: 0n,
  max_expires: 0n,
  max_bytes: 0n,
  deliver_subject: '',
  deliver_group: '',
  idle_heartbeat: 0n,
  inactive_threshold: 0n,
  num_replicas: 0n,
  mem_storage: false,
  direct: false,
  sourcing: false,
  metadata: new Map(),
  pause_until: null,
  priority_groups: [],
  priority_policy: 'none',
  priority_timeout: 0n,
};

const deliverPolicies = ['last', 'new', 'by_start_sequence', 'by_start_time', 'last_per_subject'] as const;
const duration = whole('time.Duration');
const int = whole('int');
const texts: Reader<string[]> = (decoding, value, path) => decoding.texts(value, path);
const moment: Reader<Moment | null> = (decoding, value, path) => {
  const timeUs = decoding.time(value, path);
  return { text: typeof value === 'string' ? value : '', timeUs };
};

const readers: { readonly [K in keyof ConsumerConfig]: Reader<ConsumerConfig[K]> } = {
  durable_name: readText,
  name: readText,
  description: readText,
  deliver_policy: (decoding, value, path) =>
    choice<DeliverPolicy>('all', ...deliverPolicies)(decoding, value === 'undefined' ? 'all' : value, path),
  opt_start_seq: whole('uint64'),
  opt_start_time: moment,
  ack_policy: choice<AckPolicy>('none', 'all', 'explicit', 'flow_control'),
  ack_wait: duration,
  max_deliver: int,
  backoff: (decoding, value, path) => decoding.wholes(value, path, 'time.Duration'),
  filter_subject: readText,
  filter_subjects: texts,
  replay_policy: choice<ReplayPolicy>('instant', 'original'),
  rate_limit_bps: whole('uint64'),
  sample_freq: readText,
  max_waiting: int,
  max_ack_pending: int,
  flow_control: flag,
  headers_only: flag,
  max_batch: int,
  max_expires: duration,
  max_bytes: int,
  deliver_subject: readText,
  deliver_group: readText,
  idle_heartbeat: duration,
  inactive_threshold: duration,
  num_replicas: int,
  mem_storage: flag,
  direct: flag,
  sourcing: flag,
  metadata: (decoding, value, path) => decoding.textMap(value, path),
  pause_until: moment,
  priority_groups: texts,
  priority_policy: (decoding, value) =>
    word<PriorityPolicy>(decoding, value, ['none', 'overflow', 'pinned_client', 'prioritized'], 'priority policy'),
  priority_timeout: duration,
};

/** Fields that a null does not leave as they are: it is none of their words. */
const readsNull: readonly string[] = ['deliver_policy', 'ack_policy', 'replay_policy', 'priority_policy'];

/** One of some words; what is none of them is called by what it should be. */
function word<T extends string>(decoding: Decoding, value: Parsed, words: readonly [T, ...T[]], what: string): T {
  const found = words.find((each) => each === value);
  if (found === undefined) decoding.note(`unknown ${what}: ${writeJson(value)}`);
  return found ?? words[0];
}

/**
 * @param values each says what it says beside those before it
 * @param decoding remembers what is wrong
 */
export function readConsumerRequest(values: Iterable<Parsed>, decoding: Decoding): ConsumerRequest {
  const config: Record<string, unknown> = { ...noConfig };
  const request = { stream: '', action: '' as ConsumerAction, pedantic: false };
  const configFields = fieldsInto(config, decoding, 'config.');
  const fields = {
    stream_name: (field: Parsed) => {
      request.stream = decoding.text(field, 'stream_name') ?? '';
    },
    config: (field: Parsed) => decoding.object(field, 'config', 'server.ConsumerConfig', configFields),
    action: (field: Parsed) => {
      request.action = word<ConsumerAction>(decoding, field, ['', 'create', 'update'], 'consumer action');
    },
    pedantic: (field: Parsed) => {
      request.pedantic = decoding.flag(field, 'pedantic') ?? false;
    },
  };
  for (const value of values) decoding.object(value, '', 'CreateConsumerRequest', fields);
  return { ...request, config: config as unknown as ConsumerConfig };
}

/** Reads a configuration as it is kept. */
export function readConsumerConfig(value: Parsed, decoding: Decoding): ConsumerConfig {
  const config: Record<string, unknown> = { ...noConfig };
  decoding.object(value, '', 'ConsumerConfig', fieldsInto(config, decoding, ''));
  return config as unknown as ConsumerConfig;
}

function fieldsInto(
  config: Record<string, unknown>,
  decoding: Decoding,
  path: string,
): Record<string, (field: Parsed) => void> {
  const fields = Object.entries(readers).map(([name, read]) => [
    name,
    (field: Parsed) => {
      if (field !== null || readsNull.includes(name)) config[name] = read(decoding, field, `${path}${name}`);
    },
  ]);
  return Object.fromEntries(fields);
}

/** Whether two configurations are the same for who asked for them: but for when a consumer is paused, and what the server says in metadata. */
export function sameConsumer(one: ConsumerConfig, other: ConsumerConfig): boolean {
  return comparable(one) === comparable(other);
}

function comparable(config: ConsumerConfig): string {
  const { opt_start_time, metadata } = config;
  return JSON.stringify(
    { ...config, pause_until: null, opt_start_time: opt_start_time?.timeUs, metadata: ownMetadata(metadata) },
    (_, value) => (typeof value === 'bigint' ? `${value}` : value),
  );
}

/** The least level of the API that a client needs to know for a consumer, as it was asked for. */
export function levelOf(config: ConsumerConfig): number {
  if (config.ack_policy === 'flow_control') return 4;
  const { pause_until, priority_policy, priority_groups, priority_timeout } = config;
  const isGrouped = priority_policy !== 'none' || priority_groups.length > 0 || priority_timeout !== 0n;
  return pause_until !== null || isGrouped ? 1 : 0;
}

/** @param server null where only what is stored is shown */
export function consumerJson(config: ConsumerConfig, server: ServerLevel | null): JsonObject {
  const list = <T>(values: readonly T[]): readonly T[] | undefined => (values.length === 0 ? undefined : values);
  return {
    durable_name: config.durable_name || undefined,
    name: config.name || undefined,
    description: config.description || undefined,
    deliver_policy: config.deliver_policy,
    opt_start_seq: config.opt_start_seq || undefined,
    opt_start_time: config.opt_start_time?.text,
    ack_policy: config.ack_policy,
    ack_wait: config.ack_wait || undefined,
    max_deliver: config.max_deliver || undefined,
    backoff: list(config.backoff),
    filter_subject: config.filter_subject || undefined,
    filter_subjects: list(config.filter_subjects),
    replay_policy: config.replay_policy,
    rate_limit_bps: config.rate_limit_bps || undefined,
    sample_freq: config.sample_freq || undefined,
    max_waiting: config.max_waiting || undefined,
    max_ack_pending: config.max_ack_pending || undefined,
    flow_control: config.flow_control || undefined,
    headers_only: config.headers_only || undefined,
    max_batch: config.max_batch || undefined,
    max_expires: config.max_expires || undefined,
    max_bytes: config.max_bytes || undefined,
    deliver_subject: config.deliver_subject || undefined,
    deliver_group: config.deliver_group || undefined,
    idle_heartbeat: config.idle_heartbeat || undefined,
    inactive_threshold: config.inactive_threshold || undefined,
    num_replicas: config.num_replicas,
    mem_storage: config.mem_storage || undefined,
    direct: config.direct || undefined,
    sourcing: config.sourcing || undefined,
    metadata: writeMap(serverMetadata(config.metadata, server)),
    pause_until: config.pause_until?.text,
    priority_groups: list(config.priority_groups),
    priority_policy: config.priority_policy === 'none' ? undefined : config.priority_policy,
    priority_timeout: config.priority_timeout || undefined,
  };
}
