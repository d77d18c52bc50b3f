import { journalPageBytes } from '../base/limits.js';
import { blockVersion } from './blockLayout.js';
import type { BlockReader } from './blockReader.js';
import type { Damage } from './damage.js';
import { type Disk, type ReadingDisk, writeAllNow } from './disk.js';
import { EntryKind } from './entryLayout.js';
import { journalNumbers, journalPath } from './journalFiles.js';
import { JournalReader } from './journalReader.js';
import type { JournalEnd } from './journalSetting.js';
import { blockBytesMax, type JournalShape } from './journalShape.js';
import { RecordRows } from './recordRows.js';

/** Who is told what a journal has, in order, in blocks of `lengthBytes` at `position`. */
export interface Replay {
  /** Records of a stream as they were stored. */
  records(stream: number, rows: RecordRows, position: number, lengthBytes: number): void;
  /** Any other entry, which `reader` shows. */
  entry(reader: BlockReader, position: number, lengthBytes: number): void;
}

export interface Recovered {
  /** Where the journal goes on. */
  readonly end: JournalEnd;
  readonly damages: readonly Damage[];
}

/** Up to where a journal need not be read, and the next sequences of its streams there. */
export interface ReadFrom {
  readonly end: JournalEnd;
  readonly nexts: ReadonlyMap<number, number>;
}

/** A stream up to where the journal was read. */
interface StreamSoFar {
  readonly number: number;
  last: number;
}

const nowhere = -1;

/**
 * Reads a journal from its beginning to where it goes on. A block that is not whole is the torn end of the journal when nothing says
 * that it was on disk: then nobody was told of it. When a later block says so, it is damage, and reading goes on behind it.
 */
export class Recovery {
  readonly #directory: string;
  readonly #fileBytes: number;
  readonly #reader: JournalReader;
  readonly #blocks: BlockReader;
  readonly #replay: Replay;
  readonly #rows = new RecordRows();
  /** Of the files that are there, up to the last one that has blocks. */
  readonly #numbers: number[];
  readonly #damages: Damage[] = [];
  /** What was read of each stream so far. */
  readonly #streams = new Map<number, StreamSoFar>();
  /** The one that the last entry was of: most often the next one is, too. */
  #latest: StreamSoFar = { number: -1, last: 0 };
  /** Of the last whole block. */
  readonly #check = new Uint8Array(8);
  #epoch = 0;
  /** Of all whole blocks that were met, those behind the end, too: what is written next is to be of a later one than these. */
  #latestEpoch = 0;
  #begin = 0;
  /** Whether the next block has to say that it follows the last one. */
  #chained = false;
  /** Where the last whole block lies, and where the journal goes on. */
  #last = nowhere;
  #end = 0;
  /** Up to where the last whole block says that all was on disk. */
  #durable = 0;

  constructor(disk: ReadingDisk, directory: string, id: Uint8Array, shape: JournalShape, replay: Replay) {
    this.#directory = directory;
    this.#fileBytes = shape.fileBytes;
    this.#reader = new JournalReader(disk, directory, id, shape.fileBytes, blockBytesMax(shape));
    this.#blocks = this.#reader.blocks;
    this.#replay = replay;
    this.#numbers = journalNumbers(disk.namesNow(directory));
  }

  /**
   * Blocks the thread until all is read. Nothing is written.
   *
   * @param from where reading begins, behind a block that is whole; null for the journal's beginning
   * @throws what the disk says when it cannot be read
   */
  read(from: ReadFrom | null = null): Recovered {
    const steps = this.steps(from);
    for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
  }

  /** The same, a block at a time. */
  *steps(from: ReadFrom | null = null): Generator<void, Recovered> {
    for (let position = from === null ? this.#first() : this.#behind(from); position !== nowhere; yield)
      position = this.#read(position);
    this.#reader.close();
    const end = {
      last: this.#last,
      position: this.#end,
      check: this.#check,
      epoch: Math.max(this.#epoch, this.#latestEpoch) + 1,
      begin: this.#begin,
    };
    return { end, damages: this.#damages.filter((damage) => this.#isNeeded(damage)) };
  }

  #behind({ end, nexts }: ReadFrom): number {
    for (const [number, next] of nexts) this.#streams.set(number, { number, last: next - 1 });
    this.#check.set(end.check);
    this.#chained = true;
    this.#epoch = end.epoch - 1;
    this.#begin = end.begin;
    this.#last = end.last;
    this.#durable = end.position;
    this.#end = end.position;
    return end.position;
  }

  /** Where the first file begins that was needed when the last file was begun. */
  #first(): number {
    const all = [...this.#numbers];
    if (all.length === 0) return nowhere;
    for (let number = all.at(-1); number !== undefined; number = this.#numbers.at(-1)) {
      if (this.#search(number * this.#fileBytes, number) !== nowhere) break;
      this.#numbers.pop();
    }
    if (this.#numbers.length > 0) this.#begin = this.#blocks.begin;
    else this.#refuseOthers(all);
    const first = all.find((number) => number * this.#fileBytes >= this.#begin) as number;
    this.#end = first * this.#fileBytes;
    if (this.#end > this.#begin) this.#damage(this.#begin, this.#end - this.#begin);
    return this.#end;
  }

  /** A journal that is not this directory's, or of another version, is not written over. */
  #refuseOthers(numbers: readonly number[]): void {
    for (const number of numbers) {
      this.#reader.load(number * this.#fileBytes);
      if (this.#blocks.isOthers) throw new Error(`${this.#path(number)} belongs to another data directory`);
      const { otherVersion } = this.#blocks;
      if (otherVersion > 0)
        throw new Error(`${this.#path(number)} has version ${otherVersion}: this is for version ${blockVersion}`);
    }
  }

  /** Reads the block at a position; returns where the next one is, or nowhere. */
  #read(position: number): number {
    const number = Math.floor(position / this.#fileBytes);
    const length = this.#numbers.includes(number) ? this.#load(position) : 0;
    if (length === 0 || (this.#chained && !this.#blocks.follows(this.#check))) return this.#skip(position);
    this.#epoch = this.#blocks.epoch;
    this.#begin = Math.max(this.#begin, this.#blocks.begin);
    this.#blocks.copyCheck(this.#check);
    this.#chained = true;
    this.#last = position;
    this.#durable = this.#blocks.durable;
    this.#end = position + length;
    while (this.#blocks.next()) {
      if (this.#blocks.entryKind === EntryKind.record) this.#visitRecords(position, length);
      else this.#visit(position, length);
    }
    return this.#end;
  }

  /** Puts a block where it is read; returns its length, or 0 when none lies there that belongs to what was read so far. */
  #load(position: number): number {
    const length = this.#reader.load(position);
    if (length === 0 || this.#blocks.epoch < this.#epoch) return 0;
    this.#latestEpoch = Math.max(this.#latestEpoch, this.#blocks.epoch);
    return length;
  }

  /** What is not whole lies at a position: returns where reading goes on. */
  #skip(position: number): number {
    const next = this.#next(position);
    if (next === nowhere) return nowhere;
    // the rest of the file was not written to
    if (this.#chained && this.#blocks.follows(this.#check)) return next;
    if (!this.#wasDurable(position, next)) return nowhere;
    this.#damage(position, next - position);
    this.#chained = false;
    return next;
  }

  /** The first whole block behind a position. */
  #next(position: number): number {
    const current = Math.floor(position / this.#fileBytes);
    for (const number of this.#numbers) {
      if (number < current) continue;
      const from = number === current ? position + journalPageBytes : number * this.#fileBytes;
      const found = this.#search(from, number);
      if (found !== nowhere) return found;
    }
    return nowhere;
  }

  /** The first whole block from a position on in a file. */
  #search(from: number, number: number): number {
    const end = (number + 1) * this.#fileBytes;
    for (let position = from; position < end; position += journalPageBytes)
      if (this.#load(position) > 0) return position;
    return nowhere;
  }

  /** Whether a block from `next` on says that what lies at `position` was on disk. */
  #wasDurable(position: number, next: number): boolean {
    for (let at = next; at !== nowhere; at = this.#next(at)) {
      this.#load(at);
      if (this.#blocks.durable > position) return true;
    }
    return false;
  }

  #damage(position: number, bytes: number): Damage {
    const number = Math.floor(position / this.#fileBytes);
    const damage = { file: this.#path(number), offset: position - number * this.#fileBytes, position, bytes, lost: [] };
    this.#damages.push(damage);
    return damage;
  }

  #visit(position: number, length: number): void {
    const { entryKind, stream } = this.#blocks;
    if (entryKind === EntryKind.state) this.#advance(stream, this.#blocks.last, this.#blocks.last);
    else if (entryKind === EntryKind.skipped) this.#streamOf(stream, 0).last = this.#blocks.last;
    this.#replay.entry(this.#blocks, position, length);
  }

  #visitRecords(position: number, length: number): void {
    const rows = this.#rows;
    const { stream } = this.#blocks;
    this.#blocks.gather(rows);
    this.#advance(stream, rows.first - 1, rows.end - 1);
    this.#replay.records(stream, rows, position, length);
  }

  /** A stream has come to `next`; up to `known` everything should have been read. */
  #advance(number: number, known: number, next: number): void {
    // what a first file says of streams is where they begin
    const stream = this.#streamOf(number, this.#damages.length > 0 ? 0 : known);
    const { last } = stream;
    if (known > last) {
      const damage = this.#damages.at(-1) ?? this.#damage(this.#end, 0);
      damage.lost.push({ stream: number, first: last + 1, last: known });
    }
    if (next > last) stream.last = next;
  }

  /** @param last of a stream that was not met yet */
  #streamOf(number: number, last: number): StreamSoFar {
    if (this.#latest.number === number) return this.#latest;
    let stream = this.#streams.get(number);
    if (stream === undefined) {
      stream = { number, last };
      this.#streams.set(number, stream);
    }
    this.#latest = stream;
    return stream;
  }

  /** Damage of files that were not needed any more is none. */
  #isNeeded({ position, bytes }: Damage): boolean {
    return position + bytes > this.#begin;
  }

  #path(number: number): string {
    return journalPath(this.#directory, number);
  }

  /**
   * Brings what was read to the disk, before anybody is told of it. The last blocks may be in the system's memory alone: their writer was
   * killed before they were on disk. And when a sync has failed, the system takes what was to be synced for written, and a sync more does
   * nothing: so they are written again.
   *
   * @throws what the disk says when it cannot be written
   */
  bringToDisk(disk: Disk): void {
    if (this.#last === nowhere) return;
    const first = Math.floor(this.#durable / this.#fileBytes);
    for (const number of this.#numbers)
      if (number >= first && number * this.#fileBytes < this.#end) this.#bringFileToDisk(disk, number);
    this.#reader.close();
  }

  #bringFileToDisk(disk: Disk, number: number): void {
    const begin = number * this.#fileBytes;
    const end = Math.min(begin + this.#fileBytes, this.#end);
    const file = disk.openNow(this.#path(number), 'write');
    try {
      for (let at = Math.max(begin, this.#durable); at < end; ) {
        const lengthBytes = this.#reader.load(at);
        // the rest of the file was not written to
        if (lengthBytes === 0) break;
        writeAllNow(file, this.#blocks.room.subarray(0, lengthBytes), at - begin);
        at += lengthBytes;
      }
      file.syncNow();
    } finally {
      file.closeNow();
    }
  }
}
