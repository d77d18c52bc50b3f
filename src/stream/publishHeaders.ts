import { latin1Bytes, latin1String } from '../base/bytes.js';
import type { MessageView } from '../base/messageView.js';
import { endOfLine, FieldBounds, findValue, nextLine } from '../protocol/messageKey.js';

/** Headers of a publish that mean something to a stream; names are told apart by case. */
export const publishHeader = {
  id: 'Nats-Msg-Id',
  expectedStream: 'Nats-Expected-Stream',
  expectedLast: 'Nats-Expected-Last-Sequence',
  expectedLastOfSubject: 'Nats-Expected-Last-Subject-Sequence',
  expectedSubject: 'Nats-Expected-Last-Subject-Sequence-Subject',
  expectedId: 'Nats-Expected-Last-Msg-Id',
  rollup: 'Nats-Rollup',
  ttl: 'Nats-TTL',
  increment: 'Nats-Incr',
  batch: 'Nats-Batch-Id',
  schedule: 'Nats-Schedule',
  scheduleNext: 'Nats-Schedule-Next',
  scheduler: 'Nats-Scheduler',
  source: 'Nats-Stream-Source',
} as const;

const prefix = latin1Bytes('Nats-');
const version = latin1Bytes('NATS/1.0');
export const versionBytes = version.length;
/** A block without a header: the version and two line ends. */
const emptyBlockBytes = version.length + 4;
const carriageReturn = 13;
const colon = 58;
const found = new FieldBounds();

/** What the headers of one message say to a stream. Filled anew for each message. */
export class PublishHeaders {
  /** The first value of each name that begins with `Nats-`, as it was written: one byte a character. */
  readonly #values = new Map<string, string>();
  /** What the block has between its version and the first CR, in bytes: a status, which is not kept. */
  statusBytes = 0;
  /** What is kept of the block, in bytes: nothing when a status was all that it said. */
  keptBytes = 0;

  /** Reads message `index` of a run. Whatever the block holds, nothing outside it is read. */
  read(message: MessageView, index: number): void {
    if (!this.none) this.#values.clear();
    this.statusBytes = this.keptBytes = 0;
    if (!message.withHeaders) return;
    const { bytes } = message;
    const start = message.starts[index];
    const end = message.payloadStart(index);
    this.statusBytes = statusBytesOf(bytes, start, end);
    const keptBytes = end - start - this.statusBytes;
    this.keptBytes = this.statusBytes > 0 && keptBytes <= emptyBlockBytes ? 0 : keptBytes;
    for (let at = nextLine(bytes, start, end); at < end; at = nextLine(bytes, at, end))
      if (beginsWith(bytes, at, end, prefix)) this.#readLine(bytes, at, end);
  }

  /** The value of a header; '' when there is none. */
  get(name: string): string {
    return this.#values.get(name) ?? '';
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  get none(): boolean {
    return this.#values.size === 0;
  }

  #readLine(bytes: Uint8Array, start: number, end: number): void {
    const lineEnd = endOfLine(bytes, start, end);
    let nameEnd = start;
    while (nameEnd < lineEnd && bytes[nameEnd] !== colon) nameEnd++;
    if (nameEnd === lineEnd) return;
    findValue(bytes, nameEnd + 1, lineEnd, found);
    const name = latin1String(bytes, start, nameEnd);
    if (!this.#values.has(name)) this.#values.set(name, latin1String(bytes, found.start, found.end));
  }
}

const idName = latin1Bytes('Nats-Msg-Id:');

/**
 * Reads the headers block `bytes[start, end)` where it says nothing to a stream but perhaps an id.
 *
 * @param id where that lies, empty without one
 * @returns false where it may say something else: then it is to be read in full
 */
export function readPlainHeaders(bytes: Uint8Array, start: number, end: number, id: FieldBounds): boolean {
  id.start = id.end = start;
  const lineEnd = start + version.length;
  if (!beginsWith(bytes, start, end, version) || lineEnd === end || bytes[lineEnd] !== carriageReturn) return false;
  let hasId = false;
  for (let at = nextLine(bytes, lineEnd, end); at < end; at = nextLine(bytes, at, end)) {
    if (bytes[at] !== prefix[0] || !beginsWith(bytes, at, end, prefix)) continue;
    if (hasId || !beginsWith(bytes, at, end, idName)) return false;
    findValue(bytes, at + idName.length, end, id);
    hasId = true;
  }
  return true;
}

function statusBytesOf(bytes: Uint8Array, start: number, end: number): number {
  if (!beginsWith(bytes, start, end, version)) return 0;
  const statusStart = start + version.length;
  let statusEnd = statusStart;
  while (statusEnd < end && bytes[statusEnd] !== carriageReturn) statusEnd++;
  return statusEnd === end ? 0 : statusEnd - statusStart;
}

function beginsWith(bytes: Uint8Array, at: number, end: number, wanted: Uint8Array): boolean {
  if (at + wanted.length > end) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

/** A sequence as a header has it; -1, which no sequence is, where it is none. */
export function headerSequence(value: string): number {
  return /^\d{1,16}$/.test(value) ? Number(value) : -1;
}

/**
 * The time to live that a header's value says, '' without one, in whole seconds of at least 1: a number, a duration of Go's, or `never`, which is
 * infinite; 0 where it says none.
 */
export function timeToLive(value: string): number {
  // as of nearly every message
  if (value === '') return 0;
  if (/^never$/i.test(value)) return Number.POSITIVE_INFINITY;
  const seconds = /^[+-]?\d+$/.test(value) ? Number(value) : (goDurationSeconds(value) ?? 0);
  return seconds >= 1 ? Math.min(Math.floor(seconds), secondsMax) : 0;
}

/** Go's durations reach no further; what lives longer goes with them. */
const secondsMax = 9_223_372_036;

const unitSeconds: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

function goDurationSeconds(value: string): number | null {
  if (!/^\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(value)) return null;
  let seconds = 0;
  for (const [, number, unit] of value.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g))
    seconds += Number(number) * (unitSeconds[unit as string] as number);
  return seconds;
}
