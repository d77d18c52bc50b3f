import { type AckTerms, defaultTerms } from '../base/ackTerms.js';
import { byteText } from '../base/bytes.js';
import { headerNames } from '../base/headerNames.js';
import {
  ackWaitMsMax,
  durablePrefetchDefault,
  durablePrefetchMax,
  nackDelayMsMax,
  returnsMax,
} from '../base/limits.js';
import { headerMistake, isWellFormed, writeHeaderBlock } from './headerBlock.js';
import type { JsonDurable } from './jsonDurable.js';
import { isUnwieldy } from './jsonShape.js';
import { readStart } from './streamApi/storedReading.js';
import { isStreamName } from './streamApi/streamApi.js';
import { classifySubject } from './subject.js';
import { keyOrderedSuffix, readWork, termNames, type WorkTerms } from './workTerms.js';

/** What a line of JSON asks for. Topics, replies and groups are kept as one character a byte of their UTF-8. */
export type JsonCommand = (
  | {
      readonly command: 'PUB';
      readonly topic: string;
      readonly reply: string;
      readonly block: string;
      readonly payload: Payload;
    }
  | {
      readonly command: 'SUB';
      readonly topic: string;
      readonly group: string;
      /** Messages that a member of the group has unacknowledged at most; 0 when it acknowledges none. */
      readonly prefetch: number;
      readonly terms: AckTerms;
      readonly durable: JsonDurable | null;
      readonly durableName: string;
      readonly options: Fields | null;
    }
  | { readonly command: 'ACK' | 'WORKING'; readonly delivery: number }
  | { readonly command: 'TERM'; readonly delivery: number; readonly reason: string }
  | { readonly command: 'NACK'; readonly delivery: number; readonly delayMs: number }
  | { readonly command: 'UNSUB'; readonly topic: string; readonly group: string; readonly durableName: string }
  | { readonly command: 'PING' }
  | { readonly command: 'FORMAT'; readonly format: JsonFormat }
  | {
      readonly command: 'AUTH';
      readonly user: string | null;
      readonly pass: string | null;
      readonly token: string | null;
    }
) & { readonly id: string | null };

export type JsonFormat = 'text' | 'json';

export interface Payload {
  readonly text: string;
  readonly encoding: 'utf8' | 'base64';
}

/** What is wrong with a line: a sentence for whoever wrote it. */
export interface JsonMistake {
  readonly mistake: string;
  /** JSON of the command's id, where it could be read. */
  readonly id: string | null;
}

type Fields = Readonly<Record<string, unknown>>;
type Body<C> = C extends JsonCommand ? Omit<C, 'id'> : never;

/** Longest text of a command's id, in characters. */
const idLengthMax = 128;
/** Longest name, password or token, in characters. */
const credentialLengthMax = 1024;

/** Fields of SUB that say how a subscription wants to be treated; what they may hold is the same on every door. */
const deliveryOptionNames = ['policy', 'maxMessages', 'maxBytes', 'maxDrops', 'by', 'notice', 'last'];

const noWork: WorkTerms = { prefetch: 0, terms: defaultTerms };

/** Fields of SUB that a durable subscription has. */
const durableNames = ['durable', 'stream', 'replay', 'speed'];
/** What it does not have: its name is what its members share, and nothing of it is lost. */
const notDurableNames = ['group', 'deadLetter', ...deliveryOptionNames];

const readers = {
  PUB: {
    fields: ['topic', 'payload', 'encoding', 'reply', 'key', 'headers', 'traceparent', 'correlationId'],
    read: publish,
  },
  SUB: {
    fields: ['topic', 'group', 'prefetch', ...termNames, ...durableNames, ...deliveryOptionNames],
    read: subscribe,
  },
  UNSUB: { fields: ['topic', 'group', 'durable'], read: unsubscribe },
  ACK: { fields: ['delivery'], read: (fields) => ({ command: 'ACK', delivery: delivery(fields) }) as const },
  NACK: { fields: ['delivery', 'delayMs'], read: refuse },
  WORKING: { fields: ['delivery'], read: (fields) => ({ command: 'WORKING', delivery: delivery(fields) }) as const },
  TERM: { fields: ['delivery', 'reason'], read: terminate },
  PING: { fields: [], read: () => ({ command: 'PING' }) as const },
  FORMAT: { fields: ['format'], read: format },
  AUTH: { fields: ['user', 'pass', 'token'], read: credentials },
} as const satisfies Record<string, { fields: readonly string[]; read: (fields: Fields) => Body<JsonCommand> }>;

type CommandName = keyof typeof readers;

/** What is allowed beside a command's own fields. */
const commonFields = ['command', 'id'];
const allowedFields = new Map(
  Object.entries(readers).map(([name, { fields }]) => [name, new Set<string>([...commonFields, ...fields])]),
);

class Mistake extends Error {}

/**
 * Reads one line. A field that a command does not have is a mistake and not ignored: it is most often misspelt. Of a field that is
 * there twice the last one counts, as JSON's own parsers have it.
 */
export function parseJsonCommand(line: string): JsonCommand | JsonMistake {
  if (isUnwieldy(line)) return { mistake: 'the line has more parts than any command has', id: null };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return {
      mistake: 'the line is no JSON; send one object a line, such as {"command":"SUB","topic":"test"}',
      id: null,
    };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { mistake: 'the line is no JSON object; send one such as {"command":"SUB","topic":"test"}', id: null };
  const fields = value as Fields;
  let id: string | null = null;
  try {
    id = readId(fields.id);
    const name = readName(fields.command);
    checkFields(name, fields);
    return { ...readers[name].read(fields), id };
  } catch (error) {
    if (error instanceof Mistake) return { mistake: error.message, id };
    throw error;
  }
}

function readId(id: unknown): string | null {
  if (id === undefined) return null;
  if (typeof id === 'string' && id.length <= idLengthMax) return JSON.stringify(id);
  if (Number.isSafeInteger(id)) return String(id);
  throw new Mistake(`id must be a whole number or a string of at most ${idLengthMax} characters`);
}

function readName(command: unknown): CommandName {
  if (typeof command === 'string') {
    const name = command.toUpperCase();
    if (Object.hasOwn(readers, name)) return name as CommandName;
  }
  throw new Mistake(`command must be one of ${Object.keys(readers).join(', ')}`);
}

function checkFields(name: CommandName, fields: Fields): void {
  const allowed = allowedFields.get(name) as Set<string>;
  for (const field in fields) {
    if (allowed.has(field)) continue;
    const shown = JSON.stringify(field.length > 40 ? `${field.slice(0, 40)}…` : field);
    const own = readers[name].fields;
    throw new Mistake(`${name} has no field ${shown}; it has ${[...own, 'id'].join(', ')}`);
  }
}

function publish(fields: Fields): Body<JsonCommand> {
  const topic = subject(fields, 'topic', false);
  const reply = fields.reply === undefined ? '' : subject(fields, 'reply', false);
  return { command: 'PUB', topic, reply, block: headerBlock(fields), payload: payload(fields) };
}

function payload({ payload: text, encoding = 'utf8' }: Fields): Payload {
  if (typeof text !== 'string')
    throw new Mistake('payload must be a string; for a number or an object give its JSON as a string');
  if (encoding !== 'utf8' && encoding !== 'base64') throw new Mistake('encoding must be utf8 or base64');
  if (encoding === 'base64') {
    if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new Mistake('payload is not valid base64');
  } else if (!isWellFormed(text)) {
    throw new Mistake('payload is not well-formed Unicode; give binary data with "encoding":"base64"');
  }
  return { text, encoding };
}

/** The NATS header block that says what the fields do; empty when none of them is there. */
function headerBlock(fields: Fields): string {
  const { key, headers, traceparent, correlationId } = fields;
  if (key === undefined && headers === undefined && traceparent === undefined && correlationId === undefined) return '';
  const values: [name: string, value: string][] = [];
  const add = (name: string, value: unknown, what?: string): void => {
    if (typeof value !== 'string') throw new Mistake(`${what ?? 'a header'} must be a string`);
    const mistake = headerMistake(name, value, what);
    if (mistake !== null) throw new Mistake(mistake);
    values.push([name, value]);
  };
  if (key !== undefined) add(headerNames.key, key, 'key');
  if (traceparent !== undefined) add(headerNames.traceparent, traceparent, 'traceparent');
  if (correlationId !== undefined) add(headerNames.correlationId, correlationId, 'correlationId');
  if (headers !== undefined) {
    if (typeof headers !== 'object' || headers === null || Array.isArray(headers))
      throw new Mistake('headers must be an object of strings or arrays of strings');
    for (const [name, value] of Object.entries(headers))
      for (const each of Array.isArray(value) ? value : [value]) add(name, each);
  }
  return values.length === 0 ? '' : Buffer.from(writeHeaderBlock(values)).toString('latin1');
}

function subscribe(fields: Fields): Body<JsonCommand> {
  // of what a policy drops; with a prefetch it is the member's
  const names = fields.prefetch === undefined ? [...deliveryOptionNames, 'deadLetter'] : deliveryOptionNames;
  const given = names.filter((name) => fields[name] !== undefined);
  const options = Object.fromEntries(given.map((name) => [name, fields[name]]));
  const { topic, group } = subscribed(fields);
  if (fields.durable !== undefined) {
    const durable = readDurable(fields);
    const prefetch = 0;
    return {
      command: 'SUB',
      topic,
      group,
      prefetch,
      terms: defaultTerms,
      durable,
      durableName: durable.name,
      options: null,
    };
  }
  const alone = durableNames.find((name) => fields[name] !== undefined);
  if (alone !== undefined) throw new Mistake(`${alone} is for durable subscriptions: give a durable`);
  const work = readWork(fields, group);
  if (typeof work === 'string') throw new Mistake(work);
  const { prefetch, terms } = work ?? noWork;
  if (prefetch > 0 && deliveryOptionNames.some((name) => name !== 'last' && fields[name] !== undefined))
    throw new Mistake('prefetch and a policy exclude each other: where members have no room, publishers wait');
  const hasOptions = given.length > 0;
  return {
    command: 'SUB',
    topic,
    group,
    prefetch,
    terms,
    durable: null,
    durableName: '',
    options: hasOptions ? options : null,
  };
}

function readDurable(fields: Fields): JsonDurable {
  const { prefetch = durablePrefetchDefault, stream, ackWaitMs, maxDeliver, replay, speed } = fields;
  const other = notDurableNames.find((name) => fields[name] !== undefined);
  if (other !== undefined) throw new Mistake(`durable and ${other} exclude each other`);
  if (!isWhole(prefetch, durablePrefetchMax))
    throw new Mistake(`prefetch must be a whole number from 1 to ${durablePrefetchMax} with durable`);
  checkWhole(ackWaitMs, 'ackWaitMs', ackWaitMsMax);
  checkWhole(maxDeliver, 'maxDeliver', returnsMax);
  if (speed !== undefined && !(typeof speed === 'number' && speed > 0 && Number.isFinite(speed)))
    throw new Mistake('speed must be a number above 0');
  const start = replay === undefined ? undefined : readStart(String(replay));
  if (start === null)
    throw new Mistake('replay must be all, last, new, a sequence, or a time such as 2026-01-31T12:00:00Z');
  return {
    name: streamName(fields.durable, 'durable'),
    stream: stream === undefined ? '' : streamName(stream, 'stream'),
    prefetch,
    reading: { start, speed: speed as number, ackWaitMs: ackWaitMs as number, maxDeliver: maxDeliver as number },
  };
}

function checkWhole(value: unknown, what: string, max: number): void {
  if (value !== undefined && !isWhole(value, max)) throw new Mistake(`${what} must be a whole number from 1 to ${max}`);
}

/** The name of a stream or a consumer. */
function streamName(value: unknown, what: string): string {
  const text = word(value, what);
  if (!isStreamName(text))
    throw new Mistake(`${what} must be a name of at most 255 bytes without dots, wildcards and slashes`);
  return value as string;
}

function delivery({ delivery: number }: Fields): number {
  if (!isWhole(number, Number.MAX_SAFE_INTEGER))
    throw new Mistake('delivery must be the number that a delivery came with');
  return number;
}

function refuse(fields: Fields): Body<JsonCommand> {
  const { delayMs = 0 } = fields;
  if (delayMs !== 0 && !isWhole(delayMs, nackDelayMsMax))
    throw new Mistake(`delayMs must be a whole number from 0 to ${nackDelayMsMax}`);
  return { command: 'NACK', delivery: delivery(fields), delayMs };
}

function terminate(fields: Fields): Body<JsonCommand> {
  const { reason = '' } = fields;
  if (typeof reason !== 'string') throw new Mistake('reason must be a string');
  return { command: 'TERM', delivery: delivery(fields), reason };
}

function isWhole(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max;
}

function unsubscribe(fields: Fields): Body<JsonCommand> {
  const durableName = fields.durable === undefined ? '' : streamName(fields.durable, 'durable');
  if (durableName !== '' && fields.group !== undefined) throw new Mistake('durable and group exclude each other');
  return { command: 'UNSUB', ...subscribed(fields), durableName };
}

function subscribed(fields: Fields): { topic: string; group: string } {
  return { topic: subject(fields, 'topic', true), group: group(fields.group) };
}

/** A queue group: its name, or its name and what its messages are ordered by. */
function group(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value !== 'object' || value === null) return word(value, 'group');
  const { name, orderedBy, ...others } = value as Fields;
  if (Object.keys(others).length > 0 || (orderedBy !== undefined && orderedBy !== 'key'))
    throw new Mistake('group must be a name, or an object such as {"name":"workers","orderedBy":"key"}');
  return word(name, 'the name of the group') + (orderedBy === 'key' ? keyOrderedSuffix : '');
}

function format({ format: name }: Fields): Body<JsonCommand> {
  if (name !== 'text' && name !== 'json') throw new Mistake('format must be text or json');
  return { command: 'FORMAT', format: name };
}

function credentials({ user, pass, token }: Fields): Body<JsonCommand> {
  return {
    command: 'AUTH',
    user: credential(user, 'user'),
    pass: credential(pass, 'pass'),
    token: credential(token, 'token'),
  };
}

function credential(value: unknown, what: string): string | null {
  if (value === undefined) return null;
  if (typeof value === 'string' && value.length <= credentialLengthMax) return value;
  throw new Mistake(`${what} must be a string of at most ${credentialLengthMax} characters`);
}

/** A topic, one character a byte of its UTF-8. */
function subject(fields: Fields, what: string, wildcards: boolean): string {
  const bytes = word(fields[what], what);
  const kind = classifySubject(Buffer.from(bytes, 'latin1'), 0, bytes.length);
  if (kind === 'invalid')
    throw new Mistake(`${what} must be tokens with a dot between them; none may be empty, and > only the last`);
  if (kind === 'wildcard' && !wildcards) throw new Mistake(`${what} must not have the wildcards * and > here`);
  return bytes;
}

/** Text without blanks and control characters, one character a byte of its UTF-8. */
function word(text: unknown, what: string): string {
  if (typeof text !== 'string' || text === '') throw new Mistake(`${what} must be a string that is not empty`);
  if (/[\s\u0000-\u0020\u007f-\u009f]/.test(text))
    throw new Mistake(`${what} must not hold blanks or control characters`);
  if (!isWellFormed(text)) throw new Mistake(`${what} is not well-formed Unicode`);
  return byteText(text);
}
