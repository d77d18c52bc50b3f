import { randomBytes } from 'node:crypto';
import { byteText } from '../base/bytes.js';
import { DataDirectory, type DataPlace } from '../log/dataDirectory.js';
import { systemDisk } from '../log/files.js';
import { journalShape } from '../log/journalShape.js';
import type { Gap } from '../log/scrub.js';
import type { BrokerOptions } from '../options/brokerOptions.js';
import { readDurable } from '../options/durableSubject.js';
import { subjectsOverlap } from '../protocol/subject.js';
import type { DeclaredStream } from '../shard/streams/declaredStreams.js';
import { shardOfStream } from '../shard/streams/streamShard.js';
import type { StreamConfig } from '../stream/streamConfig.js';
import { DataError } from './dataError.js';
import type { Logger } from './logger.js';
import { Scrubber } from './scrubber.js';
import type { ShardWorker } from './shardWorker.js';
import { decider } from './streamLinks.js';

/** The directory of a broker's streams, taken for it alone: what there is to do with it from the start to the end. Only a broker that has one loads this. */
export class BrokerData {
  readonly #directory: DataDirectory;
  readonly #log: () => Logger;
  #scrubber: Scrubber | null = null;

  private constructor(directory: DataDirectory, log: () => Logger) {
    this.#directory = directory;
    this.#log = log;
  }

  /**
   * Takes the directory. The log is told what is to be known of its disk.
   *
   * @throws DataError with what keeps it from that: another broker, damage, the disk
   */
  static async open(path: string, { journalDir, shards }: BrokerOptions, log: () => Logger): Promise<BrokerData> {
    const setting = {
      disk: systemDisk,
      path,
      journalPath: journalDir,
      shards,
      shape: journalShape,
      shardOf: shardOfStream,
      randomBytes,
    };
    try {
      const directory = await DataDirectory.open(setting);
      for (const warning of await directory.warnings(() => performance.now())) log().warn(warning);
      return new BrokerData(directory, log);
    } catch (error) {
      throw new DataError(`the data directory cannot be used: ${(error as Error).message}`);
    }
  }

  get place(): DataPlace {
    return this.#directory.place;
  }

  /** While the threads come up. */
  expectSnapshots(): void {
    this.#directory.expectSnapshots();
  }

  /**
   * Has every shard open its streams, and begins to check what they have; before anybody can connect.
   *
   * @throws DataError when one of them cannot be opened
   */
  async begin(workers: readonly ShardWorker[], options: BrokerOptions): Promise<void> {
    await openStreams(workers, options);
    if (options.scrubPeriodMs > 0)
      this.#scrubber = startScrubber(this.place, workers, options.scrubPeriodMs, this.#log);
  }

  async endScrub(): Promise<void> {
    await this.#scrubber?.end();
  }

  /** Lets another broker have it. */
  close(): void {
    this.#directory.close();
  }
}

/** Tells all shards who owns what, once each has opened its streams. */
async function openStreams(
  workers: readonly ShardWorker[],
  { lastValue, durable, sync }: Pick<BrokerOptions, 'lastValue' | 'durable' | 'sync'>,
): Promise<void> {
  const opened = await Promise.all(workers.map((worker) => worker.call('openStreams')));
  const error = opened.find((each) => each !== null && each.error !== null)?.error;
  if (error !== undefined) throw new DataError(`the streams cannot be opened: ${error}`);
  const configs = opened.flatMap((each) => each?.configs ?? []);
  checkSubjects(configs, lastValue);
  if (configs.length > 0) await Promise.all(workers.map((worker) => worker.call('knowStreams', configs)));
  if (durable.length === 0) return;
  const refusal = await workers[decider]?.call('declareStreams', declaredBy(durable, sync));
  if (refusal) throw new DataError(refusal);
}

function startScrubber(
  place: DataPlace,
  workers: readonly ShardWorker[],
  periodMs: number,
  log: () => Logger,
): Scrubber {
  const journalOf = ({ call }: ShardWorker, buffered: boolean) => ({
    sealedFiles: () => call('sealedFiles', buffered),
    onScrubbed: (gaps: readonly Gap[]) => call('onScrubbed', buffered, gaps),
  });
  const journals = workers.flatMap((worker) => [journalOf(worker, false), journalOf(worker, true)]);
  const scrubber = new Scrubber({ place, journals, periodMs, log });
  void scrubber.run();
  return scrubber;
}

/** The streams that `--durable` asks for, each with all of its subjects. */
function declaredBy(durable: readonly string[], sync: string): DeclaredStream[] {
  const streams = new Map<string, string[]>();
  for (const { name, subject } of durable.flatMap((each) => readDurable(each) ?? []))
    streams.set(name, [...(streams.get(name) ?? []), subject]);
  return [...streams].map(([name, subjects]) => ({ name, subjects, sync }));
}

/** A subject has one owner that keeps its messages: a stream's shard, or the one of its last value. */
function checkSubjects(configs: readonly StreamConfig[], lastValue: readonly string[]): void {
  for (const { name, subjects } of configs)
    for (const subject of subjects) {
      const kept = lastValue.find((pattern) => subjectsOverlap(byteText(pattern), byteText(subject)));
      if (kept !== undefined)
        throw new DataError(`the stream ${name} takes subjects of ${kept}, whose last messages are kept`);
    }
}
