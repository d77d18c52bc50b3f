import { assert } from '../../base/assert.js';
import { streamStepMessages } from '../../base/limits.js';
import type { StreamUsage } from '../../base/reports.js';
import { isFullError } from '../../log/disk.js';
import type { Storages } from '../../log/storage.js';
import { ApiError, apiErrors } from '../../stream/api/apiError.js';
import { type StreamSummary, summaryOf } from '../../stream/api/streamInfo.js';
import { type DiskPlace, placeOf, type StreamPlace } from '../../stream/extensions.js';
import { type MemoryBounds, MemoryShare } from '../../stream/memoryShare.js';
import type { PurgeOrder } from '../../stream/purges.js';
import type { Steps } from '../../stream/steps.js';
import { Stream } from '../../stream/stream.js';
import type { StorageKind, StreamConfig } from '../../stream/streamConfig.js';
import { readDescription, writeDescription } from '../../stream/streamDescription.js';
import type { Clock } from '../../stream/times.js';
import type { Capture } from './capture.js';
import type { Slices } from './slices.js';

/** A stream of this shard. */
interface OwnedStream {
  readonly stream: Stream;
  /** Resolves when the changes that have been asked for are done, one behind the other. */
  changed: Promise<unknown>;
  /** Whether it is being destroyed, or has been. */
  gone: boolean;
  /** What its file says is to be carried out. */
  purge: PurgeOrder | null;
}

/** Where streams are kept; null where there is no such place. */
export type StoragesByPlace = Readonly<Record<StreamPlace, Storages | null>>;

/** Who hears of the disk. */
export interface StorageReports {
  /** Something that waited for the disk may go on. */
  onCommitted(): void;
  /** Streams on disk take nothing any more. Once. */
  onFailed(reason: string): void;
}

/** What the streams of a shard work with. */
export interface ShardStreamsSite {
  readonly storages: StoragesByPlace;
  readonly memory: MemoryBounds;
  readonly capture: Capture;
  readonly slices: Slices;
  /** Nobody waits for it. */
  readonly upkeep: Slices;
  readonly clock: Clock;
  readonly reports: StorageReports;
  /** A stream is there again as it was before the start. */
  readonly onResumed: (stream: Stream) => void;
  /** A stream is no more. */
  readonly onGone: (name: string) => void;
}

/** The streams that one shard owns. */
export class ShardStreams {
  /** What the API has answered here. */
  answered = 0;
  failed = 0;
  readonly #streams = new Map<string, OwnedStream>();
  readonly #storages: StoragesByPlace;
  readonly #memory: MemoryShare;
  readonly #capture: Capture;
  readonly #slices: Slices;
  readonly #upkeep: Slices;
  readonly #clock: Clock;
  readonly #reports: StorageReports;
  readonly #onResumed: (stream: Stream) => void;
  readonly #onGone: (name: string) => void;
  readonly #failed = new Set<StreamPlace>();
  #isClosed = false;

  constructor(site: ShardStreamsSite) {
    this.#storages = site.storages;
    this.#memory = new MemoryShare(site.memory);
    this.#capture = site.capture;
    this.#slices = site.slices;
    this.#upkeep = site.upkeep;
    this.#clock = site.clock;
    this.#reports = site.reports;
    this.#onResumed = site.onResumed;
    this.#onGone = site.onGone;
  }

  /** Opens the streams that are on disk; before anything else is asked. Rejects with what the disk said. */
  async open(): Promise<StreamSummary[]> {
    const stored = new Map<string, Stream>();
    const purges = new Map<string, PurgeOrder>();
    for (const storages of this.#onDisk)
      await storages.open(({ name, description, storage }) => {
        const { config, createdUs, purge } = readDescription(description);
        if (purge !== null) purges.set(name, purge);
        stored.get(name)?.end();
        const stream = new Stream(config, createdUs, storage, this.#memory);
        stored.set(name, stream);
        return stream;
      });
    await Promise.all([...stored.values()].map((stream) => this.#resume(stream, purges.get(stream.name) ?? null)));
    return this.#all.map(summaryOf);
  }

  /** Writes what is not on disk yet; nothing is stored any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#onDisk.map((storages) => storages.close()));
  }

  get #onDisk(): Storages[] {
    const { synced, buffered } = this.#storages;
    return [synced, buffered].filter((storages) => storages !== null);
  }

  /** The stream of that name, whatever is done with it; null when there is none. */
  peek(name: string): Stream | null {
    return this.#streams.get(name)?.stream ?? null;
  }

  async #resume(stream: Stream, purge: PurgeOrder | null): Promise<void> {
    this.#clock.notBefore(stream.lastTimeUs);
    const owned = this.#begin(stream);
    if (purge !== null) {
      owned.purge = purge;
      await this.#carryOut(owned, purge);
    }
    this.#onResumed(stream);
    await this.#slices.run(stream.settle());
  }

  #begin(stream: Stream): OwnedStream {
    this.#listen(stream);
    stream.storage.owner = stream;
    const owned = { stream, changed: Promise.resolve(), gone: false, purge: null };
    this.#streams.set(stream.name, owned);
    this.#capture.add(stream);
    return owned;
  }

  #listen({ storage, place }: Stream): void {
    storage.events = {
      onCommitted: () => this.#reports.onCommitted(),
      onFailed: ({ reason }) => this.#fail(place, reason),
    };
  }

  /** All streams of a place on disk share a journal: none of them takes anything any more. */
  #fail(place: StreamPlace, reason: string): void {
    if (this.#failed.has(place)) return;
    this.#failed.add(place);
    const failure = new ApiError(503, 10077, reason);
    for (const stream of this.#all) if (stream.place === place) stream.failure = failure;
    this.#reports.onFailed(reason);
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
   * @throws ApiError when there is none of that name when it is its turn, or it takes nothing any more
   */
  async change<T>(name: string, work: (stream: Stream) => Promise<T>): Promise<T> {
    const owned = this.#owned(name);
    const done = owned.changed.then(() => work(changeable(owned)));
    owned.changed = done.catch(() => {});
    return await done;
  }

  /**
   * Removes what is asked for, all of it or, when it is cut short, nothing; resolves with how many messages that were.
   *
   * @param asked what it is, in steps
   * @throws ApiError as `change` does, and what `asked` throws
   */
  purge(name: string, asked: (stream: Stream) => Steps<PurgeOrder>): Promise<number> {
    return this.change(name, async (stream) => {
      const order = await this.#slices.run(asked(stream));
      const few = await this.#slices.run(stream.purges.few(order));
      if (few !== null) return await this.#slices.run(stream.purges.remove(few, order));
      const owned = this.#owned(name);
      await this.#note(owned, order).catch(failWith(10110));
      return await this.#carryOut(owned, order);
    });
  }

  /** Notes what a start is to carry out again. A full disk takes no note, and is to be emptied: what a kill leaves then is a part. */
  async #note(owned: OwnedStream, order: PurgeOrder): Promise<void> {
    const { config, isDurable } = owned.stream;
    if (isDurable) await this.#describe(owned, config, order).catch(unlessFull);
  }

  async #carryOut(owned: OwnedStream, order: PurgeOrder): Promise<number> {
    const removed = await this.#slices.run(owned.stream.purges.carryOut(order));
    if (owned.purge === order) void this.#forgetPurge(owned, order);
    return removed;
  }

  /** It need not be carried out again once it lasts. A file that cannot be written says so further, which does no harm. */
  async #forgetPurge(owned: OwnedStream, order: PurgeOrder): Promise<void> {
    await owned.stream.storage.lasting();
    const isNoted = () => owned.purge === order && !owned.gone && !this.#isClosed && owned.stream.failure === null;
    owned.changed = owned.changed.then(async () => {
      if (isNoted()) await this.#describe(owned, owned.stream.config, null).catch(() => {});
    });
  }

  /** Writes a stream's file. */
  async #describe(owned: OwnedStream, config: StreamConfig, purge: PurgeOrder | null): Promise<void> {
    const { createdUs } = owned.stream;
    const description = writeDescription({ config, createdUs, purge });
    await this.#storages[placeOf(config)]?.describe(config.name, description);
    owned.purge = purge;
  }

  #owned(name: string): OwnedStream {
    const owned = this.#streams.get(name);
    if (owned === undefined) throw apiErrors.streamNotFound;
    return owned;
  }

  /** @throws ApiError when there is no place for it */
  async create(config: StreamConfig): Promise<StreamSummary> {
    assert(!this.#streams.has(config.name), 'names are decided on by one shard');
    const storages = this.#storages[placeOf(config)];
    if (storages === null) throw new ApiError(500, 10049, noFiles);
    const first = Number(config.first_seq) || 1;
    const createdUs = this.#clock.nowUs();
    const description = writeDescription({ config, createdUs, purge: null });
    const storage = await storages
      .create(config.name, description, first)
      .catch(failWith(10049, 'error creating store for stream: '));
    const stream = new Stream(config, createdUs, storage, this.#memory);
    this.#begin(stream);
    return summaryOf(stream);
  }

  update(config: StreamConfig): Promise<StreamSummary> {
    return this.change(config.name, async (stream) => {
      const owned = this.#owned(config.name);
      await this.#describe(owned, config, owned.purge).catch(failWith(10069));
      this.#capture.remove(stream.config.subjects);
      stream.update(config);
      this.#capture.add(stream);
      await this.#slices.run(stream.settle());
      return summaryOf(stream);
    });
  }

  destroy(name: string): Promise<void> {
    return this.change(name, async (stream) => {
      const owned = this.#owned(name);
      // before its storage goes: nothing is removed from that any more
      owned.gone = true;
      this.#streams.delete(name);
      try {
        await this.#storages[stream.place]?.destroy(name);
      } catch (error) {
        owned.gone = false;
        this.#streams.set(name, owned);
        throw failWith(10050)(error as Error);
      }
      this.#capture.remove(stream.config.subjects);
      stream.end();
      this.#onGone(name);
    });
  }

  /** Whether more of the streams of a place waits for the disk than should. */
  isBehind(place: DiskPlace): boolean {
    for (const { stream } of this.#streams.values())
      if (stream.place === place && stream.failure === null && stream.storage.intake === 'behind') return true;
    return false;
  }

  /** All names, in order. */
  get names(): readonly string[] {
    return [...this.#streams.keys()].sort();
  }

  /** Those of these names that are there. */
  summaries(names: readonly string[]): StreamSummary[] {
    return names.flatMap((name) => {
      const stream = this.peek(name);
      return stream === null ? [] : [summaryOf(stream)];
    });
  }

  /** What all of them use; of very many it is added up over turns. */
  usage(): Promise<StreamUsage> {
    return this.#slices.run(this.#usage());
  }

  *#usage(): Steps<StreamUsage> {
    const bytes: Record<StorageKind, number> = { memory: 0, file: 0 };
    const reserved: Record<StorageKind, number> = { memory: 0, file: 0 };
    let consumers = 0;
    let messages = 0;
    let seen = 0;
    for (const { stream } of this.#streams.values()) {
      if (++seen % usageStep === 0) yield;
      const { storage, max_bytes } = stream.config;
      bytes[storage] += stream.bytes;
      reserved[storage] += Math.max(0, Number(max_bytes));
      consumers += stream.consumers.size;
      messages += stream.messages;
    }
    const { answered, failed } = this;
    return {
      streams: this.#streams.size,
      consumers,
      messages,
      memoryBytes: bytes.memory,
      fileBytes: bytes.file,
      reservedMemoryBytes: reserved.memory,
      reservedFileBytes: reserved.file,
      answered,
      failed,
    };
  }

  /** Called now and then: what streams are to give up goes in the turns that follow. */
  tick(): void {
    if (this.#streams.size > 0 && this.#upkeep.quiet) void this.#upkeep.run(this.#trimAll());
  }

  *#trimAll(): Steps {
    for (const owned of [...this.#streams.values()]) {
      const { stream } = owned;
      while (!owned.gone && stream.failure === null && this.#trim(stream)) yield;
      yield;
    }
  }

  #trim(stream: Stream): boolean {
    return stream.trim(streamStepMessages) || stream.expire(this.#clock.nowUs(), streamStepMessages);
  }

  get #all(): Stream[] {
    return [...this.#streams.values()].map(({ stream }) => stream);
  }
}

/** So many streams are added up in a step. */
const usageStep = 128;

function streamOf({ stream, gone }: OwnedStream): Stream {
  if (gone) throw apiErrors.streamNotFound;
  return stream;
}

/** @throws ApiError also when it has failed */
function changeable(owned: OwnedStream): Stream {
  const stream = streamOf(owned);
  if (stream.failure !== null) throw stream.failure;
  return stream;
}

/** Makes what the disk said an answer. */
function failWith(errCode: number, before = ''): (error: Error) => never {
  return ({ message }) => {
    throw new ApiError(500, errCode, `${before}${message}`);
  };
}

/** @throws what the disk said, unless it is full */
function unlessFull(error: Error): void {
  if (!isFullError(error)) throw error;
}

const noFiles =
  'error creating store for stream: this server has no directory for streams (--data), only streams with storage: memory';
