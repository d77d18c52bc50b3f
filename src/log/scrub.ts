import { journalPageBytes } from '../base/limits.js';
import type { DataPlace } from './dataDirectory.js';
import type { Disk } from './disk.js';
import { JournalReader } from './journalReader.js';
import { blockBytesMax } from './journalShape.js';

/** The files of a journal that are needed and written to no more: from the first to the last one (exclusive). */
export interface SealedFiles {
  readonly directory: string;
  readonly first: number;
  readonly end: number;
}

/** A sealed file that is to be checked; the next one is there. */
export interface ScrubTask extends Pick<DataPlace, 'id' | 'shape'> {
  readonly directory: string;
  readonly number: number;
}

/** A stretch of a journal that is not what was written. */
export interface Gap {
  /** In bytes of the journal. */
  readonly position: number;
  readonly bytes: number;
}

/**
 * Checks all blocks of a sealed file, blocking the thread. If the file is used again meanwhile it seems damaged: only who knows that it is
 * still needed can tell.
 *
 * @param onRead called for each block with how much was read so far, in bytes
 * @throws what the disk says when it cannot be read
 */
export function scrubFile(disk: Disk, task: ScrubTask, onRead: (bytes: number) => void): Gap[] {
  const { directory, number, id, shape } = task;
  const reader = new JournalReader(disk, directory, id, shape.fileBytes, blockBytesMax(shape));
  try {
    return new FileScrub(reader, number * shape.fileBytes, shape.fileBytes).run(onRead);
  } finally {
    reader.close();
  }
}

class FileScrub {
  readonly #reader: JournalReader;
  readonly #begin: number;
  readonly #end: number;
  /** Of the last whole block. */
  readonly #check = new Uint8Array(8);
  #epoch = 0;
  /** Whether the next block has to say that it follows the last one. */
  #chained = false;

  constructor(reader: JournalReader, begin: number, bytes: number) {
    this.#reader = reader;
    this.#begin = begin;
    this.#end = begin + bytes;
  }

  run(onRead: (bytes: number) => void): Gap[] {
    const gaps: Gap[] = [];
    for (let position = this.#begin; position < this.#end; ) {
      const length = this.#load(position);
      const next = length > 0 ? position + length : this.#next(position);
      if (length === 0 && !(next === this.#end && this.#endsHere)) {
        gaps.push({ position, bytes: next - position });
        this.#chained = false;
      }
      position = next;
      onRead(position - this.#begin);
    }
    return gaps;
  }

  /** Length of the block at a position; 0 when none is there that follows the last one. */
  #load(position: number): number {
    const { blocks } = this.#reader;
    const length = this.#whole(position);
    if (length === 0 || (this.#chained && !blocks.follows(this.#check))) return 0;
    blocks.copyCheck(this.#check);
    this.#epoch = blocks.epoch;
    this.#chained = true;
    return length;
  }

  /** Length of the whole block at a position; 0 when there is none, or what a start has cut off as not synced. */
  #whole(position: number): number {
    const length = this.#reader.load(position);
    return length > 0 && this.#reader.blocks.epoch >= this.#epoch ? length : 0;
  }

  /** The first whole block behind a position, or the end of the file. */
  #next(position: number): number {
    let at = position + journalPageBytes;
    while (at < this.#end && this.#whole(at) === 0) at += journalPageBytes;
    return at;
  }

  /** Whether the rest of the file was not written to: the next file goes on with what was read last, or that cannot be told. */
  get #endsHere(): boolean {
    return this.#reader.load(this.#end) === 0 || (this.#chained && this.#reader.blocks.follows(this.#check));
  }
}
