import { assert } from '../base/assert.js';
import { journalFillBytesMin, journalPromptMs, journalSpareFilesMax, journalWriteNowBytes } from '../base/limits.js';
import { type Disk, type DiskFile, type FileUse, isFullError, writeAll, writeAllNow } from './disk.js';
import type { Timers } from './timers.js';

const suffix = '.jnl';
const unfinished = '.new';

/** A file is filled in the time in which half as much is written: it is ready before it is needed. */
const fillFactor = 2;

/** Directory of a shard's journal, or of its buffered one. */
export function journalDirectory(journals: string, shard: number, buffered: boolean): string {
  return `${journals}/${shard}${buffered ? '-buffered' : ''}`;
}

/** Path of a journal's file. */
export function journalPath(directory: string, number: number): string {
  return `${directory}/${String(number).padStart(10, '0')}${suffix}`;
}

/** Numbers of the journal's files in a directory, in order. */
export function journalNumbers(names: readonly string[]): number[] {
  const numbers = names
    .filter((name) => /^\d{10}\.jnl$/.test(name))
    .map((name) => Number(name.slice(0, -suffix.length)));
  return numbers.sort((a, b) => a - b);
}

export interface FilesSetting {
  readonly disk: Disk;
  readonly timers: Timers;
  readonly directory: string;
  readonly fileBytes: number;
  /** Whether what is written is in the system's hands until `sync`. */
  readonly buffered: boolean;
}

export interface FileEvents {
  /** A file is ready that was waited for, or there is space again. */
  onReady(): void;
  /** The disk is full: what is in use is all there is for now. */
  onNoSpace(): void;
  onFailed(error: Error): void;
}

/**
 * The files of a journal: one that is written to, the next one, which waits for it, and spare ones. A file is written once with zeros;
 * later ones are those that are not needed any more, under another name. File `n` holds the positions from `n * fileBytes` on.
 */
export class JournalFiles {
  readonly directory: string;
  readonly fileBytes: number;
  /** Of the file that is written to. */
  #number = -1;
  #file: DiskFile | null = null;
  /** The one before it, as long as that is buffered and not on disk. */
  #unsynced: DiskFile | null = null;
  #usedBytes = 0;
  #isWriting = false;
  /** Whether the system took the last small block at once. */
  #isPrompt = true;
  /** Of blocks, in bytes, since zeros were written. */
  #writtenBytes = 0;
  /** Who fills a file goes on. */
  #onWritten: (() => void) | null = null;
  #ready: DiskFile | null = null;
  #preparing: Promise<void> | null = null;
  #full = false;
  #closed = false;
  /** Numbers of files that nobody needs. */
  readonly #spare: number[] = [];
  readonly #disk: Disk;
  readonly #timers: Timers;
  readonly #use: FileUse;
  readonly #zeros: Uint8Array;
  readonly #events: FileEvents;

  /** @param zeros begin at a page */
  constructor({ disk, timers, directory, fileBytes, buffered }: FilesSetting, zeros: Uint8Array, events: FileEvents) {
    this.#disk = disk;
    this.#timers = timers;
    this.#use = buffered ? 'write' : 'append';
    this.#zeros = zeros;
    this.directory = directory;
    this.fileBytes = fileBytes;
    this.#events = events;
  }

  get number(): number {
    return this.#number;
  }

  /** Where the next block goes, in bytes of the journal. */
  get position(): number {
    return this.#number * this.fileBytes + this.#usedBytes;
  }

  /** Whether there is no room for another file. */
  get isFull(): boolean {
    return this.#full;
  }

  #path(number: number): string {
    return journalPath(this.directory, number);
  }

  /**
   * Opens the file that `position` lies in, making it if it is not there.
   *
   * @param begin what lies before it is not needed, as blocks on disk say
   */
  async start(position: number, begin: number): Promise<void> {
    // a name may be there that the disk has not got yet, after a broker that was killed
    await this.#disk.syncDirectory(this.directory);
    const names = this.#disk.namesNow(this.directory);
    for (const name of names) if (name.endsWith(unfinished)) await this.#disk.remove(`${this.directory}/${name}`);
    const numbers = journalNumbers(names);
    const number = Math.floor(position / this.fileBytes);
    this.#usedBytes = position - number * this.fileBytes;
    if (!numbers.includes(number)) await this.#make(number);
    this.#number = number;
    this.#file = await this.#open(number);
    this.#spare.push(...numbers.filter((each) => (each + 1) * this.fileBytes <= begin));
    if (numbers.includes(number + 1)) this.#ready = await this.#open(number + 1);
    this.#prepare();
  }

  #open(number: number): Promise<DiskFile> {
    return this.#disk.open(this.#path(number), this.#use);
  }

  fits(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.fileBytes;
  }

  get #isBuffered(): boolean {
    return this.#use === 'write';
  }

  /** Goes on to the next file, which has nothing in it; false when that is not there yet, or more than one would not be on disk. */
  turn(): boolean {
    const ready = this.#ready;
    if (this.#unsynced !== null) return false;
    if (ready === null) {
      this.#prepare();
      return false;
    }
    const before = this.#file;
    this.#file = ready;
    this.#ready = null;
    this.#number++;
    this.#usedBytes = 0;
    if (this.#isBuffered) this.#unsynced = before;
    else void before?.close().catch(this.#onFailed);
    this.#prepare();
    return true;
  }

  /** Writes a block at `position`. It is on disk when this returns, unless the files are buffered. */
  async write(block: Uint8Array): Promise<void> {
    assert(this.fits(block.length), 'a block lies in one file');
    this.#isWriting = true;
    try {
      await this.#write(this.#file as DiskFile, block);
    } finally {
      this.#isWriting = false;
      this.#writtenBytes += block.length;
      this.#onWritten?.();
    }
    this.#usedBytes += block.length;
  }

  async #write(file: DiskFile, block: Uint8Array): Promise<void> {
    if (this.#isBuffered && block.length <= journalWriteNowBytes) return this.#writeSmall(file, block);
    await writeAll(file, block, this.#usedBytes);
    if (!this.#isBuffered && !file.durable) await file.sync();
  }

  /** A copy into the system's memory takes less than the way to another thread and back, unless the system has too much to write. */
  async #writeSmall(file: DiskFile, block: Uint8Array): Promise<void> {
    const begunMs = this.#timers.nowMs();
    if (this.#isPrompt) writeAllNow(file, block, this.#usedBytes);
    else await writeAll(file, block, this.#usedBytes);
    this.#isPrompt = this.#timers.nowMs() - begunMs < journalPromptMs;
  }

  /** Brings to disk what was written so far. After an error nothing is known of it. */
  async sync(): Promise<void> {
    const before = this.#unsynced;
    const file = this.#file;
    await before?.sync();
    await file?.sync();
    if (before === null) return;
    this.#unsynced = null;
    await before.close();
  }

  /** A file that nobody needs, as blocks on disk say, will be the next one. */
  release(number: number): void {
    assert(number < this.#number, 'a file is not written to any more');
    this.#spare.push(number);
    if (this.#full || this.#spare.length > journalSpareFilesMax) this.#prepare();
  }

  /** Looks whether there is space again. */
  retry(): void {
    if (this.#full) this.#prepare();
  }

  /** Resolves when no file is made. */
  async settled(): Promise<void> {
    await this.#preparing;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#preparing;
    await this.#ready?.close();
    await this.#unsynced?.close();
    await this.#file?.close();
  }

  readonly #onFailed = (error: Error): void => {
    this.#events.onFailed(error);
  };

  /** Sees to the next file, in the background. */
  #prepare(): void {
    if (this.#preparing !== null || this.#closed) return;
    this.#preparing = this.#prepareNext().then(
      () => this.#prepared(null),
      (error) => this.#prepared(error),
    );
  }

  #prepared(error: NodeJS.ErrnoException | null): void {
    this.#preparing = null;
    this.#full = error !== null && isFullError(error);
    if (this.#full) this.#events.onNoSpace();
    else if (error !== null) this.#onFailed(error);
    else this.#events.onReady();
  }

  /** The next file is made of a spare one, if there is one; else anew. */
  async #prepareNext(): Promise<void> {
    const next = this.#number + 1;
    if (this.#ready === null) {
      const spare = this.#spare.shift();
      if (spare === undefined) await this.#make(next);
      else await this.#rename(this.#path(spare), this.#path(next));
      this.#ready = await this.#open(next);
    }
    while (this.#spare.length > journalSpareFilesMax)
      await this.#disk.remove(this.#path(this.#spare.shift() as number));
  }

  async #make(number: number): Promise<void> {
    const path = this.#path(number) + unfinished;
    const file = await this.#disk.open(path, 'fill');
    try {
      await this.#fill(file);
    } catch (error) {
      await this.#disk.remove(path);
      throw error;
    }
    await this.#rename(path, this.#path(number));
  }

  /**
   * Writes a file's zeros: a file that grows, or whose place on disk was never written, takes three times as long to commit to. They go
   * past the system's cache: what that holds comes to the disk at one go, and commits wait for it. They are synced once: each sync of a
   * file that grows is a commit of the file system's own journal, behind which others wait.
   */
  async #fill(file: DiskFile): Promise<void> {
    try {
      for (let at = 0; at < this.fileBytes; ) {
        const stepBytes = Math.min(await this.#fillStepBytes(), this.fileBytes - at);
        await writeAll(file, this.#zeros.subarray(0, stepBytes), at);
        at += stepBytes;
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** How many zeros are written next: while blocks are written, but some for each of them, so that none waits behind many. */
  async #fillStepBytes(): Promise<number> {
    const { length } = this.#zeros;
    if (!this.#isWriting) return length;
    await new Promise<void>((resolve) => {
      this.#onWritten = resolve;
    });
    this.#onWritten = null;
    const stepBytes = Math.max(journalFillBytesMin, fillFactor * this.#writtenBytes);
    this.#writtenBytes = 0;
    return Math.min(stepBytes, length);
  }

  async #rename(from: string, to: string): Promise<void> {
    await this.#disk.rename(from, to);
    await this.#disk.syncDirectory(this.directory);
  }
}
