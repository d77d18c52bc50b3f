import { JournalMemory } from '../base/kernel.js';
import { aheadBlocksMax, aheadLoadsMax, readBlocksMax, readFilesMax } from '../base/limits.js';
import { BlockReader, readerBytes } from './blockReader.js';
import { type Disk, type DiskFile, readAll } from './disk.js';
import { journalPath } from './journalFiles.js';

/** Told once: a block that is whole, or why there is none. Valid until the call returns. */
export type BlockRead = (reader: BlockReader | null, reason: string) => void;

interface Slot {
  readonly reader: BlockReader;
  position: number;
  /** Those who wait for what is being read; null when nothing is. */
  waiting: BlockRead[] | null;
}

interface OpenFile {
  readonly opened: Promise<DiskFile>;
  /** Reads under way. */
  users: number;
}

/**
 * Reads blocks of a journal from its files, without blocking the thread, and keeps the latest. Each is checked before anybody sees it,
 * whenever it comes from the disk.
 */
export class BlockCache {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #fileBytes: number;
  /** The longest unused first. */
  readonly #slots: Slot[] = [];
  /** Those of blocks that were read before anybody wanted them: they take nobody's place. */
  readonly #ahead: Slot[] = [];
  /** Blocks read so far, and how many that were when one was read ahead last. */
  #loads = 0;
  #aheadLoads = 0;
  readonly #filling = new Set<Promise<void>>();
  /** Reads for which all slots are busy. */
  readonly #queue: { position: number; lengthBytes: number; done: BlockRead }[] = [];
  /** Open files by number, the longest unused first. */
  readonly #files = new Map<number, OpenFile>();

  constructor(disk: Disk, directory: string, id: Uint8Array, fileBytes: number, blockBytes: number) {
    this.#disk = disk;
    this.#directory = directory;
    this.#fileBytes = fileBytes;
    const slots = readBlocksMax + aheadBlocksMax;
    const memory = new JournalMemory(slots * readerBytes(blockBytes));
    for (let i = 0; i < slots; i++) {
      const reader = new BlockReader(memory, i * readerBytes(blockBytes), blockBytes, id);
      const kept = i < readBlocksMax ? this.#slots : this.#ahead;
      kept.push({ reader, position: -1, waiting: null });
    }
  }

  /** Shows the block at a position: at once if it is here, else when it was read. */
  read(position: number, lengthBytes: number, done: BlockRead): void {
    const slot = this.#slots.find((each) => each.position === position) ?? this.#wanted(position);
    if (slot === undefined) {
      this.#load(position, lengthBytes, done);
      return;
    }
    this.#use(slot);
    if (slot.waiting === null) done(slot.reader, '');
    else slot.waiting.push(done);
  }

  /** Begins to read a block that will be wanted soon, where one can be kept beside those that are. */
  readAhead(position: number, lengthBytes: number): void {
    if (this.#slots.some((each) => each.position === position)) return;
    if (this.#ahead.some((each) => each.position === position)) return;
    const slot = this.#ahead.find((each) => each.position < 0) ?? this.#forgotten();
    if (slot === undefined) return;
    this.#aheadLoads = this.#loads;
    this.#fillFor(slot, position, lengthBytes, []);
  }

  /** One that was read ahead and that nobody has wanted for long. */
  #forgotten(): Slot | undefined {
    if (this.#loads - this.#aheadLoads < aheadLoadsMax) return undefined;
    return this.#ahead.find(({ waiting }) => waiting === null);
  }

  /** A block that was read ahead is wanted: it takes the place of the longest unused. */
  #wanted(position: number): Slot | undefined {
    const at = this.#ahead.findIndex((each) => each.position === position);
    const unused = this.#slots.findIndex(({ waiting }) => waiting === null);
    if (at < 0 || unused < 0) return undefined;
    const slot = this.#ahead[at];
    const [free] = this.#slots.splice(unused, 1);
    free.position = -1;
    this.#ahead[at] = free;
    this.#slots.push(slot);
    return slot;
  }

  async close(): Promise<void> {
    // nobody waits for what is read ahead
    await Promise.all(this.#filling);
    const files = [...this.#files.values()];
    this.#files.clear();
    for (const { opened } of files) await (await opened).close();
  }

  #use(slot: Slot): void {
    this.#slots.splice(this.#slots.indexOf(slot), 1);
    this.#slots.push(slot);
  }

  #load(position: number, lengthBytes: number, done: BlockRead): void {
    const slot = this.#slots.find(({ waiting }) => waiting === null);
    if (slot === undefined) {
      this.#queue.push({ position, lengthBytes, done });
      return;
    }
    this.#use(slot);
    this.#fillFor(slot, position, lengthBytes, [done]);
  }

  #fillFor(slot: Slot, position: number, lengthBytes: number, waiting: BlockRead[]): void {
    this.#loads++;
    slot.position = position;
    slot.waiting = waiting;
    const filling: Promise<void> = this.#fill(slot, lengthBytes).then((reason) => {
      this.#filling.delete(filling);
      this.#loaded(slot, reason);
    });
    this.#filling.add(filling);
  }

  /** Reads a slot's block; returns why it is not whole, or nothing. */
  async #fill(slot: Slot, lengthBytes: number): Promise<string> {
    const { reader, position } = slot;
    const number = Math.floor(position / this.#fileBytes);
    const open = this.#open(number);
    open.users++;
    try {
      await readAll(await open.opened, reader.room.subarray(0, lengthBytes), position - number * this.#fileBytes);
    } catch (error) {
      return (error as Error).message;
    } finally {
      open.users--;
    }
    if (reader.claimedBytes(position) === lengthBytes && reader.check()) return '';
    return `${this.#path(number)} is damaged at ${position - number * this.#fileBytes}`;
  }

  #loaded(slot: Slot, reason: string): void {
    const waiting = slot.waiting as BlockRead[];
    slot.waiting = null;
    if (reason !== '') slot.position = -1;
    for (const done of waiting) done(reason === '' ? slot.reader : null, reason);
    const next = this.#queue.shift();
    if (next !== undefined) this.read(next.position, next.lengthBytes, next.done);
  }

  #open(number: number): OpenFile {
    const open = this.#files.get(number) ?? this.#opened(number);
    this.#files.delete(number);
    this.#files.set(number, open);
    if (this.#files.size > readFilesMax) this.#closeOldest();
    return open;
  }

  #opened(number: number): OpenFile {
    const opened = this.#disk.open(this.#path(number), 'read');
    opened.catch(() => this.#files.delete(number));
    return { opened, users: 0 };
  }

  #closeOldest(): void {
    for (const [number, { opened, users }] of this.#files) {
      if (users > 0) continue;
      this.#files.delete(number);
      void opened.then((file) => file.close());
      return;
    }
  }

  #path(number: number): string {
    return journalPath(this.#directory, number);
  }
}
