import { DamagedFile } from './checkedFile.js';
import type { Damage, LostRange } from './damage.js';
import { type DataPlace, formatName, lockPath, type PlaceSetting, readPlaceNow } from './dataDirectory.js';
import type { Disk } from './disk.js';
import type { DurableStorage } from './durableStorage.js';
import { InspectedJournal } from './inspectedJournal.js';
import { journalNumbers } from './journalFiles.js';
import { type NoteVisitor, readNotes } from './noteReading.js';
import { isReadError } from './patientDisk.js';
import { placeByFilesNow } from './placeByFiles.js';
import type { ShardOf } from './resharding.js';
import { metaName, metaNumbersNow, readMetaNow, refuseFormer } from './streamFile.js';

/** Something in a data directory that is not what was written there. */
export interface Finding {
  readonly file: string;
  /** Where in it, in bytes, and how many bytes from there on; perhaps into a later file. */
  readonly offset: number;
  readonly bytes: number;
  /** In plain words. */
  readonly text: string;
  /** Messages that are missing for it. */
  readonly lost: readonly LostRange[];
}

/** A stream as its files say. */
export interface InspectedStream {
  readonly number: number;
  /** Null when its own file is damaged. */
  readonly name: string | null;
  readonly description: string | null;
  /** Whether it is in the buffered journal of its shard; null when its own file is damaged. */
  readonly buffered: boolean | null;
}

export interface InspectionSetting extends PlaceSetting {
  readonly shardOf: ShardOf;
}

/** A start does without it. */
const damagedSnapshot = {
  text: 'what the next start would begin with is damaged, or of another version: it reads the whole journal',
  lost: [],
};

/** A data directory that no broker has, to be looked at: nothing in it is changed. */
export class Inspection {
  readonly findings: Finding[] = [];
  /** Where it is. */
  readonly place: DataPlace;
  readonly shards: number;
  readonly streams: readonly InspectedStream[];
  readonly journals: readonly InspectedJournal[];
  readonly #disk: Disk;
  readonly #lock: { closeNow(): void };

  private constructor(setting: InspectionSetting, lock: { closeNow(): void }) {
    this.#disk = setting.disk;
    this.#lock = lock;
    const text = 'what the directory says of itself is damaged';
    const stored = this.#orDamaged(`${setting.path}/${formatName}`, text, () => readPlaceNow(setting));
    const { place, shards } = stored ?? placeByFilesNow(setting);
    this.place = place;
    this.shards = shards;
    this.streams = this.#readMetas(place.streams);
    const isOf = ({ name }: InspectedStream, shard: number) => name !== null && setting.shardOf(name, shards) === shard;
    const isUnknown = ({ name }: InspectedStream) => stored === null || name === null;
    this.journals = Array.from({ length: 2 * shards }, (_, i) => {
      const shard = i >> 1;
      const buffered = i % 2 === 1;
      const isHere = (stream: InspectedStream) => isOf(stream, shard) && stream.buffered === buffered;
      const here = this.streams.filter((stream) => isUnknown(stream) || isHere(stream));
      const numbers = here.map(({ number }) => number);
      const journal = new InspectedJournal(setting.disk, place, shard, buffered, numbers);
      this.#lookForFiles(journal, here.filter((stream) => !isUnknown(stream)).length);
      return journal;
    });
  }

  /**
   * Takes a data directory for as long as it is looked at.
   *
   * @throws Error whose text is for the user: it is none, a broker has it, it is of another version, or what the disk says
   */
  static open(setting: InspectionSetting): Inspection {
    const { disk, path } = setting;
    if (!disk.namesNow(path).includes(formatName))
      throw new Error(`${path} is no data directory: it has no ${formatName}`);
    const lock = disk.lockNow(lockPath(path), 'shared');
    if (lock === null) throw new Error(`${path} is used by a broker: stop it first`);
    try {
      return new Inspection(setting, lock);
    } catch (error) {
      lock.closeNow();
      throw error;
    }
  }

  /** What journals' files have in all, in bytes. */
  get filesBytes(): number {
    return this.journals.reduce((sum, { filesBytes }) => sum + filesBytes, 0);
  }

  /**
   * Reads and checks everything, blocking the thread.
   *
   * @param onProgress called now and then with how many bytes were read
   * @throws what the disk says when it cannot be read
   */
  read(onProgress: (bytes: number) => void): void {
    let before = 0;
    for (const journal of this.journals) {
      journal.read((bytes) => onProgress(before + bytes));
      for (const damage of journal.damages) this.findings.push(this.#findingOf(damage));
      for (const file of journal.damagedSnapshots)
        this.findings.push({ file, offset: 0, bytes: 0, ...damagedSnapshot });
      before += journal.filesBytes;
    }
  }

  /**
   * Reads the notes of all streams again.
   *
   * @throws what the disk says when it cannot be read
   */
  readNotes(visit: NoteVisitor): void {
    for (const { noteSource } of this.journals) {
      const storages = new Map(
        [...noteSource.storages].filter(
          ([number, storage]) => (storage.notes?.keys ?? 0) > 0 && this.storageOf({ number }) === storage,
        ),
      );
      if (storages.size > 0) for (const _ of readNotes({ ...noteSource, storages }, visit));
    }
  }

  /** What a journal has of a stream: of the one that has most, where its owner is not known. */
  storageOf({ number }: Pick<InspectedStream, 'number'>): DurableStorage {
    const found = this.journals.flatMap(({ storages }) => storages.get(number) ?? []);
    return found.reduce((one, other) => (other.nextSequence > one.nextSequence ? other : one));
  }

  async close(): Promise<void> {
    for (const journal of this.journals) await journal.close();
    this.#lock.closeNow();
  }

  /** What is read of a file; null when that is damaged, or there is none. */
  #orDamaged<T>(file: string, text: string, read: () => T | null): T | null {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DamagedFile || isReadError(error))) throw error;
      this.findings.push({ file, offset: 0, bytes: 0, text, lost: [] });
      return null;
    }
  }

  #readMetas(streams: string): InspectedStream[] {
    refuseFormer(this.#disk, streams);
    return metaNumbersNow(this.#disk, streams).map((number) => this.#readMeta(streams, number));
  }

  #readMeta(streams: string, number: number): InspectedStream {
    const text = 'the name and the configuration of a stream are damaged';
    const file = `${streams}/${metaName(number)}`;
    const meta = this.#orDamaged(file, text, () => readMetaNow(this.#disk, streams, number));
    return meta ?? { number, name: null, description: null, buffered: null };
  }

  /** A journal is made before the first stream is. */
  #lookForFiles({ directory }: InspectedJournal, streams: number): void {
    if (streams === 0 || journalNumbers(this.#disk.namesNow(directory)).length > 0) return;
    const text = `there is no journal, though there are ${streams} streams`;
    this.findings.push({ file: directory, offset: 0, bytes: 0, text, lost: [] });
  }

  /** What streams have lost that are not there any more is no loss. */
  #findingOf({ file, offset, bytes, lost }: Damage): Finding {
    const there = lost.filter((range) => this.streams.some(({ number }) => number === range.stream));
    const text = bytes > 0 ? 'what was written there cannot be read' : 'messages are missing that should be there';
    return { file, offset, bytes, text, lost: there };
  }
}
