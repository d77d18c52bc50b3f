import { assert } from '../base/assert.js';
import { compactionSpareFiles, compactionStepBytes } from '../base/limits.js';
import type { BlockCache } from './blockCache.js';
import type { BlockReader } from './blockReader.js';
import type { DurableStorage } from './durableStorage.js';
import { entryRoom } from './entryLayout.js';
import { Gathering } from './gathering.js';
import type { Journal } from './journal.js';
import { blockBytesMax, type JournalShape } from './journalShape.js';
import type { NoteRewriting } from './noteRewriting.js';

/** What is compacted. */
export interface Compacted {
  readonly journal: Journal;
  readonly cache: BlockCache;
  readonly shape: JournalShape;
  readonly storages: ReadonlyMap<number, DurableStorage>;
  readonly notes: NoteRewriting;
  /** A block that is needed cannot be read. */
  onUnreadable(position: number, lengthBytes: number): void;
}

/**
 * Copies what is left in the first file of a journal to its end, and has whole notes written anew, so that the file can be used again, when the journal is more than twice as
 * long as what its streams keep. As much as a block has at a time, and the next when that is on disk: of what is written at most half are
 * copies.
 */
export class Compaction {
  readonly #compacted: Compacted;
  readonly #gathering: Gathering;
  #running = false;
  #stopped = false;

  constructor(compacted: Compacted) {
    this.#compacted = compacted;
    this.#gathering = new Gathering(blockBytesMax(compacted.shape));
  }

  /** Begins if that is due. */
  look(): void {
    if (!this.#running && this.#isDue) void this.#run();
  }

  /** Nothing more is copied. */
  stop(): void {
    this.#stopped = true;
  }

  get #isDue(): boolean {
    const { journal, shape, storages } = this.#compacted;
    const files = journal.fileNumber - journal.firstFile - compactionSpareFiles;
    if (this.#stopped || files <= 0 || !journal.hasRoomForCopies) return false;
    let keptBytes = 0;
    for (const { keptBytes: recordBytes, notes } of storages.values())
      keptBytes += recordBytes + (notes?.keptBytes ?? 0);
    return files * shape.fileBytes > 2 * keptBytes;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#isDue) await this.#copyFile(this.#compacted.journal.firstFile);
    this.#running = false;
  }

  /** With the last of its records and whole notes the file is released. */
  async #copyFile(number: number): Promise<void> {
    for (const [position, lengthBytes] of this.#blocksOf(number)) await this.#gatherBlock(position, lengthBytes);
    await this.#lay();
    const { shape, notes } = this.#compacted;
    await notes.rewrite(number * shape.fileBytes, (number + 1) * shape.fileBytes);
    assert(
      this.#stopped || this.#compacted.journal.firstFile > number,
      'a file is released when nothing is left in it',
    );
  }

  /** Positions and lengths of the blocks of a file that have records, in order. */
  #blocksOf(number: number): [number, number][] {
    const { shape, storages } = this.#compacted;
    const blocks = new Map<number, number>();
    for (const storage of storages.values()) {
      storage.forEachBlock((position, lengthBytes) => {
        if (Math.floor(position / shape.fileBytes) === number) blocks.set(position, lengthBytes);
      });
    }
    return [...blocks].sort(([a], [b]) => a - b);
  }

  /** Gathers what a block has. Of one that cannot be read nothing is: its file and all behind it stay. */
  async #gatherBlock(position: number, lengthBytes: number): Promise<void> {
    if (this.#stopped || !this.#isNeeded(position)) return;
    if (!(await this.#gather(position, lengthBytes))) {
      await this.#lay();
      await this.#gather(position, lengthBytes);
    }
  }

  /** Whether the file that a block lies in is not released yet. */
  #isNeeded(position: number): boolean {
    const { journal, shape } = this.#compacted;
    return position >= journal.firstFile * shape.fileBytes;
  }

  /** Resolves with whether there was room for all of a block. */
  #gather(position: number, lengthBytes: number): Promise<boolean> {
    const { cache, onUnreadable } = this.#compacted;
    return new Promise((resolve) => {
      cache.read(position, lengthBytes, (reader) => {
        // what lay there may have been removed meanwhile, and its file be used again
        if (reader === null && this.#isNeeded(position)) {
          this.stop();
          onUnreadable(position, lengthBytes);
        }
        resolve(reader === null || this.#gatherRecords(reader, position));
      });
    });
  }

  #gatherRecords(reader: BlockReader, position: number): boolean {
    const { shape, storages } = this.#compacted;
    const gathering = this.#gathering;
    const bytesMax = gathering.isEmpty ? Number.POSITIVE_INFINITY : Math.min(shape.commitBytes, compactionStepBytes);
    reader.rewind();
    while (reader.next()) {
      if (!reader.isRecord || storages.get(reader.stream)?.hasIn(reader.sequence, position) !== true) continue;
      if (gathering.bytes + entryRoom(reader.entryBytes) > bytesMax) {
        gathering.takeBack(position);
        return false;
      }
      gathering.add(reader, position);
    }
    return true;
  }

  /** Copies what was gathered and is still there to the journal's open block; resolves when that is on disk. */
  async #lay(): Promise<void> {
    const { journal, storages } = this.#compacted;
    const gathering = this.#gathering;
    if (gathering.isEmpty || this.#stopped) return;
    journal.blocks.makeRoom(gathering.bytes);
    gathering.drain((position) => storages.get(gathering.walk.stream)?.copy(gathering.walk, position));
    await journal.written();
  }
}
