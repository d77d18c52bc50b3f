import { durablePrefetchDefault, durablePrefetchMax, returnsMax } from '../../base/limits.js';
import { readStart, type StoredReading, type StoredStart, startSince } from '../../protocol/streamApi/storedReading.js';
import { isStreamName } from '../../protocol/streamApi/streamApi.js';
import { ArgumentError } from '../errors.js';
import type { SubscribeOptions } from '../subscribeOptions.js';

/** What of a stream a subscription reads, and by which name it comes back. */
export interface StoredTerms {
  /** Of the consumer; null for one that is this subscription's alone. */
  readonly name: string | null;
  /** null for the stream that takes the topic. */
  readonly stream: string | null;
  readonly prefetch: number;
  readonly reading: Omit<StoredReading, 'subjects'>;
}

/** Options of those alone that read a stream. */
const ofStored = ['replay', 'speed', 'stream'] as const;
/** What others are told by that these are not: nothing is lost, nobody waits, and the name is what they share. */
const notOfStored = [
  'group',
  'policy',
  'last',
  'bufferCount',
  'maxBytes',
  'maxDrops',
  'by',
  'onDrop',
  'deadLetter',
] as const;

/**
 * What the options say of a stream that is read; null where they say nothing.
 *
 * @throws ArgumentError
 */
export function storedTermsOf(options: SubscribeOptions): StoredTerms | null {
  const { durable, replay, speed, stream, prefetch = durablePrefetchDefault, ackWaitMs, maxDeliver } = options;
  if (durable === undefined && replay === undefined) {
    const given = ofStored.find((name) => options[name] !== undefined);
    if (given !== undefined) throw new ArgumentError(`${given} is for what reads a stream: say durable, or replay`);
    return null;
  }
  const other = notOfStored.find((name) => options[name] !== undefined);
  if (other !== undefined) throw new ArgumentError(`${other} is not for what reads a stream (durable, replay)`);
  if (durable === undefined && (ackWaitMs ?? maxDeliver) !== undefined)
    throw new ArgumentError('ackWaitMs and maxDeliver are for what is acknowledged: say durable');
  checkWhole(prefetch, 'prefetch', durablePrefetchMax);
  if (maxDeliver !== undefined) checkWhole(maxDeliver, 'maxDeliver', returnsMax);
  if (speed !== undefined && !(Number.isFinite(speed) && speed > 0))
    throw new ArgumentError('speed must be a number above 0');
  return {
    name: nameOf(durable, 'durable'),
    stream: nameOf(stream, 'stream'),
    prefetch,
    reading: { start: startOf(replay), speed, ackWaitMs, maxDeliver },
  };
}

function checkWhole(value: number, name: string, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new ArgumentError(`${name} must be a whole number from 1 to ${max}`);
}

function nameOf(name: string | undefined, what: string): string | null {
  if (name === undefined) return null;
  if (typeof name !== 'string' || !isStreamName(name))
    throw new ArgumentError(`${what} must be a name without blanks, dots, wildcards and slashes`);
  return name;
}

function startOf(replay: SubscribeOptions['replay']): StoredStart | undefined {
  if (replay === undefined) return undefined;
  // dates of other realms will do
  const isDate = Object.prototype.toString.call(replay) === '[object Date]';
  const start = isDate ? startSince(dateText(replay as Date)) : readStart(String(replay));
  if (start === null) throw new ArgumentError("replay must be 'all', 'last', 'new', a sequence from 1 on, or a Date");
  return start;
}

function dateText(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new ArgumentError('replay must be a valid Date');
  return date.toISOString();
}
