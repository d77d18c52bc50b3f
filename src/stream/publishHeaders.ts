import { latin1String } from '../base/bytes.js';
import type { MessageView } from '../base/messageView.js';

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
  source: 'Nats-Stream-Source',
} as const;

const prefix = 'Nats-';
const versionBytes = 'NATS/1.0'.length;
const carriageReturn = 13;
const lineFeed = 10;
const colon = 58;

/** What the headers of one message say to a stream. Filled anew for each message. */
export class PublishHeaders {
  /** The first value of each name that begins with `Nats-`, as it was written: one byte a character. */
  readonly #values = new Map<string, string>();
  /** Whether the block begins with a status, which is not kept. */
  hasStatus = false;

  /** Reads message `index` of a run. */
  read(message: MessageView, index: number): void {
    this.#values.clear();
    this.hasStatus = false;
    const headerBytes = message.headerBytes(index);
    if (headerBytes === 0) return;
    const { bytes } = message;
    const start = message.starts[index];
    const end = start + headerBytes;
    this.hasStatus = bytes[start + versionBytes] !== carriageReturn && bytes[start + versionBytes] !== lineFeed;
    for (let at = nextLine(bytes, start, end); at < end; at = nextLine(bytes, at, end))
      if (beginsWithPrefix(bytes, at, end)) this.#readLine(bytes, at, end);
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
    let lineEnd = start;
    while (lineEnd < end && bytes[lineEnd] !== carriageReturn && bytes[lineEnd] !== lineFeed) lineEnd++;
    const nameEnd = bytes.indexOf(colon, start);
    if (nameEnd < 0 || nameEnd >= lineEnd) return;
    const name = latin1String(bytes, start, nameEnd);
    if (!this.#values.has(name)) this.#values.set(name, latin1String(bytes, nameEnd + 1, lineEnd).trim());
  }
}

function nextLine(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== lineFeed) at++;
  return at + 1;
}

function beginsWithPrefix(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + prefix.length > end) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix.charCodeAt(i)) return false;
  return true;
}

/** A sequence as a header has it; -1, which no sequence is, where it is none. */
export function headerSequence(value: string): number {
  return /^[+]?\d{1,16}$/.test(value) ? Number(value) : -1;
}

/** Whether a header's value is a time to live: whole seconds of at least 1, a duration of Go's, or `never`. */
export function isTimeToLive(value: string): boolean {
  if (/^never$/i.test(value)) return true;
  if (/^[+-]?\d+$/.test(value)) return Number(value) >= 1;
  return (goDurationSeconds(value) ?? 0) >= 1;
}

const unitSeconds: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

function goDurationSeconds(value: string): number | null {
  if (!/^\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(value)) return null;
  let seconds = 0;
  for (const [, number, unit] of value.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g))
    seconds += Number(number) * (unitSeconds[unit as string] as number);
  return seconds;
}
