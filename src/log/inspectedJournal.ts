import { AssertionError } from '../base/assert.js';
import { BlockCache } from './blockCache.js';
import type { Damage } from './damage.js';
import type { DataPlace } from './dataDirectory.js';
import type { Disk } from './disk.js';
import { DurableStorage, type JournalAccess } from './durableStorage.js';
import type { Journal } from './journal.js';
import { journalDirectory, journalNumbers } from './journalFiles.js';
import { blockBytesMax } from './journalShape.js';
import { missingEnd } from './missingEnd.js';
import type { NoteSource } from './noteReading.js';
import { patientDisk } from './patientDisk.js';
import { ScanPass } from './scanPass.js';
import { readSnapshotNow, snapshotNames } from './snapshotFile.js';
import { readStreams } from './streamRecovery.js';
import { systemTimers } from './timers.js';

/** A journal of one shard that nobody writes to, and what its streams have there. */
export class InspectedJournal {
  readonly directory: string;
  readonly storages: ReadonlyMap<number, DurableStorage>;
  /** Blocks that were read and are whole. */
  blocks = 0;
  damages: readonly Damage[] = [];
  /** What was read, in bytes. */
  checkedBytes = 0;
  readonly #disk: Disk;
  readonly #place: DataPlace;
  readonly #cache: BlockCache;

  /** @param numbers of the streams that may have records in it */
  constructor(disk: Disk, place: DataPlace, shard: number, buffered: boolean, numbers: readonly number[]) {
    const { id, shape } = place;
    this.directory = journalDirectory(place.journals, shard, buffered);
    this.#disk = disk;
    this.#place = place;
    this.#cache = new BlockCache(disk, this.directory, id, shape.fileBytes, blockBytesMax(shape));
    const access = accessOf(this.#cache);
    this.storages = new Map(numbers.map((number) => [number, new DurableStorage(number, access)]));
  }

  /** What its files have, in bytes. */
  get filesBytes(): number {
    return this.#files.length * this.#place.shape.fileBytes;
  }

  get #files(): number[] {
    return journalNumbers(this.#disk.namesNow(this.directory));
  }

  /**
   * Reads all that is needed of it, and checks every block, blocking the thread.
   *
   * @param onProgress called now and then with how many bytes were read
   * @throws what the disk says when it cannot be read
   */
  read(onProgress: (bytes: number) => void): void {
    const [first] = this.#files;
    if (first === undefined) return;
    const begin = first * this.#place.shape.fileBytes;
    const disk = patientDisk(this.#disk);
    const { end, damages } = readStreams(disk, this.directory, this.#place, this.storages, (position) => {
      this.blocks++;
      onProgress(position - begin);
    });
    const missing = missingEnd(disk, this.directory, this.#place, this.storages, end.position);
    this.damages = missing === null ? damages : [...damages, missing];
    this.checkedBytes = end.position - Math.max(begin, end.begin);
  }

  /** Paths of what a stop or a checkpoint has left for the next start and is not what it wrote. */
  get damagedSnapshots(): string[] {
    const disk = patientDisk(this.#disk);
    const there = Object.values(snapshotNames).filter((name) => disk.namesNow(this.directory).includes(name));
    const damaged = there.filter((name) => readSnapshotNow(disk, this.directory, name, this.#place.id) === null);
    return damaged.map((name) => `${this.directory}/${name}`);
  }

  /** Where notes of its streams can be read again. */
  get noteSource(): NoteSource {
    return {
      disk: patientDisk(this.#disk),
      place: this.#place,
      directory: this.directory,
      storages: this.storages,
    };
  }

  async close(): Promise<void> {
    await this.#cache.close();
  }
}

function accessOf(cache: BlockCache): JournalAccess {
  return {
    get journal(): Journal {
      throw new AssertionError('nothing is written to a journal that is looked at');
    },
    cache,
    scans: new ScanPass(cache, systemTimers),
    messageBytesMax: 0,
    count() {},
    countNotes() {},
    staged: () => null,
  };
}
