import { randomUUID } from 'node:crypto';
import { StreamError } from '../base/streamError.js';
import type { ConsumerApi } from '../protocol/streamApi/consumerApi.js';
import type { ConsumerConfigJson, ConsumerInfoJson } from '../protocol/streamApi/consumerJson.js';
import type { StreamApi } from '../protocol/streamApi/streamApi.js';
import { subjectIncludes } from '../protocol/subject.js';
import { filtersOf, speedOf } from './consumer/configFlags.js';
import { CliError } from './exit.js';
import { nsPerMs } from './flags.js';
import { type StoredStart, startAt } from './storedStart.js';

/** What is read, and from where. */
export interface StoredReading {
  readonly subjects: readonly string[];
  readonly start?: StoredStart;
  readonly speed?: number;
}

/** Who is asked for a stream's messages. */
export interface StoredSource {
  /** Where its consumer is asked now. */
  readonly subject: string;
  /** Whether what is taken has to be acknowledged. */
  readonly acknowledges: boolean;
  /** Whether this message is the one to come, by its consumer's count. */
  follows(sequence: number, number: number): boolean;
  /** Makes sure that there is somebody to ask after something went wrong. Rejects when there will be nobody. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

const consumerNotFound = 10014;
/** A reader that is away for so long is gone. */
const inactiveMs = 300_000;

/**
 * The stream that has some of all these subjects.
 *
 * @throws CliError when there is none, or more than one
 */
export async function streamOf(api: StreamApi, subjects: readonly string[]): Promise<string> {
  const names = new Set<string>();
  for (const subject of subjects) {
    const before = names.size;
    let isTaken = false;
    for await (const { config } of api.list(subject)) {
      isTaken = true;
      names.add(config.name);
    }
    if (!isTaken) throw new CliError(`no stream takes ${subject}: shardcast stream add makes one`);
    if (before > 0 && names.size > before) break;
  }
  if (names.size === 1) return [...names][0]!;
  throw new CliError(
    `${subjects.join(' ')} is in more than one stream (${[...names].join(', ')}): name it with --stream`,
  );
}

/** A consumer that lasts: who names it again goes on where it left off. */
export async function durableSource(
  api: ConsumerApi,
  streams: StreamApi,
  stream: string,
  name: string,
  reading: StoredReading,
): Promise<StoredSource> {
  const { config } = (await infoOf(api, name)) ?? (await api.create(durableConfig(name, reading)));
  const about = `consumer ${name} of stream ${stream}`;
  if (config.deliver_subject !== undefined) throw new CliError(`${about} pushes to ${config.deliver_subject}`);
  const [given, wanted] = [filterText(config), filterText(filtersOf(reading.subjects))];
  const isSame = given === wanted || (given === '' && (await areAll(streams, stream, reading.subjects)));
  if (!isSame) throw new CliError(`${about} is for ${given || 'all subjects'}, not for ${wanted}`);
  return {
    subject: api.nextSubject(name),
    acknowledges: config.ack_policy !== 'none',
    follows: () => true,
    renew: async () => void (await api.info(name)),
    close: async () => {},
  };
}

/** Whether subjects are all that a stream takes. */
async function areAll(streams: StreamApi, stream: string, subjects: readonly string[]): Promise<boolean> {
  const { config } = await streams.info(stream);
  return (config.subjects ?? []).every((taken) => subjects.some((each) => subjectIncludes(each, taken)));
}

/** A consumer for this reading alone, made again behind what was read whenever it is lost. */
export async function orderedSource(api: ConsumerApi, reading: StoredReading): Promise<StoredSource> {
  const source = new OrderedSource(api, reading);
  await source.renew();
  return source;
}

class OrderedSource implements StoredSource {
  readonly acknowledges = false;
  readonly #api: ConsumerApi;
  readonly #reading: StoredReading;
  readonly #prefix = `sub-${randomUUID().slice(0, 8)}`;
  #serial = 0;
  #sequence = 0;
  #number = 0;

  constructor(api: ConsumerApi, reading: StoredReading) {
    this.#api = api;
    this.#reading = reading;
  }

  get subject(): string {
    return this.#api.nextSubject(this.#name);
  }

  get #name(): string {
    return `${this.#prefix}-${this.#serial}`;
  }

  follows(sequence: number, number: number): boolean {
    if (number !== this.#number + 1) return false;
    this.#sequence = sequence;
    this.#number = number;
    return true;
  }

  async renew(): Promise<void> {
    if (this.#serial > 0) await this.close();
    this.#serial++;
    this.#number = 0;
    const { subjects, start, speed } = this.#reading;
    await this.#api.create({
      name: this.#name,
      ack_policy: 'none',
      max_deliver: 1,
      mem_storage: true,
      inactive_threshold: inactiveMs * nsPerMs,
      ...filtersOf(subjects),
      ...(this.#sequence === 0 ? start : startAt(this.#sequence + 1)),
      ...speedOf({}, speed),
    });
  }

  async close(): Promise<void> {
    // it goes by itself where that cannot be said
    await this.#api.delete(this.#name).catch(() => {});
  }
}

/** A subscription that lasts begins, as any other, with what comes from now on. */
function durableConfig(name: string, { subjects, start, speed }: StoredReading): ConsumerConfigJson & { name: string } {
  const begins = start ?? { deliver_policy: 'new' };
  return { name, durable_name: name, ack_policy: 'explicit', ...filtersOf(subjects), ...begins, ...speedOf({}, speed) };
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
