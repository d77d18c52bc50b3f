import { dirname } from 'node:path';
import { DataDirectory, type DataSetting } from './dataDirectory.js';
import type { Disk } from './disk.js';
import type { DurableStorage } from './durableStorage.js';
import type { Inspection } from './inspection.js';
import { copyNotes } from './noteCopy.js';
import { storagesOf } from './resharding.js';
import { copyStream } from './streamCopy.js';
import { type StreamMeta, writeMeta } from './streamFile.js';

export interface RepairSetting extends Omit<DataSetting, 'shards' | 'journalPath'> {
  /** What a stream is called and described as whose own file is damaged. */
  nameLost(number: number): { readonly name: string; readonly description: string };
  /** Called when a stream was copied. */
  onCopied(copied: CopiedStream): void;
}

export interface CopiedStream {
  readonly number: number;
  readonly name: string;
  /** Whether it had another name, which is damaged. */
  readonly isRenamed: boolean;
  /** Messages that are there. */
  readonly messages: number;
  /** Why some that were there when they were looked at could not be read any more. */
  readonly unreadable: readonly string[];
}

/**
 * Copies all that an inspection has read into a new data directory, at `setting.path`. What was there stays as it is; the new one is there
 * when all of it is on disk, and not before.
 *
 * @throws rejects when something is there already, or with what the disk said
 */
export async function repair(inspection: Inspection, setting: RepairSetting): Promise<void> {
  const { disk, path, shardOf } = setting;
  const { shards } = inspection;
  refuseUsed(disk, path);
  const aside = asideOf(path);
  const directory = await DataDirectory.open({ ...setting, path: aside, journalPath: null, shards });
  const to = { place: directory.place, shards };
  const targetsOf = (buffered: boolean) =>
    Array.from({ length: shards }, (_, shard) => storagesOf({ disk, shardOf }, to, shard, buffered));
  const targets = { synced: targetsOf(false), buffered: targetsOf(true) };
  const copies = new Map<number, DurableStorage>();
  for (const { number, name, description, buffered } of inspection.streams) {
    const isKnown = name !== null && description !== null;
    const known = isKnown ? { name, description } : setting.nameLost(number);
    const meta = { number, ...known, buffered: buffered === true };
    const target = targets[meta.buffered ? 'buffered' : 'synced'][shardOf(meta.name, shards)];
    const storage = await target.adopt(meta.name, number);
    copies.set(number, storage);
    setting.onCopied({ ...(await copy(inspection, meta, storage)), isRenamed: !isKnown });
    await writeMeta(disk, directory.place.streams, meta);
  }
  await copyAllNotes(inspection, copies);
  for (const target of [...targets.synced, ...targets.buffered]) await target.close();
  directory.close();
  await disk.rename(aside, path);
  await disk.syncDirectory(dirname(path));
}

/** @throws Error when something is where a repair is to be */
export function refuseUsed(disk: Disk, path: string): void {
  if (disk.namesNow(path).length > 0) throw new Error(`${path} is not empty`);
  const aside = asideOf(path);
  if (disk.namesNow(aside).length > 0) throw new Error(`${aside} is what an earlier repair has left: remove it first`);
}

function asideOf(path: string): string {
  return `${path}.unfinished`;
}

async function copy(
  inspection: Inspection,
  { number, name }: StreamMeta,
  storage: DurableStorage,
): Promise<Omit<CopiedStream, 'isRenamed'>> {
  const unreadable: string[] = [];
  await copyStream(inspection.storageOf({ number }), storage, (reason) => unreadable.push(reason));
  return { number, name, messages: storage.live, unreadable };
}

/** Of each stream from the journal that its messages come from. */
async function copyAllNotes(inspection: Inspection, copies: ReadonlyMap<number, DurableStorage>): Promise<void> {
  for (const { noteSource } of inspection.journals) {
    const here = [...noteSource.storages].filter(([number, storage]) => inspection.storageOf({ number }) === storage);
    await copyNotes({ ...noteSource, storages: new Map(here) }, copies);
  }
}
