import { assert } from '../../base/assert.js';
import { streamStepMessages } from '../../base/limits.js';
import type { Storages } from '../../log/storage.js';
import { ApiError, apiErrors } from '../../stream/api/apiError.js';
import { type StreamSummary, summaryOf } from '../../stream/api/streamInfo.js';
import { MemoryShare } from '../../stream/memoryShare.js';
import { type Steps, Stream } from '../../stream/stream.js';
import type { StorageKind, StreamConfig } from '../../stream/streamConfig.js';
import type { Clock } from '../../stream/times.js';
import type { Capture } from './capture.js';
import type { Slices } from './slices.js';
import type { StreamUsage } from './streamCalls.js';

/** A stream of this shard. */
interface OwnedStream {
  readonly stream: Stream;
  /** Resolves when the changes that have been asked for are done, one behind the other. */
  changed: Promise<unknown>;
  /** Whether it is being destroyed, or has been. */
  gone: boolean;
}

/** Where streams are kept, by their kind of storage; null where there is no such place. */
export type StoragesByKind = Readonly<Record<StorageKind, Storages | null>>;

/** The streams that one shard owns. */
export class ShardStreams {
  /** What the API has answered here. */
  answered = 0;
  failed = 0;
  readonly #streams = new Map<string, OwnedStream>();
  readonly #storages: StoragesByKind;
  readonly #memory: MemoryShare;
  readonly #capture: Capture;
  readonly #slices: Slices;
  /** Nobody waits for it. */
  readonly #upkeep: Slices;
  readonly #clock: Clock;

  constructor(
    storages: StoragesByKind,
    memoryBytesMax: number,
    capture: Capture,
    slices: Slices,
    upkeep: Slices,
    clock: Clock,
  ) {
    this.#storages = storages;
    this.#memory = new MemoryShare(memoryBytesMax);
    this.#capture = capture;
    this.#slices = slices;
    this.#upkeep = upkeep;
    this.#clock = clock;
  }

  /**
   * A stream, when the changes are done that were asked for before.
   *
   * @throws ApiError when there is none of that name then
   */
  async get(name: string): Promise<Stream> {
    const owned = this.#owned(name);
    await owned.changed;
    return streamOf(owned);
  }

  /**
   * Changes a stream in several turns; whoever asks for the stream meanwhile waits. Changes are made in the order in which they were
   * asked for.
   *
   * @throws ApiError when there is none of that name when it is its turn
   */
  async change<T>(name: string, work: (stream: Stream) => Promise<T>): Promise<T> {
    const owned = this.#owned(name);
    const done = owned.changed.then(() => work(streamOf(owned)));
    owned.changed = done.catch(() => {});
    return await done;
  }

  #owned(name: string): OwnedStream {
    const owned = this.#streams.get(name);
    if (owned === undefined) throw apiErrors.streamNotFound;
    return owned;
  }

  /** @throws ApiError when there is no place for it */
  async create(config: StreamConfig): Promise<StreamSummary> {
    assert(!this.#streams.has(config.name), 'names are decided on by one shard');
    const storages = this.#storages[config.storage];
    if (storages === null) throw new ApiError(500, 10049, noFiles);
    const first = Number(config.first_seq) || 1;
    const storage = await storages.create(config.name, '', first);
    const stream = new Stream(config, this.#clock.nowUs(), storage, this.#memory);
    this.#streams.set(config.name, { stream, changed: Promise.resolve(), gone: false });
    this.#capture.add(stream);
    return summaryOf(stream);
  }

  update(config: StreamConfig): Promise<StreamSummary> {
    return this.change(config.name, async (stream) => {
      this.#capture.remove(stream.config.subjects);
      stream.update(config);
      this.#capture.add(stream);
      await this.#slices.run(stream.settle());
      return summaryOf(stream);
    });
  }

  destroy(name: string): Promise<void> {
    return this.change(name, async (stream) => {
      this.#owned(name).gone = true;
      this.#capture.remove(stream.config.subjects);
      await this.#storages[stream.config.storage]?.destroy(name);
      this.#streams.delete(name);
      stream.end();
    });
  }

  summaries(): StreamSummary[] {
    return [...this.#streams.values()].map(({ stream }) => summaryOf(stream));
  }

  usage(): StreamUsage {
    const of = (kind: StorageKind, sum: (stream: Stream) => number): number =>
      this.#all.filter(({ config }) => config.storage === kind).reduce((total, stream) => total + sum(stream), 0);
    const reserved = ({ config }: Stream): number => Math.max(0, Number(config.max_bytes));
    return {
      streams: this.#streams.size,
      memoryBytes: of('memory', ({ bytes }) => bytes),
      fileBytes: of('file', ({ bytes }) => bytes),
      reservedMemoryBytes: of('memory', reserved),
      reservedFileBytes: of('file', reserved),
      answered: this.answered,
      failed: this.failed,
    };
  }

  /** Called now and then: what streams are to give up goes in the turns that follow. */
  tick(): void {
    if (this.#streams.size > 0 && this.#upkeep.quiet) void this.#upkeep.run(this.#trimAll());
  }

  *#trimAll(): Steps {
    for (const owned of [...this.#streams.values()]) {
      const { stream } = owned;
      while (!owned.gone && (stream.trim(streamStepMessages) || stream.expire(this.#clock.nowUs(), streamStepMessages)))
        yield;
      yield;
    }
  }

  get #all(): Stream[] {
    return [...this.#streams.values()].map(({ stream }) => stream);
  }
}

function streamOf({ stream, gone }: OwnedStream): Stream {
  if (gone) throw apiErrors.streamNotFound;
  return stream;
}

const noFiles = 'error creating store for stream: there are no durable streams yet, only streams with storage: memory';
