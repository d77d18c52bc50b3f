import { randomBytes } from 'node:crypto';
import { byteText } from '../base/bytes.js';
import { DataDirectory } from '../log/dataDirectory.js';
import { systemDisk } from '../log/files.js';
import { journalShape } from '../log/journalShape.js';
import type { BrokerOptions } from '../options/brokerOptions.js';
import { readDurable } from '../options/durableSubject.js';
import { subjectsOverlap } from '../protocol/subject.js';
import type { DeclaredStream } from '../shard/streams/declaredStreams.js';
import { shardOfStream } from '../shard/streams/streamShard.js';
import type { StreamConfig } from '../stream/streamConfig.js';
import { DataError } from './dataError.js';
import type { Logger } from './logger.js';
import type { ShardWorker } from './shardWorker.js';
import { decider } from './streamLinks.js';

/**
 * Takes the directory of a broker's streams, for it alone; null when it has none. The log is told what is to be known of its disk.
 *
 * @throws DataError with what keeps it from that: another broker, damage, the disk
 */
export async function openData(
  { data, journalDir, shards }: BrokerOptions,
  log: () => Logger,
): Promise<DataDirectory | null> {
  if (data === null) return null;
  const setting = {
    disk: systemDisk,
    path: data,
    journalPath: journalDir,
    shards,
    shape: journalShape,
    shardOf: shardOfStream,
    randomBytes,
  };
  try {
    const directory = await DataDirectory.open(setting);
    for (const warning of await directory.warnings(() => performance.now())) log().warn(warning);
    return directory;
  } catch (error) {
    throw new DataError(`the data directory cannot be used: ${(error as Error).message}`);
  }
}

/**
 * Has every shard open its streams on disk, and tells all of them who owns what; before anybody can connect.
 *
 * @throws DataError when one of them cannot be opened
 */
export async function openStreams(
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
