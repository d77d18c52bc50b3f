import { assert } from '../base/assert.js';
import {
  journalBehindBytes,
  journalBlocksMax,
  journalBusySealMs,
  journalFillBytes,
  journalSealMs,
  journalSpaceMs,
} from '../base/limits.js';
import { BlockKind, blockHeaderBytes, paged } from './blockLayout.js';
import { BlockQueue } from './blockQueue.js';
import type { BlockPlace, BlockWriter } from './blockWriter.js';
import { JournalFiles } from './journalFiles.js';
import type { JournalEnd, JournalEvents, JournalSetting } from './journalSetting.js';
import { blockBytesMax, headBytes } from './journalShape.js';
import { JournalSync } from './journalSync.js';
import type { StagedBlock } from './stagedBlock.js';
import { Staging } from './staging.js';

type Phase = 'open' | 'failed' | 'closed';

/**
 * Takes entries of many streams and writes them, block after block, one write at a time: what comes meanwhile goes with the next. A block
 * is on disk before anybody is told, or where the journal is buffered, in the system's hands. See docs/decisions/0040 and 0051.
 */
export class Journal {
  /** What is laid, and not written yet. */
  readonly blocks: BlockQueue;
  /** Blocks that were written since it was opened, their bytes, and how long that took, in milliseconds. */
  readonly writes = { commits: 0, bytes: 0, milliseconds: 0 };
  readonly #setting: JournalSetting;
  readonly #events: JournalEvents;
  readonly #files: JournalFiles;
  /** Of a buffered journal. */
  readonly #sync: JournalSync | null;
  readonly #check = new Uint8Array(8);
  readonly #place: BlockPlace;
  readonly #head: BlockWriter;
  #firstFile: number;
  /** Where the last block lies that was written, and where it ends: perhaps before the end of its file. */
  #last: number;
  #lastEnd: number;
  /** Where the last block with entries ends, and up to where the last block says that all is on disk. */
  #dataEnd = 0;
  #saidDurable = 0;
  #headsDue: number;
  #phase: Phase = 'open';
  #writing = false;
  #running = Promise.resolve();
  #soon = false;
  #sealArmed = false;
  #sealMs = journalSealMs;
  #blocksAtArming = 0;

  private constructor(setting: JournalSetting, events: JournalEvents, end: JournalEnd) {
    const { disk, directory, shape, buffered } = setting;
    assert(
      2 * paged(headBytes(shape.streamsMax)) + blockBytesMax(shape) <= shape.fileBytes,
      'a file has room for its heads and a block',
    );
    this.#setting = setting;
    this.#events = events;
    const staging = new Staging(
      journalBlocksMax + 1,
      blockBytesMax(shape),
      Math.min(journalFillBytes, shape.fileBytes),
    );
    this.#files = new JournalFiles(
      { disk, timers: setting.timers, directory, fileBytes: shape.fileBytes, buffered },
      staging.zeros,
      {
        onReady: () => this.#write(),
        onNoSpace: () => setting.timers.after(journalSpaceMs, () => this.#files.retry()),
        onFailed: (error) => this.#fail(error),
      },
    );
    this.#sync = buffered ? this.#makeSync() : null;
    this.#head = staging.take().writer;
    this.#check.set(end.check);
    this.#last = end.last;
    this.#place = { position: end.position, durable: end.position, begin: end.begin, epoch: end.epoch };
    this.#lastEnd = end.position;
    this.#firstFile = Math.floor(end.begin / shape.fileBytes);
    this.#headsDue = end.position % shape.fileBytes === 0 ? 2 : 1;
    this.blocks = new BlockQueue(shape, staging, () => this.#commitSoon());
  }

  /** Opens a journal where it goes on, making its first file if it has none. Rejects with what the disk said. */
  static async open(setting: JournalSetting, events: JournalEvents, end: JournalEnd): Promise<Journal> {
    const journal = new Journal(setting, events, end);
    await journal.#files.start(end.position, end.begin);
    journal.#armSeal();
    return journal;
  }

  /** Whether more is on its way to the disk than should be. */
  get isBehind(): boolean {
    return this.blocks.bytes > journalBehindBytes;
  }

  /** Whether the disk is full: what is written now takes the room that is left for removing. */
  get isFull(): boolean {
    return this.#files.isFull;
  }

  /** Resolves when all that was laid so far is on disk, or in the system's hands where it is buffered; or never will be. */
  written(): Promise<void> {
    const last = this.blocks.latest;
    return last === undefined || this.#phase !== 'open'
      ? Promise.resolve()
      : new Promise((resolve) => last.waiting.push(resolve));
  }

  /** Resolves when all that was written so far is on disk, or the disk has failed. */
  async synced(): Promise<void> {
    await this.#sync?.now();
  }

  /** Whether copies may take room: of a full disk, what is left of the file in use is needed to remove records. */
  get hasRoomForCopies(): boolean {
    return this.hasRoomFor(this.#setting.shape.fileBytes / 2);
  }

  /** Whether so many bytes, and somewhat more, may be written: of a full disk, what is left of the file in use. */
  hasRoomFor(bytes: number): boolean {
    return !this.isFull || this.#files.fits(bytes);
  }

  /** Number of the file that blocks are written to. */
  get fileNumber(): number {
    return this.#files.number;
  }

  /** The first file that is still needed is not, once all that was laid so far is on disk. */
  releaseFirst(): void {
    assert(this.#firstFile < this.fileNumber, 'what is written to is needed');
    const { released, unneeded } = this.blocks.open;
    (this.#sync === null ? released : unneeded).push(this.#firstFile++);
    this.#armSeal();
  }

  /** Number of the first file that is needed. */
  get firstFile(): number {
    return this.#firstFile;
  }

  /** Writes all that was laid, and that it is on disk, unless the disk fails or is full. Nothing is laid any more. */
  async close(): Promise<void> {
    if (this.blocks.open.hasEntries) this.blocks.close();
    await this.#drain();
    this.blocks.close();
    await this.#drain();
    if (this.#phase === 'open') this.#phase = 'closed';
    await this.#running;
    await this.#files.close();
  }

  /** Brings to disk what is in the queue, unless the disk fails or is full. */
  async #drain(): Promise<void> {
    this.#write();
    while (this.blocks.first !== undefined && this.#phase === 'open' && !this.#files.isFull) {
      await this.#running;
      await this.#files.settled();
      await this.#sync?.settled();
    }
    await this.#sync?.now();
  }

  /** Up to where it was written. */
  get mark(): Pick<JournalEnd, 'last' | 'position' | 'check'> {
    return { last: this.#last, position: this.#lastEnd, check: this.#check.slice() };
  }

  /** Where it goes on once it was closed, if all that was laid is on disk; else null. */
  get end(): JournalEnd | null {
    if (this.#phase !== 'closed' || this.blocks.first !== undefined) return null;
    const { epoch, begin } = this.#place;
    return { last: this.#last, position: this.#files.position, check: this.#check, epoch: epoch + 1, begin };
  }

  #commitSoon(): void {
    if (this.#soon || this.#writing) return;
    this.#soon = true;
    this.#setting.timers.soon(() => {
      this.#soon = false;
      this.#write();
    });
  }

  #write(): void {
    if (this.#writing || this.#phase !== 'open') return;
    this.#writing = true;
    this.#running = this.#writeAll();
  }

  /** Writes blocks until there are none, or no file to write to. */
  async #writeAll(): Promise<void> {
    for (let block = this.#nextBlock(); block !== null; block = this.#nextBlock()) {
      if (this.#headsDue > 0) await this.#writeHead();
      else await this.#writeBlock(block);
    }
    // at once: what is laid from here on has to be written anew
    this.#writing = false;
    this.#armSeal();
  }

  /** The block to be written, which fits into the file; null when there is none, or no file. */
  #nextBlock(): StagedBlock | null {
    if (this.#phase !== 'open') return null;
    // what has come meanwhile
    const { blocks } = this;
    if (blocks.first === undefined && blocks.open.hasEntries) blocks.close();
    const block = blocks.first;
    if (block === undefined) return null;
    if (this.#files.fits(this.#bytesOf(block))) return block;
    if (!this.#files.turn()) return null;
    this.#headsDue = 2;
    void this.#sync?.now();
    this.#events.onTurned();
    return block;
  }

  #bytesOf(block: StagedBlock): number {
    return paged(this.#headsDue > 0 ? headBytes(this.#events.streams.size) : block.writer.usedBytes);
  }

  /** Writes the states of all streams behind the last block that has its place. */
  async #writeHead(): Promise<void> {
    this.#head.clear();
    for (const { number, placedFirst, placedNext, placedLive } of this.#events.streams.values())
      this.#head.state(number, placedFirst, placedNext, placedLive);
    assert(this.#head.usedBytes === headBytes(this.#events.streams.size), 'a head is as long as was reckoned');
    if (await this.#writeSealed(this.#head, BlockKind.head)) this.#headsDue--;
  }

  async #writeBlock(block: StagedBlock): Promise<void> {
    block.place(this.#files.position, paged(block.writer.usedBytes));
    for (const number of block.released) this.#place.begin = (number + 1) * this.#setting.shape.fileBytes;
    const { kind } = block;
    if (!(await this.#writeSealed(block.writer, kind))) return;
    if (kind === BlockKind.data) this.#dataEnd = this.#lastEnd;
    if (this.#sync === null) for (const number of block.released) this.#files.release(number);
    else this.#sync.written(block);
    this.blocks.written();
    block.commit();
    if (kind === BlockKind.seal) this.#events.onIdle();
  }

  /** Writes a block; false when the disk did not take it: then nothing is written any more. */
  #count(bytes: number, milliseconds: number): void {
    this.writes.commits++;
    this.writes.bytes += bytes;
    this.writes.milliseconds += milliseconds;
    this.#setting.onWritten?.(milliseconds);
  }

  async #writeSealed(writer: BlockWriter, kind: BlockKind): Promise<boolean> {
    const place = this.#place;
    place.position = this.#files.position;
    writer.seal(kind, this.#setting.id, place, this.#check);
    const startMs = this.#setting.timers.nowMs();
    try {
      await this.#files.write(writer.block);
    } catch (error) {
      this.#fail(error as Error);
      return false;
    }
    this.#count(writer.block.length, this.#setting.timers.nowMs() - startMs);
    writer.copyCheck(this.#check);
    this.#last = place.position;
    this.#lastEnd = this.#files.position;
    this.#saidDurable = place.durable;
    if (this.#sync === null) place.durable = this.#lastEnd;
    return true;
  }

  #makeSync(): JournalSync {
    return new JournalSync(this.#setting.timers, {
      sync: () => this.#syncWritten(),
      onUnneeded: (file) => this.blocks.open.released.push(file),
      onReleased: (file) => this.#files.release(file),
      onSynced: () => {
        this.#armSeal();
        // the next file may have waited for it
        this.#write();
      },
    });
  }

  /** Brings to disk what was written so far; false when the disk fails. */
  async #syncWritten(): Promise<boolean> {
    if (this.#phase !== 'open') return false;
    const end = this.#lastEnd;
    try {
      await this.#files.sync();
    } catch (error) {
      this.#fail(error as Error);
    }
    if (this.#phase !== 'open') return false;
    this.#place.durable = end;
    return true;
  }

  /** Once nothing has come for a while, the last block is followed by one that says that it is on disk. */
  #armSeal(): void {
    if (this.#sealArmed || this.#phase !== 'open' || !this.#wantsSeal()) return;
    this.#sealArmed = true;
    this.#blocksAtArming = this.blocks.ordinal;
    this.#setting.timers.after(this.#sealMs, () => {
      this.#sealArmed = false;
      if (this.#phase === 'open' && this.blocks.ordinal === this.#blocksAtArming && this.#wantsSeal()) {
        this.#sealMs = journalSealMs;
        this.blocks.close();
        this.#write();
      } else {
        // each look wakes the thread: where blocks come all the time there are few
        this.#sealMs = journalBusySealMs;
        this.#armSeal();
      }
    });
  }

  #wantsSeal(): boolean {
    if (this.blocks.first !== undefined || this.#writing) return false;
    const { writer, released, unneeded } = this.blocks.open;
    const isUnsaid = Math.min(this.#place.durable, this.#dataEnd) > this.#saidDurable;
    const isNeedless = released.length + unneeded.length > 0;
    return writer.usedBytes > blockHeaderBytes || this.#headsDue > 0 || isUnsaid || isNeedless;
  }

  /** A disk that has failed is not asked again: what it did with the last write is not known. */
  #fail(error: Error): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'failed';
    this.#events.onFailed(error);
    this.blocks.giveUp();
  }
}
