import { byteText } from '../../base/bytes.js';
import { deliveryOptionsLengthMax, lingerUsMax } from '../../base/limits.js';
import { parsePolicy, type SlowPolicy } from '../../base/policy.js';
import { readWork, termNames, type WorkTerms, whyNoDeadLetter, whyNoDrops } from '../../protocol/workTerms.js';

/** How a connection's deliveries are collected before they are sent. */
export interface Linger {
  /** How long the first of them waits, in microseconds. */
  readonly lingerUs: number;
  /** Bytes and messages at which they go before that. */
  readonly maxBytes: number;
  readonly maxMessages: number;
}

/** What a client asks for beyond what NATS knows, for a subscription or for all of a connection. */
export interface DeliveryOptions {
  /** What becomes of messages while it is slow; null leaves that to the connection. */
  readonly slow: SlowPolicy | null;
  /** Whether it wants to hear how many messages it lost. */
  readonly notice: boolean;
  /** Whether it wants the last message of each subject first. */
  readonly last: boolean;
  /** What it asks for as a member of a group that acknowledges; null when it does not. */
  readonly work: WorkTerms | null;
  /** Where what its policy drops goes, one character a byte; '' where that is gone. */
  readonly deadLetter: string;
}

/** Delivery options, and what they are for. */
export interface OptionsRequest {
  /** The subscription subject it is for, or null. */
  readonly subject: string | null;
  /** Only those of this queue group; null for any, '' for none. */
  readonly queue: string | null;
  /** The one subscription it is for, or null. With neither a subject nor a sid it is the connection's default. */
  readonly sid: string | null;
  /** Null takes back what was asked before. */
  readonly options: DeliveryOptions | null;
  /** Only with the connection's default. Undefined leaves it as it is. */
  readonly linger: Linger | null | undefined;
}

const lingerBytesDefault = 64 * 1024;
const lingerBytesMax = 1024 * 1024;
const lingerMessagesMax = 1024 * 1024;

/** The lingering of connections that did not ask for it; null for none. */
export function lingerOf(lingerUs: number): Linger | null {
  return lingerUs === 0 ? null : { lingerUs, maxBytes: lingerBytesDefault, maxMessages: lingerMessagesMax };
}

const flagNames = ['notice', 'last'];
const textNames = ['subject', 'queue', 'sid'];
const lingerNames = ['lingerUs', 'lingerBytes', 'lingerMessages'];
const policyFieldNames = ['policy', 'maxMessages', 'maxBytes', 'maxDrops', 'by'];
const workNames = ['prefetch', ...termNames];
const knownNames = new Set<string>([...flagNames, ...textNames, ...lingerNames, ...policyFieldNames, ...workNames]);

/** Reads what a client asks for from the text of a JSON object. Returns a text that says what is wrong. */
export function parseOptionsRequest(json: string): OptionsRequest | string {
  // it would be read in one step, however much that is
  if (json.length > deliveryOptionsLengthMax) return `it is longer than ${deliveryOptionsLengthMax} characters`;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return 'it is not JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it must be a JSON object';
  return readOptionsRequest(value as Record<string, unknown>);
}

/** Reads what a client asks for from the fields of a JSON object. Returns a text that says what is wrong. */
export function readOptionsRequest(fields: Readonly<Record<string, unknown>>): OptionsRequest | string {
  const unknown = Object.keys(fields).find((name) => !knownNames.has(name));
  if (unknown !== undefined) return `unknown field ${JSON.stringify(unknown.slice(0, 64))}`;
  for (const name of flagNames)
    if (!['undefined', 'boolean'].includes(typeof fields[name])) return `${name} must be true or false`;
  for (const name of textNames)
    if (!['undefined', 'string'].includes(typeof fields[name])) return `${name} must be a text`;
  const [subject, queue, sid] = [fields.subject, fields.queue, fields.sid].map(wordOf);
  if (subject !== null && sid !== null) return 'give a subject or a sid, not both';
  if (queue !== null && subject === null) return 'a queue needs a subject';
  const slow = parsePolicy(fields);
  if (typeof slow === 'string') return slow;
  const linger = readLinger(fields);
  if (typeof linger === 'string') return linger;
  if (linger !== undefined && (subject !== null || sid !== null)) return 'lingerUs is for a whole connection';
  const { notice = false, last = false } = fields as { notice?: boolean; last?: boolean };
  if (notice && slow === null) return 'a notice needs a policy';
  const work = readWorkTerms(fields, { subject, queue, sid });
  if (typeof work === 'string') return work;
  if (work !== null && slow !== null)
    return 'prefetch and a policy exclude each other: where members have no room, publishers wait';
  const letters = readLetters(fields.deadLetter, slow);
  if (typeof letters !== 'string') return letters.mistake;
  const options = slow === null && !last && work === null ? null : { slow, notice, last, work, deadLetter: letters };
  return { subject, queue, sid, options, linger };
}

/** Reads where what a policy drops goes. */
function readLetters(deadLetter: unknown, slow: SlowPolicy | null): string | { mistake: string } {
  if (deadLetter === undefined || slow === null) return '';
  const mistake = whyNoDeadLetter(deadLetter) ?? whyNoDrops(slow);
  return mistake === null ? byteText(deadLetter as string) : { mistake };
}

/** Subjects, queues and sids are kept as one character a byte. */
function wordOf(text: unknown): string | null {
  return text === undefined ? null : byteText(text as string);
}

/** Of a sid it is not known which group it is a member of, if any. */
function readWorkTerms(
  fields: Readonly<Record<string, unknown>>,
  { subject, queue, sid }: Pick<OptionsRequest, 'subject' | 'queue' | 'sid'>,
): WorkTerms | null | string {
  if (fields.prefetch !== undefined && subject === null && sid === null)
    return 'prefetch is for members of a group: give a subject and a queue, or a sid';
  return readWork(fields, sid === null ? (queue ?? '') : unknownGroup);
}

const unknownGroup = '?';

/** What a client may have publishers wait for: see `GatewayLimits`. */
interface BlockLimits {
  readonly blockMaxMs: number;
  readonly allowBlock: boolean;
}

/**
 * Why a subscription to a subject may not have what was asked for: publishers wait only where that is allowed, and for one that
 * may take everything only where that is, too.
 */
export function whyNoBlock(options: DeliveryOptions | null, subject: string, limits: BlockLimits): string | null {
  if (options?.slow?.policy !== 'block') return null;
  if (limits.blockMaxMs === 0) return 'this broker lets nobody block (--block-max 0)';
  if (limits.allowBlock || !/^[*>](\.|$)/.test(subject)) return null;
  return 'a subscription to a pattern that begins with a wildcard may not block (--allow-block)';
}

function readLinger(fields: Readonly<Record<string, unknown>>): Linger | null | undefined | string {
  if (lingerNames.every((name) => fields[name] === undefined)) return undefined;
  const { lingerUs, lingerBytes = lingerBytesDefault, lingerMessages = lingerMessagesMax } = fields;
  if (!isWhole(lingerUs, 0, lingerUsMax)) return `lingerUs must be a whole number from 0 to ${lingerUsMax}`;
  if (!isWhole(lingerBytes, 1, lingerBytesMax)) return `lingerBytes must be a whole number from 1 to ${lingerBytesMax}`;
  if (!isWhole(lingerMessages, 1, lingerMessagesMax))
    return `lingerMessages must be a whole number from 1 to ${lingerMessagesMax}`;
  return lingerUs === 0 ? null : { lingerUs, maxBytes: lingerBytes, maxMessages: lingerMessages };
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
