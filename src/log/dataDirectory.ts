import { readCheckedNow, writeChecked } from './checkedFile.js';
import type { Disk } from './disk.js';
import { warningsOf } from './diskLook.js';
import type { JournalShape } from './journalShape.js';
import { reshard, type ShardOf } from './resharding.js';
import { expectSnapshot } from './snapshotFile.js';
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
  /** What it is in: `journalPath/id`, or the data directory, which may be moved. */
  readonly journalPath: string | null;
  /** What their files have, for as long as they are there. */
  readonly fileBytes: number;
}

export const formatName = 'shardcast.json';
const formatVersion = 1;
const idBytes = 8;

/** Which directory is meant. */
export interface PlaceSetting {
  readonly disk: Disk;
  readonly path: string;
  /** Where the journals are, or are to be; null for the data directory, or where it says. */
  readonly journalPath: string | null;
  /** Of journals that are made anew; but for what a directory says itself. */
  readonly shape: JournalShape;
}

export interface DataSetting extends PlaceSetting {
  readonly shards: number;
  /** Which shard of so many a stream lives on. */
  readonly shardOf: ShardOf;
  /** As many random bytes as are asked for. */
  randomBytes(count: number): Uint8Array;
}

/** A data directory that is this broker's alone. */
export class DataDirectory {
  readonly place: DataPlace;
  readonly #disk: Disk;
  readonly #lock: { closeNow(): void };

  private constructor(disk: Disk, place: DataPlace, lock: { closeNow(): void }) {
    this.#disk = disk;
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
    const lock = disk.lockNow(lockPath(path), 'alone');
    if (lock === null) throw new Error(`${path} is used by another broker`);
    try {
      const format = await formatOf(setting);
      await removeOthers(setting, format);
      return new DataDirectory(disk, placeOf(setting, format), lock);
    } catch (error) {
      lock.closeNow();
      throw error;
    }
  }

  /** What its user should know of the disk that its journals are on. */
  warnings(nowMs: () => number): Promise<string[]> {
    return warningsOf(this.#disk, nowMs, this.place.journals);
  }

  /** The disk begins to read what journals go on from. */
  expectSnapshots(): void {
    const { journals } = this.place;
    for (const name of this.#disk.namesNow(journals)) expectSnapshot(this.#disk, `${journals}/${name}`);
  }

  /** Lets another broker have it. */
  close(): void {
    this.#lock.closeNow();
  }
}

/** A file that the process holds which has the directory. */
export function lockPath(path: string): string {
  return `${path}/lock`;
}

/** Journals of several data directories may be on one disk. */
function rootOf({ path }: PlaceSetting, journalPath: string | null, id: string): string {
  return journalPath === null ? path : `${journalPath}/${id}`;
}

/** A data directory as it says itself. */
export interface StoredPlace {
  readonly place: DataPlace;
  /** Of how many shards its journals are. */
  readonly shards: number;
}

/**
 * Where a data directory's journals and streams are; null when it is none. Nothing is changed.
 *
 * @throws DamagedFile, Error when it is of another version, or what the disk says
 */
export function readPlaceNow(setting: PlaceSetting): StoredPlace | null {
  const { disk, path, journalPath } = setting;
  const format = readCheckedNow<Format>(disk, path, formatName, formatVersion);
  if (format === null) return null;
  const located = journalPath === null ? format : { ...format, journalPath };
  return { place: placeOf(setting, located), shards: format.shards };
}

function placeOf(setting: PlaceSetting, { id, journalPath, journals, fileBytes }: Format): DataPlace {
  return {
    streams: `${setting.path}/streams`,
    journals: `${rootOf(setting, journalPath, id)}/${journals}`,
    id: Uint8Array.from(Buffer.from(id, 'hex')),
    shape: { ...setting.shape, fileBytes },
  };
}

async function formatOf(setting: DataSetting): Promise<Format> {
  const { disk, path, shards } = setting;
  const format = readCheckedNow<Format>(disk, path, formatName, formatVersion);
  if (format === null) return makeFormat(setting);
  // it may be there without the disk having it yet, after a broker that was killed
  await disk.syncDirectory(path);
  await settleStreams(disk, `${path}/streams`);
  const located = await locate(setting, format);
  return located.shards === shards ? located : otherShards(setting, located);
}

/**
 * The journals are where they were, or somebody has moved them to where they are to be.
 *
 * @throws Error when they are somewhere else: another journal, or none, would be taken for them
 */
async function locate(setting: DataSetting, format: Format): Promise<Format> {
  const { disk, path, journalPath } = setting;
  if (journalPath === format.journalPath) return format;
  const located = { ...format, journalPath };
  const [before, after] = [placeOf(setting, format).journals, placeOf(setting, located).journals];
  if (disk.namesNow(before).length > 0 || disk.namesNow(after).length === 0)
    throw new Error(`the journals of ${path} are in ${before}: leave them there, or move that directory to ${after}`);
  await writeChecked(disk, path, formatName, located);
  return located;
}

async function makeFormat(setting: DataSetting): Promise<Format> {
  const { disk, path, journalPath, shards, shape, randomBytes } = setting;
  const id = toHex(randomBytes(idBytes));
  const format = {
    version: formatVersion,
    id,
    shards,
    journals: journalsName(1),
    journalPath,
    fileBytes: shape.fileBytes,
  };
  const { journals, streams } = placeOf(setting, format);
  for (const directory of [journals, streams]) {
    if (disk.namesNow(directory).length > 0) throw new Error(`${path}/${formatName} is missing`);
    await disk.makeDirectory(directory);
  }
  await writeChecked(disk, path, formatName, format);
  return format;
}

/** Until the format is written, what was there is what counts. */
async function otherShards(setting: DataSetting, before: Format): Promise<Format> {
  const { disk, path, shards, shape, shardOf } = setting;
  await removeOthers(setting, before);
  const journals = journalsName(numberOf(before.journals) + 1);
  const format = { ...before, shards, journals, fileBytes: shape.fileBytes };
  const to = { place: placeOf(setting, format), shards };
  await disk.makeDirectory(to.place.journals);
  await reshard({ disk, from: { place: placeOf(setting, before), shards: before.shards }, to, shardOf });
  await writeChecked(disk, path, formatName, format);
  return format;
}

/** Journals that were not finished, or are not used any more. */
async function removeOthers(setting: DataSetting, { id, journals, journalPath }: Format): Promise<void> {
  const { disk } = setting;
  const directory = rootOf(setting, journalPath, id);
  for (const name of disk.namesNow(directory))
    if (/^journal-\d+$/.test(name) && name !== journals) await disk.removeDirectory(`${directory}/${name}`);
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
