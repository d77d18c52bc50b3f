import { streamStepMessages } from '../../base/limits.js';
import type { Role } from '../../base/role.js';
import type { Storages } from '../../log/storage.js';
import { ApiError } from '../../stream/api/apiError.js';
import { type StreamSummary, summaryOf } from '../../stream/api/streamInfo.js';
import { MemoryShare } from '../../stream/memoryShare.js';
import { Stream } from '../../stream/stream.js';
import type { StorageKind, StreamConfig } from '../../stream/streamConfig.js';
import type { Clock } from '../../stream/times.js';
import type { Capture } from './capture.js';
import type { Slices } from './slices.js';
import type { StreamUsage } from './streamCalls.js';

/** A stream, and what has to have been done with it before something else is. */
export interface OwnedStream {
  readonly stream: Stream;
  /** Changes under way that nobody may see half done. */
  busy: Promise<unknown>;
}

/** Where streams are kept, by their kind of storage; null where there is no such place. */
export type StoragesByKind = Readonly<Record<StorageKind, Storages | null>>;

/** The streams that one shard owns. */
export class ShardStreams implements Role {
  /** What the API has answered here. */
  answered = 0;
  failed = 0;
  readonly #streams = new Map<string, OwnedStream>();
  readonly #storages: StoragesByKind;
  readonly #memory: MemoryShare;
  readonly #capture: Capture;
  readonly #slices: Slices;
  readonly #clock: Clock;

  constructor(storages: StoragesByKind, memoryBytesMax: number, capture: Capture, slices: Slices, clock: Clock) {
    this.#storages = storages;
    this.#memory = new MemoryShare(memoryBytesMax);
    this.#capture = capture;
    this.#slices = slices;
    this.#clock = clock;
  }

  /** A stream, when no change of it is under way; null when there is none of that name. */
  async find(name: string): Promise<Stream | null> {
    for (let owned = this.#streams.get(name); owned !== undefined; owned = this.#streams.get(name)) {
      const { busy } = owned;
      await busy;
      if (busy === owned.busy && owned === this.#streams.get(name)) return owned.stream;
    }
    return null;
  }

  /** Does something with a stream that takes several turns; whoever looks for the stream meanwhile waits. */
  exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
    const owned = this.#streams.get(name) as OwnedStream;
    const done = work();
    owned.busy = done.catch(() => {});
    return done;
  }

  /** @throws ApiError when there is no place for it */
  async create(config: StreamConfig): Promise<StreamSummary> {
    const storages = this.#storages[config.storage];
    if (storages === null) throw new ApiError(500, 10049, noFiles);
    const first = Number(config.first_seq) || 1;
    const storage = await storages.create(config.name, '', first);
    const stream = new Stream(config, this.#clock.nowUs(), storage, this.#memory);
    this.#streams.set(config.name, { stream, busy: Promise.resolve() });
    this.#capture.add(stream);
    return summaryOf(stream);
  }

  async update(config: StreamConfig): Promise<StreamSummary> {
    const stream = (await this.find(config.name)) as Stream;
    return await this.exclusively(config.name, async () => {
      this.#capture.remove(stream.config.subjects);
      stream.update(config);
      this.#capture.add(stream);
      await this.#slices.run(stream.settle());
      return summaryOf(stream);
    });
  }

  async destroy(name: string): Promise<void> {
    const stream = (await this.find(name)) as Stream;
    await this.exclusively(name, async () => {
      this.#capture.remove(stream.config.subjects);
      await this.#storages[stream.config.storage]?.destroy(name);
    });
    this.#streams.delete(name);
    stream.end();
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

  /** Goes on removing what streams are to give up; returns whether there is more. */
  doWork(): boolean {
    let more = false;
    for (const stream of this.#trimming) {
      if (stream.trim(streamStepMessages) || stream.expire(this.#clock.nowUs(), streamStepMessages)) more = true;
      else this.#trimming.delete(stream);
    }
    return more;
  }

  /** Streams of which something is to go. */
  readonly #trimming = new Set<Stream>();

  /** Called now and then: what is too old goes in the turns that follow. */
  tick(): void {
    for (const stream of this.#all) this.#trimming.add(stream);
  }

  get #all(): Stream[] {
    return [...this.#streams.values()].map(({ stream }) => stream);
  }
}

const noFiles = 'error creating store for stream: there are no durable streams yet, only streams with storage: memory';
