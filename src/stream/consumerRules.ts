import { byteText, latin1Bytes } from '../base/bytes.js';
import { OverlapTree } from '../protocol/overlapTree.js';
import { classifySubject, isWildcardSubject } from '../protocol/subject.js';
import { ApiError, apiErrors, invalidConfig } from './api/apiError.js';
import { subjectsMeet } from './configRules.js';
import { type ConsumerConfig, type ConsumerRequest, levelOf } from './consumerConfig.js';
import { storedMetadata } from './metadata.js';
import type { StreamConfig } from './streamConfig.js';

const millisecond = 1_000_000n;
const second = 1000n * millisecond;
const flowHeartbeat = second;
const heartbeatMin = 100n * millisecond;
const waitingDefault = 512n;
const ackWaitDefault = 30n * second;
const ackPendingDefault = 1000n;
const pinDefault = 120n * second;
const ephemeralThreshold = 5n * second;
const nameLengthMax = 255;
const descriptionBytesMax = 4096;
const metadataBytesMax = 131_072;
const groupPattern = /^[a-zA-Z0-9/_=-]{1,16}$/;

const refusal =
  (errCode: number) =>
  (description: string): ApiError =>
    new ApiError(400, errCode, description);
const pedanticError = (text: string): ApiError => refusal(10157)(`pedantic mode: ${text}`);

/** Whether a text may be a consumer's name. */
function isConsumerName(name: string): boolean {
  return name !== '' && !/[.*>/\\ \t\r\n\f]/.test(name);
}

/** Whether somebody takes what a consumer delivers of its own accord; else its messages are asked for. */
export function isPush({ deliver_subject }: ConsumerConfig): boolean {
  return deliver_subject !== '';
}

/** What a consumer takes of its stream; none is everything. */
export function filtersOf({ filter_subject, filter_subjects }: ConsumerConfig): readonly string[] {
  return filter_subject === '' ? filter_subjects : [filter_subject];
}

export function sameFilters(one: ConsumerConfig, other: ConsumerConfig): boolean {
  return filtersOf(one).join(' ') === filtersOf(other).join(' ');
}

/**
 * What a consumer is configured like that somebody asks for: all defaults filled in.
 *
 * @throws ApiError for what is not allowed, the first of it in nats-server's order
 */
export function effectiveConsumer(request: ConsumerRequest, stream: StreamConfig): ConsumerConfig {
  if (request.config.num_replicas > 1n) throw apiErrors.replicas;
  const filled = filledIn(request, stream);
  checkNames(filled);
  checkCopies(filled, stream);
  checkTimes(filled);
  checkFlowPolicy(filled);
  if (filled.backoff.length > 0 && filled.max_deliver !== -1n && BigInt(filled.backoff.length) > filled.max_deliver)
    throw refusal(10116)('max deliver is required to be > length of backoff values');
  if (Buffer.byteLength(filled.description) > descriptionBytesMax)
    throw refusal(10107)(`consumer description is too long, maximum allowed is ${descriptionBytesMax}`);
  if (isPush(filled)) checkPush(filled, stream);
  else checkPull(filled, stream);
  checkLimits(filled, stream);
  checkFilters(filled);
  checkStart(filled);
  checkSampling(filled);
  if (filled.flow_control && filled.idle_heartbeat === 0n)
    throw refusal(10108)('consumer with flow control also needs heartbeats');
  if (filled.durable_name !== '' && filled.name !== '' && filled.durable_name !== filled.name)
    throw refusal(10132)('Consumer Durable and Name have to be equal if both are provided');
  checkMetadata(filled);
  checkGroups(filled);
  return {
    ...filled,
    name: filled.name || filled.durable_name,
    metadata: storedMetadata(filled.metadata, levelOf(request.config)),
  };
}

/** Fields that are something else where they are below that, in nats-server's order. */
const least = [
  ['max_deliver', -1n],
  ['max_waiting', 0n],
  ['max_ack_pending', -1n],
  ['max_batch', 0n],
  ['max_expires', 0n],
  ['max_bytes', 0n],
  ['idle_heartbeat', 0n],
  ['inactive_threshold', 0n],
  ['priority_timeout', 0n],
] as const;

function filledIn({ config, pedantic }: ConsumerRequest, { consumer_limits }: StreamConfig): ConsumerConfig {
  const filled: { -readonly [K in keyof ConsumerConfig]: ConsumerConfig[K] } = { ...config };
  for (const [field, min] of least) {
    if (filled[field] >= min) continue;
    if (pedantic) throw pedanticError(min < 0n ? `${field} must be set to -1` : `${field} must not be negative`);
    filled[field] = min;
  }
  if (!isPush(filled) && filled.max_waiting === 0n) filled.max_waiting = waitingDefault;
  if (filled.max_deliver === 0n) filled.max_deliver = -1n;
  const [firstWait] = filled.backoff;
  if (firstWait !== undefined) {
    if (pedantic && filled.ack_wait !== firstWait)
      throw pedanticError('first backoff value has to equal batch AckWait');
    filled.ack_wait = firstWait;
  }
  if (filled.ack_policy === 'flow_control' && !pedantic) {
    filled.flow_control = true;
    if (filled.idle_heartbeat === 0n) filled.idle_heartbeat = flowHeartbeat;
  }
  const acks = filled.ack_policy === 'all' || filled.ack_policy === 'explicit';
  if (acks && filled.ack_wait === 0n) filled.ack_wait = ackWaitDefault;
  for (const field of ['max_ack_pending', 'inactive_threshold'] as const) {
    if (filled[field] !== 0n || consumer_limits[field] === 0n) continue;
    if (pedantic) throw pedanticError(`${field} must be set if it's configured in stream limits`);
    filled[field] = consumer_limits[field];
  }
  if (filled.ack_policy !== 'none' && filled.max_ack_pending === 0n) filled.max_ack_pending = ackPendingDefault;
  if (filled.priority_policy === 'pinned_client' && filled.priority_timeout === 0n)
    filled.priority_timeout = pinDefault;
  if (filled.durable_name === '' && filled.inactive_threshold === 0n) filled.inactive_threshold = ephemeralThreshold;
  return filled;
}

function checkNames({ name, durable_name }: ConsumerConfig): void {
  const forbidden = "can not contain '.', '*', '>', '\\', '/'";
  if (durable_name.length > nameLengthMax)
    throw refusal(10102)(`consumer name is too long, maximum allowed is ${nameLengthMax}`);
  if (name.length > nameLengthMax) throw new ApiError(500, 10012, 'error creating store for consumer');
  if (durable_name !== '' && !isConsumerName(durable_name)) throw invalidConfig(`consumer durable name ${forbidden}`);
  if (name !== '' && !isConsumerName(name)) throw invalidConfig(`consumer name ${forbidden}`);
}

function checkCopies({ num_replicas }: ConsumerConfig, stream: StreamConfig): void {
  if (num_replicas > 0n && num_replicas > stream.num_replicas)
    throw refusal(10126)('consumer config replica count exceeds parent stream');
  if (num_replicas < 0n) throw apiErrors.negativeReplicas;
}

function checkTimes({ backoff, ack_wait }: ConsumerConfig): void {
  if (backoff.some((wait) => wait < 0n)) throw refusal(10184)('consumer backoff needs to be positive');
  if (ack_wait < 0n) throw refusal(10183)('consumer ack wait needs to be positive');
}

function checkFlowPolicy(config: ConsumerConfig): void {
  if (config.ack_policy !== 'flow_control') return;
  const requires = (errCode: number, what: string): ApiError =>
    refusal(errCode)(`flow control ack policy requires ${what}`);
  if (!isPush(config)) throw requires(10218, 'a push based consumer');
  if (!config.flow_control) throw requires(10219, 'flow control');
  if (config.max_ack_pending <= 0n) throw requires(10220, 'max ack pending');
  if (config.ack_wait !== 0n) throw requires(10221, 'unset ack wait');
  if (config.max_deliver > 0n) throw requires(10222, 'unset max deliver');
}

function checkPush(config: ConsumerConfig, { subjects }: StreamConfig): void {
  const subject = byteText(config.deliver_subject);
  if (isWildcardSubject(subject)) throw refusal(10079)('consumer deliver subject has wildcards');
  if (!isSubject(subject)) throw refusal(10112)('invalid push consumer deliver subject');
  if (subjects.some((each) => subjectsMeet(byteText(each), subject)))
    throw refusal(10081)('consumer deliver subject forms a cycle');
  if (config.max_waiting !== 0n) throw refusal(10080)('consumer in push mode can not set max waiting');
  if (config.max_ack_pending > 0n && config.ack_policy === 'none')
    throw refusal(10082)('consumer requires ack policy for max ack pending');
  if (config.idle_heartbeat > 0n && config.idle_heartbeat < heartbeatMin)
    throw refusal(10083)('consumer idle heartbeat needs to be >= 100ms');
}

function checkPull(config: ConsumerConfig, { retention }: StreamConfig): void {
  if (config.ack_policy === 'none' && retention === 'workqueue')
    throw refusal(10084)('consumer in pull mode requires explicit ack policy on workqueue stream');
  if (config.rate_limit_bps > 0n) throw refusal(10086)('consumer in pull mode can not have rate limit set');
  if (config.idle_heartbeat > 0n) throw refusal(10088)('consumer idle heartbeat requires a push based consumer');
  if (config.flow_control) throw refusal(10089)('consumer flow control requires a push based consumer');
  if (config.max_expires !== 0n && config.max_expires < millisecond)
    throw refusal(10115)('consumer max request expires needs to be >= 1ms');
}

function checkLimits(config: ConsumerConfig, { consumer_limits }: StreamConfig): void {
  const { max_ack_pending: pending, inactive_threshold: threshold } = consumer_limits;
  if (pending > 0n && config.max_ack_pending > pending)
    throw refusal(10121)(`consumer max ack pending exceeds system limit of ${pending}`);
  if (threshold > 0n && config.inactive_threshold > threshold)
    throw refusal(10153)(`consumer inactive threshold exceeds system limit of ${goDuration(threshold)}`);
  if (!config.direct) return;
  if (!isPush(config)) throw refusal(10090)('consumer direct requires a push based consumer');
  if (config.durable_name !== '') throw refusal(10091)('consumer direct requires an ephemeral consumer');
}

function checkFilters({ filter_subject, filter_subjects }: ConsumerConfig): void {
  if (filter_subject !== '' && filter_subjects.length > 0)
    throw refusal(10136)('consumer cannot have both FilterSubject and FilterSubjects specified');
  if (filter_subject !== '' && !isSubject(byteText(filter_subject))) throw invalidConfig('invalid subject');
  for (const subject of filter_subjects) {
    if (subject === '') throw refusal(10139)('consumer filter in FilterSubjects cannot be empty');
    if (!isSubject(byteText(subject))) throw invalidConfig('invalid subject');
  }
  const earlier = new OverlapTree(false);
  for (const subject of filter_subjects) {
    if (earlier.overlapping(subject, '') !== null) throw refusal(10138)('consumer subject filters cannot overlap');
    earlier.add(subject);
  }
}

/** What each policy is called, and what says where it begins; the others have to be left out. */
const starts = {
  all: ['all', null],
  last: ['last', null],
  last_per_subject: ['last per subject', 'filter subject'],
  new: ['new', null],
  by_start_sequence: ['by start sequence', 'start sequence'],
  by_start_time: ['by start time', 'start time'],
} as const;

function checkStart(config: ConsumerConfig): void {
  const [name, needed] = starts[config.deliver_policy];
  const policy = `consumer delivery policy is deliver ${name}, but optional`;
  const given = {
    'start sequence': config.opt_start_seq > 0n,
    'start time': config.opt_start_time !== null,
    'filter subject': filtersOf(config).length > 0,
  };
  if (needed === 'start time') {
    if (!given['start time']) throw refusal(10094)(`${policy} start time is not set`);
    if (given['start sequence']) throw refusal(10094)(`${policy} start start sequence is also set`);
    return;
  }
  if (needed === 'start sequence' && !given['start sequence'])
    throw refusal(10094)(`${policy} start sequence is not set`);
  if (needed !== 'start sequence' && given['start sequence'])
    throw refusal(10094)(`${policy} start sequence is also set`);
  if (given['start time']) throw refusal(10094)(`${policy} start time is also set`);
  if (needed === 'filter subject' && !given[needed]) throw refusal(10094)(`${policy} filter subject is not set`);
}

function checkSampling({ sample_freq }: ConsumerConfig): void {
  if (sample_freq === '') return;
  const text = sample_freq.replace(/%$/, '');
  const failed = refusal(10095);
  const problem = 'failed to parse consumer sampling configuration:';
  if (!/^[+-]?\d+$/.test(text))
    throw failed(`${problem} strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (Number(text) < 0) throw failed(`${problem} <nil>`);
}

function checkMetadata({ metadata }: ConsumerConfig): void {
  let bytes = 0;
  for (const [key, value] of metadata) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  if (bytes > metadataBytesMax) throw refusal(10135)('consumer metadata exceeds maximum size of 128KB');
}

function checkGroups(config: ConsumerConfig): void {
  const { priority_groups: groups, priority_policy: policy } = config;
  if (policy === 'none') {
    if (groups.length > 0) throw refusal(10196)('consumer can not have priority groups when policy is none');
    if (config.priority_timeout !== 0n) throw refusal(10197)('PinnedTTL cannot be set when PriorityPolicy is none');
    return;
  }
  if (isPush(config)) throw refusal(10178)('priority groups can not be used with push consumers');
  if (groups.length === 0) throw refusal(10159)('Setting PriorityPolicy requires at least one PriorityGroup to be set');
  for (const group of groups) {
    if (group === '') throw refusal(10161)('Group name cannot be an empty string');
    checkGroupName(group);
  }
}

/** @throws ApiError for what no group can be called */
export function checkGroupName(group: string): void {
  if (groupPattern.test(group)) return;
  throw refusal(10162)('Valid priority group name must match A-Z, a-z, 0-9, -_/=)+ and may not exceed 16 characters');
}

/** What a consumer's stream says of it, and the other consumers of that, which are there. @throws ApiError */
export function checkBeside(config: ConsumerConfig, stream: StreamConfig, others: Iterable<ConsumerConfig>): void {
  if (stream.retention !== 'workqueue' || config.direct) return;
  if (config.ack_policy !== 'explicit') throw refusal(10098)('workqueue stream requires explicit ack');
  if (config.deliver_policy !== 'all') throw refusal(10101)('consumer must be deliver all on workqueue stream');
  const filters = filtersOf(config);
  const own = new OverlapTree(false);
  for (const filter of filters) own.add(filter);
  let any = false;
  let meets = false;
  for (const other of others) {
    any = true;
    const theirs = filtersOf(other);
    meets ||= theirs.length === 0 || theirs.some((each) => own.overlapping(each, '') !== null);
  }
  if (any && filters.length === 0)
    throw refusal(10099)('multiple non-filtered consumers not allowed on workqueue stream');
  if (meets) throw refusal(10100)('filtered consumer not unique on workqueue stream');
}

/** What cannot be changed, and how that is called. */
const fixed = [
  ['deliver_policy', 'deliver policy'],
  ['mem_storage', 'storage type'],
  ['opt_start_seq', 'start sequence'],
  ['opt_start_time', 'start time'],
  ['ack_policy', 'ack policy'],
  ['replay_policy', 'replay policy'],
  ['idle_heartbeat', 'heart beats'],
  ['flow_control', 'flow control'],
] as const;

const rest = [
  ['max_waiting', 'max waiting'],
  ['direct', 'direct'],
  ['sourcing', 'sourcing'],
] as const;

/**
 * What a consumer becomes that is to be configured otherwise.
 *
 * @param wanted as `effectiveConsumer` has filled it in
 * @throws ApiError for what cannot be changed
 */
export function updatedConsumer(current: ConsumerConfig, wanted: ConsumerConfig): ConsumerConfig {
  const refuse = (what: string): never => {
    throw new ApiError(500, 10012, what);
  };
  const check = ([field, name]: readonly [keyof ConsumerConfig, string]): void => {
    const value = (config: ConsumerConfig) =>
      field === 'opt_start_time' ? config.opt_start_time?.timeUs : config[field];
    if (value(current) !== value(wanted)) refuse(`${name} can not be updated`);
  };
  for (const each of fixed) check(each);
  if (isPush(wanted) && !isPush(current)) refuse('can not update pull consumer to push based');
  if (!isPush(wanted) && isPush(current)) refuse('can not update push consumer to pull based');
  for (const each of rest) check(each);
  const updated = { ...wanted, pause_until: current.pause_until };
  return { ...updated, metadata: storedMetadata(updated.metadata, levelOf(updated)) };
}

function isSubject(subject: string): boolean {
  const bytes = latin1Bytes(subject);
  return classifySubject(bytes, 0, bytes.length) !== 'invalid';
}

/** A duration as Go writes it. */
export function goDuration(nanoseconds: bigint): string {
  const whole = (value: bigint, unit: bigint): string => `${Number(value) / Number(unit)}`;
  if (nanoseconds < 1000n) return `${nanoseconds}ns`;
  if (nanoseconds < millisecond) return `${whole(nanoseconds, 1000n)}µs`;
  if (nanoseconds < second) return `${whole(nanoseconds, millisecond)}ms`;
  const minutes = nanoseconds / (60n * second);
  const seconds = `${whole(nanoseconds % (60n * second), second)}s`;
  if (minutes === 0n) return seconds;
  const hours = minutes / 60n;
  return hours === 0n ? `${minutes}m${seconds}` : `${hours}h${minutes % 60n}m${seconds}`;
}
