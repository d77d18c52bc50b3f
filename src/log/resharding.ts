import type { DataPlace } from './dataDirectory.js';
import type { Disk } from './disk.js';
import type { DurableStorage } from './durableStorage.js';
import { DurableStorages } from './durableStorages.js';
import { copyNotes } from './noteCopy.js';
import type { StoredStream } from './storage.js';
import { copyStream } from './streamCopy.js';
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
  for (const buffered of [false, true]) await reshardJournals(resharding, buffered);
}

/** Copies the streams of the buffered journals, or those of the others. */
async function reshardJournals(resharding: Resharding, buffered: boolean): Promise<void> {
  const { from, to, shardOf } = resharding;
  const targets = Array.from({ length: to.shards }, (_, shard) => storagesOf(resharding, to, shard, buffered));
  for (let shard = 0; shard < from.shards; shard++) {
    const source = storagesOf(resharding, from, shard, buffered);
    const streams = new Map<string, StoredStream>();
    await source.open((stream) => {
      streams.set(stream.name, stream);
      return null;
    });
    const copies = new Map<number, DurableStorage>();
    for (const { name, storage } of streams.values()) {
      const { number } = storage as DurableStorage;
      const target = await targets[shardOf(name, to.shards)].adopt(name, number);
      await copyStream(storage as DurableStorage, target, refuse);
      copies.set(number, target);
    }
    await copyNotes(source.noteSource, copies);
    await source.close();
  }
  for (const target of targets) await target.close();
}

/** Streams of one shard, to be copied or to take copies: nothing of them may be damaged, and none is made but as a copy. */
export function storagesOf(
  { disk, shardOf }: Pick<Resharding, 'disk' | 'shardOf'>,
  side: Resharding['from'],
  shard: number,
  buffered: boolean,
): DurableStorages {
  return new DurableStorages({
    disk,
    timers: systemTimers,
    place: side.place,
    shard,
    buffered,
    random: () => {
      throw new Error('no stream is made');
    },
    owns: (name) => shardOf(name, side.shards) === shard,
    // whoever starts next reads the journal
    onUnsaved: () => {},
    onDamage: ({ file, offset }) => {
      throw new Error(`${file} is damaged at ${offset}: start with ${side.shards} shards, as before`);
    },
  });
}

function refuse(reason: string): never {
  throw new Error(reason);
}
