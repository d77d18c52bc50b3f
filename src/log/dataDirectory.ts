import { readCheckedNow, writeChecked } from './checkedFile.js';
import type { Disk } from './disk.js';

/** Where a broker's streams are: may be handed to other threads. */
export interface DataPlace {
  /** Directory of the streams' own files. */
  readonly streams: string;
  /** Directory of the journals, one a shard. */
  readonly journals: string;
  /** Random, the same for as long as the directory is there. */
  readonly id: Uint8Array;
}

interface Format {
  readonly version: number;
  readonly id: string;
  /** Of how many shards the journals are. */
  readonly shards: number;
}

const formatName = 'shardcast.json';
const formatVersion = 1;
const idBytes = 8;

/** A data directory that is this broker's alone. */
export class DataDirectory {
  readonly place: DataPlace;
  readonly #lock: { closeNow(): void };

  private constructor(place: DataPlace, lock: { closeNow(): void }) {
    this.place = place;
    this.#lock = lock;
  }

  /**
   * Opens a directory, making it if it is not there.
   *
   * @param randomBytes as many random bytes as are asked for
   * @throws Error whose text is for the user: another broker has it, it is damaged, or what the disk says
   */
  static async open(
    disk: Disk,
    path: string,
    shards: number,
    randomBytes: (count: number) => Uint8Array,
  ): Promise<DataDirectory> {
    await disk.makeDirectory(path);
    const lock = disk.lockNow(`${path}/lock`);
    if (lock === null) throw new Error(`${path} is used by another broker`);
    try {
      const format = await formatOf(disk, path, shards, randomBytes);
      const id = Uint8Array.from(Buffer.from(format.id, 'hex'));
      return new DataDirectory({ streams: `${path}/streams`, journals: `${path}/journal`, id }, lock);
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

async function formatOf(
  disk: Disk,
  path: string,
  shards: number,
  randomBytes: (count: number) => Uint8Array,
): Promise<Format> {
  const format = readCheckedNow<Format>(disk, path, formatName, formatVersion);
  if (format === null)
    return makeFormat(disk, path, { version: formatVersion, id: toHex(randomBytes(idBytes)), shards });
  if (format.shards !== shards)
    throw new Error(`${path} is of a broker with --shards ${format.shards}, and cannot be opened with ${shards} yet`);
  return format;
}

async function makeFormat(disk: Disk, path: string, format: Format): Promise<Format> {
  for (const name of ['journal', 'streams']) {
    if (disk.namesNow(`${path}/${name}`).length > 0) throw new Error(`${path}/${formatName} is missing`);
    await disk.makeDirectory(`${path}/${name}`);
  }
  await writeChecked(disk, path, formatName, format);
  return format;
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
