import { JournalMemory } from '../base/kernel.js';
import { journalAheadBytes, journalFillBytes, journalPageBytes } from '../base/limits.js';
import { BlockReader, readerBytes } from './blockReader.js';
import { type ReadingDisk, type ReadingFile, readAllNow } from './disk.js';
import { journalPath } from './journalFiles.js';

/** Reads the blocks of a journal from their files, one after the other, blocking the thread. */
export class JournalReader {
  readonly blocks: BlockReader;
  readonly #disk: ReadingDisk;
  readonly #directory: string;
  readonly #fileBytes: number;
  readonly #aheadBytes: number;
  /** What was read ahead, from `#windowAt` on, in bytes of the journal. */
  readonly #window: Uint8Array;
  #windowAt = 0;
  #windowBytes = 0;
  /** Up to this offset of the file the disk was told to read. */
  #expectedTo = 0;
  #file: ReadingFile | null = null;
  #number = -1;

  /**
   * @param blockBytes what a block may have
   * @param aheadBytes how far the disk reads on while a window is looked at
   */
  constructor(
    disk: ReadingDisk,
    directory: string,
    id: Uint8Array,
    fileBytes: number,
    blockBytes: number,
    aheadBytes = journalAheadBytes,
  ) {
    this.#aheadBytes = aheadBytes;
    this.#disk = disk;
    this.#directory = directory;
    this.#fileBytes = fileBytes;
    this.#window = new Uint8Array(Math.min(journalFillBytes, fileBytes));
    this.blocks = new BlockReader(new JournalMemory(readerBytes(blockBytes)), 0, blockBytes, id);
  }

  /**
   * Puts the block at a position where `blocks` reads it; returns its length in whole pages, or 0 when no whole block of this journal
   * lies there. The file is there.
   *
   * @throws what the disk says when it cannot be read
   */
  load(position: number): number {
    if (this.#fill(position, journalPageBytes) < journalPageBytes) return 0;
    const claimed = this.blocks.claimedBytes(position);
    if (claimed === 0 || this.#fill(position, claimed) < claimed) return 0;
    return this.blocks.check() ? claimed : 0;
  }

  /** Puts bytes of one file into the room; returns how many there are. */
  #fill(position: number, length: number): number {
    const end = position + length;
    const number = Math.floor(position / this.#fileBytes);
    if (position < this.#windowAt || end > this.#windowAt + this.#windowBytes) {
      const file = this.#open(number);
      const offset = position - number * this.#fileBytes;
      if (length > this.#window.length) return readAllNow(file, this.blocks.room.subarray(0, length), offset);
      const left = Math.min(this.#window.length, this.#fileBytes - offset);
      this.#expect(file, offset + left);
      this.#windowAt = position;
      this.#windowBytes = readAllNow(file, this.#window.subarray(0, left), offset);
    }
    const from = position - this.#windowAt;
    const there = Math.min(length, this.#windowBytes - from);
    this.blocks.room.set(this.#window.subarray(from, from + there));
    return there;
  }

  /** The disk goes on to read from an offset on, while the blocks before it are looked at. */
  #expect(file: ReadingFile, from: number): void {
    const stepBytes = this.#window.length;
    this.#expectedTo = Math.max(this.#expectedTo, from);
    const end = Math.min(from + this.#aheadBytes, this.#fileBytes);
    for (; this.#expectedTo < end; this.#expectedTo += stepBytes) file.expectNow(this.#expectedTo, stepBytes);
  }

  #open(number: number): ReadingFile {
    if (this.#file !== null && this.#number === number) return this.#file;
    this.close();
    this.#file = this.#disk.openNow(journalPath(this.#directory, number), 'read');
    this.#number = number;
    this.#expectedTo = 0;
    return this.#file;
  }

  close(): void {
    this.#file?.closeNow();
    this.#file = null;
    this.#windowBytes = 0;
  }
}
