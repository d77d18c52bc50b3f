import { byteText, latin1Bytes } from '../base/bytes.js';
import { sequenceStartMax, streamSubjectsMax } from '../base/limits.js';
import { OverlapTree } from '../protocol/overlapTree.js';
import { classifySubject } from '../protocol/subject.js';
import { ApiError, apiErrors, invalidConfig } from './api/apiError.js';
import { extensionProblem, placeOf } from './extensions.js';
import { storedMetadata } from './metadata.js';
import type { ConfigRequest, StreamConfig } from './streamConfig.js';

const second = 1_000_000_000n;
const durationMin = second / 10n;
const windowDefault = 120n * second;
const nameLengthMax = 255;
const descriptionBytesMax = 4096;
const metadataBytesMax = 131_072;
const replicasMax = 5n;
/** The level of the API that whoever uses such a stream needs. */
function levelNeeded({ allow_msg_ttl }: StreamConfig): number {
  return allow_msg_ttl ? 1 : 0;
}

/** Subjects that only a stream without acknowledgements may take, what of them any may, and how that is refused. */
const reserved: readonly (readonly [pattern: string, except: string, text: string])[] = [
  ...['$JS.>', '$JSC.>', '$NRG.>'].map(
    (api) => [api, '$JS.EVENT.>', 'subjects that overlap with jetstream api require no-ack to be true'] as const,
  ),
  ['$SYS.>', '$SYS.ACCOUNT.>', 'subjects that overlap with system api require no-ack to be true'],
];

const pedanticError = (text: string): ApiError => new ApiError(400, 10157, `pedantic mode: ${text}`);

/** Whether a text may be a stream's name. */
export function isStreamName(name: string): boolean {
  return name !== '' && name.length <= nameLengthMax && !/[.*>/\\ \t\r\n\f]/.test(name);
}

/**
 * What a stream is configured like that somebody asks for: all defaults filled in.
 *
 * @throws ApiError for what is not allowed, the first of it in nats-server's order
 */
export function effectiveConfig({ config, pedantic, unsupported }: ConfigRequest): StreamConfig {
  checkTexts(config);
  const filled = {
    ...config,
    ...filledLimits(config, pedantic),
    metadata: storedMetadata(config.metadata, levelNeeded(config)),
  };
  const windowed = { ...filled, duplicate_window: filledWindow(filled, pedantic) };
  checkDurations(windowed);
  checkPolicies(windowed);
  const subjects = windowed.subjects.length === 0 ? [windowed.name] : windowed.subjects;
  checkSubjects(subjects, windowed.no_ack);
  if (config.first_seq > BigInt(sequenceStartMax))
    throw invalidConfig(`first sequence is too large, maximum allowed is ${sequenceStartMax}`);
  if (config.placement?.preferred) throw invalidConfig('preferred server not permitted in placement');
  if (unsupported.length > 0) throw invalidConfig(`${unsupported.join(', ')} is not supported by this server yet`);
  return { ...windowed, subjects };
}

function checkTexts(config: StreamConfig): void {
  const { name, description, metadata, storage } = config;
  if (name.length > nameLengthMax) throw invalidConfig(`stream name is too long, maximum allowed is ${nameLengthMax}`);
  if (!isStreamName(name)) throw invalidConfig(`stream name is required and can not contain '.', '*', '>', '\\', '/'`);
  if (Buffer.byteLength(description) > descriptionBytesMax)
    throw invalidConfig(`stream description is too long, maximum allowed is ${descriptionBytesMax}`);
  let metadataBytes = 0;
  for (const [key, value] of storedMetadata(metadata, levelNeeded(config)))
    metadataBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  if (metadataBytes > metadataBytesMax)
    throw invalidConfig(`stream metadata exceeds maximum size of ${metadataBytesMax} bytes`);
  const problem = extensionProblem({ metadata, storage });
  if (problem !== null) throw invalidConfig(problem);
}

const countFields = ['max_msgs', 'max_msgs_per_subject', 'max_bytes', 'max_msg_size', 'max_consumers'] as const;

function filledLimits(
  config: StreamConfig,
  pedantic: boolean,
): Pick<StreamConfig, (typeof countFields)[number] | 'num_replicas'> {
  if (config.num_replicas > replicasMax) throw invalidConfig(`maximum replicas is ${replicasMax}`);
  if (config.num_replicas < 0n) throw apiErrors.negativeReplicas;
  const count = (field: (typeof countFields)[number]): bigint => {
    if (config[field] > 0n || config[field] === -1n) return config[field];
    if (pedantic && config[field] < -1n) throw pedanticError(`${field} must be set to -1`);
    return -1n;
  };
  return {
    num_replicas: config.num_replicas || 1n,
    max_msgs: count('max_msgs'),
    max_msgs_per_subject: count('max_msgs_per_subject'),
    max_bytes: count('max_bytes'),
    max_msg_size: count('max_msg_size'),
    max_consumers: count('max_consumers'),
  };
}

function filledWindow({ duplicate_window: given, max_age: age }: StreamConfig, pedantic: boolean): bigint {
  if (given !== 0n) return given;
  if (age < durationMin || age >= windowDefault) return windowDefault;
  if (pedantic) throw pedanticError('duplicate window cannot be bigger than max age');
  return age;
}

function checkDurations({ max_age: age, duplicate_window: window }: StreamConfig): void {
  if (age < 0n) throw invalidConfig('max age can not be negative');
  if (age > 0n && age < durationMin) throw invalidConfig('max age needs to be >= 100ms');
  if (window < 0n) throw invalidConfig('duplicates window can not be negative');
  if (age > 0n && window > age) throw invalidConfig('duplicates window can not be larger then max age');
  if (window > 0n && window < durationMin) throw invalidConfig('duplicates window needs to be >= 100ms');
}

function checkPolicies(config: StreamConfig): void {
  if (config.deny_purge && config.allow_rollup_hdrs) throw invalidConfig('roll-ups require the purge permission');
  if (!config.discard_new_per_subject) return;
  if (config.discard !== 'new') throw invalidConfig('discard new per subject requires discard new policy to be set');
  if (config.max_msgs_per_subject <= 0n)
    throw invalidConfig('discard new per subject requires max msgs per subject > 0');
}

function checkSubjects(subjects: readonly string[], noAck: boolean): void {
  if (subjects.length > streamSubjectsMax)
    throw invalidConfig(`too many subjects, maximum allowed is ${streamSubjectsMax}`);
  const earlier = new OverlapTree(false);
  for (const [i, subject] of subjects.entries()) {
    const bytes = latin1Bytes(byteText(subject));
    if (classifySubject(bytes, 0, bytes.length) === 'invalid') throw invalidConfig('invalid subject');
    if (!noAck) checkReserved(byteText(subject));
    if (earlier.overlapping(subject, '') !== null) throw overlapping(subjects, i);
    earlier.add(subject);
  }
}

/** The first that overlaps is named. */
function overlapping(subjects: readonly string[], index: number): ApiError {
  const subject = subjects[index] as string;
  const first = subjects.find((other) => subjectsMeet(other, subject));
  return invalidConfig(`subject ${JSON.stringify(first)} overlaps with ${JSON.stringify(subject)}`);
}

function checkReserved(subject: string): void {
  if (subject === '>') throw invalidConfig('capturing all subjects requires no-ack to be true');
  for (const [pattern, except, text] of reserved)
    if (subjectsMeet(pattern, subject) && !isWithin(subject, except)) throw invalidConfig(text);
}

/** Whether a pattern takes nothing beyond what `prefix.>` does. */
function isWithin(subject: string, pattern: string): boolean {
  return subject.startsWith(pattern.slice(0, -1));
}

/** Whether two patterns have a subject in common; here `$` hides nothing from a wildcard. */
export function subjectsMeet(one: string, other: string): boolean {
  const ones = one.split('.');
  const others = other.split('.');
  for (let i = 0; i < ones.length && i < others.length; i++) {
    if (ones[i] === '>' || others[i] === '>') return true;
    if (ones[i] !== others[i] && ones[i] !== '*' && others[i] !== '*') return false;
  }
  return ones.length === others.length;
}

/** @throws ApiError for more copies than a server alone can have; later than what else is not allowed */
export function checkReplicas({ num_replicas }: StreamConfig): void {
  if (num_replicas > 1n) throw apiErrors.replicas;
}

/**
 * What a stream becomes that is to be configured otherwise.
 *
 * @param wanted as `effectiveConfig` has filled it in
 * @throws ApiError for what cannot be changed
 */
export function updatedConfig(current: StreamConfig, wanted: StreamConfig): StreamConfig {
  const refuse = (what: string): never => {
    throw invalidConfig(what);
  };
  checkReplicas(wanted);
  if (wanted.name !== current.name) refuse('stream configuration name must match original');
  if (wanted.storage !== current.storage) refuse('stream configuration update can not change storage type');
  if (placeOf(wanted) !== placeOf(current))
    refuse('stream configuration update can not change shardcast.sync to or from always');
  const isQueue = [current, wanted].filter(({ retention }) => retention === 'workqueue').length;
  if (isQueue === 1) refuse('stream configuration update can not change retention policy to/from workqueue');
  if (current.sealed && !wanted.sealed) refuse('stream configuration update can not unseal a sealed stream');
  if (current.deny_delete && !wanted.deny_delete)
    refuse('stream configuration update can not cancel deny message deletes');
  if (current.deny_purge && !wanted.deny_purge) refuse('stream configuration update can not cancel deny purge');
  if (current.allow_msg_ttl && !wanted.allow_msg_ttl) refuse('message TTL status can not be disabled');
  const updated = { ...wanted, first_seq: wanted.first_seq };
  return updated.sealed ? sealedConfig(updated) : updated;
}

function sealedConfig(config: StreamConfig): StreamConfig {
  return { ...config, max_age: 0n, discard: 'new', deny_delete: true, deny_purge: true, allow_rollup_hdrs: false };
}
