import { MessageView } from '../base/messageView.js';
import type { DataPlace } from './dataDirectory.js';
import type { Disk } from './disk.js';
import type { DurableStorage } from './durableStorage.js';
import { DurableStorages } from './durableStorages.js';
import { committed, type RecordView } from './storage.js';
import { systemTimers } from './timers.js';

/** Which shard of so many a stream lives on. */
export type ShardOf = (name: string, shards: number) => number;

export interface Resharding {
  readonly disk: Disk;
  readonly from: { readonly place: DataPlace; readonly shards: number };
  readonly to: { readonly place: DataPlace; readonly shards: number };
  readonly shardOf: ShardOf;
}

/**
 * Copies all streams from the journals of so many shards to new ones of another number. What was there stays as it is. Resolves when all
 * is on disk.
 *
 * @throws Error when a journal is damaged: what can be read of it then is for people to decide
 */
export async function reshard(resharding: Resharding): Promise<void> {
  const { from, to, shardOf } = resharding;
  const targets = Array.from({ length: to.shards }, (_, shard) => storagesOf(resharding, to, shard));
  for (let shard = 0; shard < from.shards; shard++) {
    const source = storagesOf(resharding, from, shard);
    for (const { name, storage } of await source.open()) {
      const target = targets[shardOf(name, to.shards)];
      await copy(storage as DurableStorage, await target.adopt(name, (storage as DurableStorage).number));
    }
    await source.close();
  }
  for (const target of targets) await target.close();
}

function storagesOf(resharding: Resharding, side: Resharding['from'], shard: number): DurableStorages {
  const { disk, shardOf } = resharding;
  return new DurableStorages({
    disk,
    timers: systemTimers,
    place: side.place,
    shard,
    random: () => {
      throw new Error('no stream is made');
    },
    owns: (name) => shardOf(name, side.shards) === shard,
    // whoever starts next reads the journal
    onUnsaved: () => {},
    onDamage: ({ file, offset }) => {
      throw new Error(`${file} is damaged at ${offset}: start with ${resharding.from.shards} shards, as before`);
    },
  });
}

async function copy(source: DurableStorage, target: DurableStorage): Promise<void> {
  const view = new MessageView();
  const { nextSequence } = source;
  for (let at = source.firstSequence; at < nextSequence; at = source.nextThere(at + 1)) {
    await read(source, at, (record) => append(target, record, view));
    if (target.intake !== 'open') await committed(target);
  }
  if (nextSequence > target.nextSequence) target.skipTo(nextSequence);
  await committed(target);
}

function read(source: DurableStorage, sequence: number, use: (record: RecordView) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const show = (record: RecordView | null) => {
      if (record !== null) use(record);
      resolve();
    };
    source.read(sequence, show, ({ reason }) => reject(new Error(reason)));
  });
}

function append(target: DurableStorage, record: RecordView, view: MessageView): void {
  if (record.sequence > target.nextSequence) target.skipTo(record.sequence);
  const { span, subjectStart, subjectEnd, start, end, headerBytes, timeUs } = record;
  view.set(span, start, end);
  view.setHeaders(headerBytes);
  target.append({ span, start: subjectStart, end: subjectEnd }, view, 0, 1, timeUs);
}
