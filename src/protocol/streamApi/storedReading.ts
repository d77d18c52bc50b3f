import { BrokerError } from '../../base/brokerError.js';
import { StreamError } from '../../base/streamError.js';
import { subjectIncludes } from '../subject.js';
import type { ConsumerApi } from './consumerApi.js';
import type { ConsumerConfigJson, ConsumerInfoJson } from './consumerJson.js';
import type { StreamApi } from './streamApi.js';

/** Where reading a stream begins, as a consumer's configuration says it. */
export type StoredStart = Pick<ConsumerConfigJson, 'deliver_policy' | 'opt_start_seq' | 'opt_start_time'>;

/** What is read of a stream, and how: all that a consumer is made of for it. */
export interface StoredReading {
  readonly subjects: readonly string[];
  /** By itself a consumer that lasts begins with what comes. */
  readonly start?: StoredStart | undefined;
  /** How many times as fast as messages came; as fast as it can be when left out. */
  readonly speed?: number | undefined;
  /** How long a message may be unacknowledged; 30 s when left out. */
  readonly ackWaitMs?: number | undefined;
  /** How often a message is delivered; without limit when left out. */
  readonly maxDeliver?: number | undefined;
}

/** Why what is asked for cannot be read, in words for who asked. */
export class StoredReadingError extends BrokerError {
  override readonly name = 'StoredReadingError';

  constructor(message: string) {
    super('NOT_READABLE', message);
  }
}

/** In a consumer's metadata: how many times as fast as they came it replays messages (Shardcast only). */
export const replaySpeedKey = 'shardcast.replay_speed';

export const nsPerMs = 1e6;

const consumerNotFound = 10014;
const consumerExists = 10148;
/** A reader that is away for so long is gone. */
const inactiveMs = 300_000;

const namedStarts: Readonly<Record<string, StoredStart>> = {
  all: { deliver_policy: 'all' },
  // as for last values: of each subject
  last: { deliver_policy: 'last_per_subject' },
  new: { deliver_policy: 'new' },
};

/** The start that `all`, `last`, `new`, a sequence or a time of RFC 3339 says; null for anything else. */
export function readStart(replay: string): StoredStart | null {
  if (Object.hasOwn(namedStarts, replay)) return namedStarts[replay] as StoredStart;
  const sequence = Number(replay);
  if (/^[1-9]\d*$/.test(replay) && Number.isSafeInteger(sequence)) return startAt(sequence);
  return isInstant(replay) ? startSince(replay) : null;
}

export function startAt(sequence: number): StoredStart {
  return { deliver_policy: 'by_start_sequence', opt_start_seq: sequence };
}

export function startSince(time: string): StoredStart {
  return { deliver_policy: 'by_start_time', opt_start_time: time };
}

/** Whether a text is a time as RFC 3339 has it. */
export function isInstant(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text));
}

/** One filter has a field of its own, which older servers know, too. */
export function filtersOf(subjects: readonly string[] | undefined): Partial<ConsumerConfigJson> {
  if (subjects === undefined) return {};
  return subjects.length === 1 ? { filter_subject: subjects[0]! } : { filter_subjects: subjects };
}

/** @param speed undefined is as fast as it can be */
export function speedOf({ metadata }: Partial<ConsumerConfigJson>, speed: unknown): Partial<ConsumerConfigJson> {
  if (speed === undefined) return {};
  return { replay_policy: 'original', metadata: { ...metadata, [replaySpeedKey]: String(speed) } };
}

/**
 * The stream that has some of all these subjects.
 *
 * @param hint how one of several is named
 * @throws StoredReadingError when there is none, or more than one
 */
export async function streamOf(api: StreamApi, subjects: readonly string[], hint: string): Promise<string> {
  const names = new Set<string>();
  for (const subject of subjects) {
    const before = names.size;
    let isTaken = false;
    for await (const { config } of api.list(subject)) {
      isTaken = true;
      names.add(config.name);
    }
    if (!isTaken) throw new StoredReadingError(`no stream takes ${subject}: shardcast stream add makes one`);
    if (before > 0 && names.size > before) break;
  }
  if (names.size === 1) return [...names][0]!;
  throw new StoredReadingError(
    `${subjects.join(' ')} is in more than one stream (${[...names].join(', ')}): name it with ${hint}`,
  );
}

/**
 * A consumer that lasts: who names it again goes on where it left off. One that is there stays as it is.
 *
 * @throws StoredReadingError when there is another one of that name
 */
export async function openDurable(
  api: ConsumerApi,
  streams: StreamApi,
  stream: string,
  name: string,
  reading: StoredReading,
): Promise<ConsumerConfigJson> {
  const { config } = (await infoOf(api, name)) ?? (await createdOrFound(api, name, durableConfig(name, reading)));
  const about = `consumer ${name} of stream ${stream}`;
  if (config.deliver_subject !== undefined)
    throw new StoredReadingError(`${about} pushes to ${config.deliver_subject}`);
  const [given, wanted] = [filterText(config), filterText(filtersOf(reading.subjects))];
  const isSame = given === wanted || (given === '' && (await areAll(streams, stream, reading.subjects)));
  if (!isSame) throw new StoredReadingError(`${about} is for ${given || 'all subjects'}, not for ${wanted}`);
  return config;
}

/** A consumer for one reader alone, behind what it has read. */
export function orderedConfig(
  name: string,
  { subjects, start, speed }: StoredReading,
  readSequence: number,
): ConsumerConfigJson & { readonly name: string } {
  return {
    name,
    ack_policy: 'none',
    max_deliver: 1,
    mem_storage: true,
    inactive_threshold: inactiveMs * nsPerMs,
    ...filtersOf(subjects),
    ...(readSequence === 0 ? start : startAt(readSequence + 1)),
    ...speedOf({}, speed),
  };
}

/** Whether subjects are all that a stream takes. */
async function areAll(streams: StreamApi, stream: string, subjects: readonly string[]): Promise<boolean> {
  const { config } = await streams.info(stream);
  return (config.subjects ?? []).every((taken) => subjects.some((each) => subjectIncludes(each, taken)));
}

/** A subscription that lasts begins, as any other, with what comes from now on. */
function durableConfig(name: string, reading: StoredReading): ConsumerConfigJson & { readonly name: string } {
  const { subjects, start = namedStarts.new, speed, ackWaitMs, maxDeliver } = reading;
  return {
    name,
    durable_name: name,
    ack_policy: 'explicit',
    ...filtersOf(subjects),
    ...start,
    ...speedOf({}, speed),
    ...(ackWaitMs === undefined ? {} : { ack_wait: ackWaitMs * nsPerMs }),
    ...(maxDeliver === undefined ? {} : { max_deliver: maxDeliver }),
  };
}

/** Several may name it for the first time at once. */
async function createdOrFound(
  api: ConsumerApi,
  name: string,
  config: ConsumerConfigJson & { readonly name: string },
): Promise<ConsumerInfoJson> {
  try {
    return await api.create(config);
  } catch (error) {
    if (error instanceof StreamError && error.errorNumber === consumerExists) return await api.info(name);
    throw error;
  }
}

async function infoOf(api: ConsumerApi, name: string): Promise<ConsumerInfoJson | null> {
  try {
    return await api.info(name);
  } catch (error) {
    if (error instanceof StreamError && error.errorNumber === consumerNotFound) return null;
    throw error;
  }
}

function filterText({ filter_subject, filter_subjects }: ConsumerConfigJson): string {
  return [...(filter_subjects ?? (filter_subject ? [filter_subject] : []))].sort().join(', ');
}
