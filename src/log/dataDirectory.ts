import { readCheckedNow, writeChecked } from './checkedFile.js';
import type { Disk } from './disk.js';
import type { JournalShape } from './journal.js';
import { reshard, type ShardOf } from './resharding.js';
import { settleStreams } from './streamFile.js';

/** Where a broker's streams are: may be handed to other threads. */
export interface DataPlace {
  /** Directory of the streams' own files. */
  readonly streams: string;
  /** Directory of the journals, one a shard. */
  readonly journals: string;
  /** Random, the same for as long as the directory is there. */
  readonly id: Uint8Array;
  readonly shape: JournalShape;
}

interface Format {
  readonly version: number;
  readonly id: string;
  /** Of how many shards the journals are. */
  readonly shards: number;
  /** Name of the journals' directory: another one when they are made anew. */
  readonly journals: string;
  /** What their files have, for as long as they are there. */
  readonly fileBytes: number;
}

const formatName = 'shardcast.json';
const formatVersion = 1;
const idBytes = 8;

export interface DataSetting {
  readonly disk: Disk;
  readonly path: string;
  readonly shards: number;
  /** Of journals that are made anew. */
  readonly shape: JournalShape;
  /** Which shard of so many a stream lives on. */
  readonly shardOf: ShardOf;
  /** As many random bytes as are asked for. */
  randomBytes(count: number): Uint8Array;
}

/** A data directory that is this broker's alone. */
export class DataDirectory {
  readonly place: DataPlace;
  readonly #lock: { closeNow(): void };

  private constructor(place: DataPlace, lock: { closeNow(): void }) {
    this.place = place;
    this.#lock = lock;
  }

  /**
   * Opens a directory, making it if it is not there. Journals of another number of shards are made anew.
   *
   * @throws Error whose text is for the user: another broker has it, it is damaged, or what the disk says
   */
  static async open(setting: DataSetting): Promise<DataDirectory> {
    const { disk, path } = setting;
    await disk.makeDirectory(path);
    const lock = disk.lockNow(`${path}/lock`);
    if (lock === null) throw new Error(`${path} is used by another broker`);
    try {
      const format = await formatOf(setting);
      await removeOthers(disk, path, format);
      return new DataDirectory(placeOf(setting, format), lock);
    } catch (error) {
      lock.closeNow();
      throw error;
    }
  }

  /** Lets another broker have it. */
  close(): void {
    this.#lock.closeNow();
  }
}

function placeOf({ path, shape }: DataSetting, { id, journals, fileBytes }: Format): DataPlace {
  return {
    streams: `${path}/streams`,
    journals: `${path}/${journals}`,
    id: Uint8Array.from(Buffer.from(id, 'hex')),
    shape: { ...shape, fileBytes },
  };
}

async function formatOf(setting: DataSetting): Promise<Format> {
  const { disk, path, shards } = setting;
  const format = readCheckedNow<Format>(disk, path, formatName, formatVersion);
  if (format === null) return makeFormat(setting);
  // it may be there without the disk having it yet, after a broker that was killed
  await disk.syncDirectory(path);
  await settleStreams(disk, `${path}/streams`);
  return format.shards === shards ? format : otherShards(setting, format);
}

async function makeFormat({ disk, path, shards, shape, randomBytes }: DataSetting): Promise<Format> {
  const id = toHex(randomBytes(idBytes));
  const format = { version: formatVersion, id, shards, journals: journalsName(1), fileBytes: shape.fileBytes };
  for (const name of [format.journals, 'streams']) {
    if (disk.namesNow(`${path}/${name}`).length > 0) throw new Error(`${path}/${formatName} is missing`);
    await disk.makeDirectory(`${path}/${name}`);
  }
  await writeChecked(disk, path, formatName, format);
  return format;
}

/** Until the format is written, what was there is what counts. */
async function otherShards(setting: DataSetting, before: Format): Promise<Format> {
  const { disk, path, shards, shape, shardOf } = setting;
  await removeOthers(disk, path, before);
  const journals = journalsName(numberOf(before.journals) + 1);
  const format = { ...before, shards, journals, fileBytes: shape.fileBytes };
  await disk.makeDirectory(`${path}/${format.journals}`);
  await reshard({
    disk,
    from: { place: placeOf(setting, before), shards: before.shards },
    to: { place: placeOf(setting, format), shards },
    shardOf,
  });
  await writeChecked(disk, path, formatName, format);
  return format;
}

/** Journals that were not finished, or are not used any more. */
async function removeOthers(disk: Disk, path: string, { journals }: Format): Promise<void> {
  for (const name of disk.namesNow(path))
    if (/^journal-\d+$/.test(name) && name !== journals) await disk.removeDirectory(`${path}/${name}`);
}

function journalsName(number: number): string {
  return `journal-${number}`;
}

function numberOf(journals: string): number {
  return Number(journals.slice(journals.indexOf('-') + 1));
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
