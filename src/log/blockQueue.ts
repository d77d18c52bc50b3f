import { assert } from '../base/assert.js';
import { journalBlocksMax } from '../base/limits.js';
import { type EntryKind, noteHeadBytes, operationRoom, rangeBytes } from './entryLayout.js';
import type { EntryWalk } from './entryWalk.js';
import type { JournalShape } from './journalShape.js';
import { RecordRun } from './recordRun.js';
import type { JournalStream, StagedBlock } from './stagedBlock.js';
import type { Staging } from './staging.js';
import type { NoteKind } from './storage.js';

/** Blocks of a journal on their way to the disk: closed ones in their order, and an open one behind them, which takes entries of many streams. */
export class BlockQueue {
  /** Where the record in its block begins that was laid last, or the first one of several. */
  laidAt = 0;
  /** What a stream lays: filled by whichever does. */
  readonly run = new RecordRun();
  /** Counts blocks: the open one has the number before it. */
  ordinal = 0;
  open: StagedBlock;
  readonly #shape: JournalShape;
  readonly #staging: Staging;
  /** Something is laid that is to be written soon. */
  readonly #onLaid: () => void;
  readonly #closed: StagedBlock[] = [];
  #closedBytes = 0;
  /** Up to where the open block is not closed: what belongs together ends there. */
  #togetherEnd = 0;

  constructor(shape: JournalShape, staging: Staging, onLaid: () => void) {
    this.#shape = shape;
    this.#staging = staging;
    this.#onLaid = onLaid;
    this.open = staging.take();
    this.open.open(this.ordinal++, null);
  }

  /** What is on its way. */
  get bytes(): number {
    return this.#closedBytes + this.open.writer.usedBytes;
  }

  /** The one that is written next; the first one may be on its way. */
  get first(): StagedBlock | undefined {
    return this.#closed[0];
  }

  /** The last one that has something; undefined when all that was laid is written. */
  get latest(): StagedBlock | undefined {
    return this.open.hasEntries ? this.open : this.#closed.at(-1);
  }

  /**
   * Lays the next messages of `run`, which is a stream's, as far as they come into one block, one at least; returns how many. The first
   * begins at `laidAt` in the block `stream.latestBlock`.
   */
  records(stream: JournalStream): number {
    const { run } = this;
    assert(run.stream === stream.number, 'what is laid is of the stream that lays it');
    const { entryBytesMax, commitBytes } = this.#shape;
    const { entryBytes } = run;
    assert(entryBytes <= entryBytesMax, 'a record is no longer than a journal takes');
    const open = this.#openFor(entryBytes);
    open.touch(stream);
    this.laidAt = open.writer.usedBytes;
    return open.writer.records(run, commitBytes);
  }

  /** Lays an entry about a range of sequences. */
  range(kind: EntryKind, stream: JournalStream, first: number, last: number): void {
    const open = this.#openFor(rangeBytes);
    open.touch(stream);
    open.writer.range(kind, stream.number, first, last);
  }

  /** Lays a note of a stream's owner. */
  note(stream: JournalStream, key: number, number: number, kind: NoteKind, bytes: Uint8Array): void {
    assert(bytes.length <= this.noteBytesMax, 'a note is no longer than a journal takes');
    const open = this.#openFor(noteHeadBytes + bytes.length);
    open.touch(stream);
    open.writer.note(stream.number, key, number, kind, bytes);
  }

  /** Longest note, in bytes: a block takes one behind as many ranges as belong together at most. */
  get noteBytesMax(): number {
    return this.#shape.entryBytesMax - noteHeadBytes;
  }

  /** So many entries about ranges, or heads of notes, come into one block. */
  get operationsMax(): number {
    return Math.floor(this.#shape.commitBytes / operationRoom);
  }

  /** All that is laid until the thread does something else, up to so many bytes, lies in one block. */
  makeRoom(bytes: number): void {
    const { writer } = this.#openFor(bytes);
    assert(writer.hasRoomFor(bytes), 'what belongs together fits into one block');
    this.#togetherEnd = writer.usedBytes + bytes;
  }

  /** Copies the record that a walk has come to; returns where it begins in the block `stream.latestBlock`. */
  copy(stream: JournalStream, walk: EntryWalk): number {
    this.open.touch(stream);
    return this.open.writer.copy(walk);
  }

  /** The block of that ordinal or position, if its bytes are in memory. */
  find(ordinal: number, position: number): StagedBlock | null {
    if (this.open.ordinal === ordinal) return this.open;
    for (const block of this.#closed) {
      if (block.ordinal === ordinal || (position >= 0 && block.position === position)) return block;
    }
    return position < 0 ? null : this.#staging.find(position);
  }

  /** Nothing more comes into the open block; another one is. */
  close(): void {
    const closed = this.open;
    closed.close();
    this.#closed.push(closed);
    this.#closedBytes += closed.writer.usedBytes;
    this.open = this.#staging.take();
    this.#togetherEnd = 0;
    this.open.open(this.ordinal++, closed);
  }

  /** The first one is written: who reads it finds its bytes for a while. */
  written(): void {
    const block = this.#closed.shift() as StagedBlock;
    this.#closedBytes -= block.writer.usedBytes;
    this.#staging.give(block, journalBlocksMax);
  }

  /** None of them will be on disk. */
  giveUp(): void {
    for (const block of [...this.#closed, this.open]) block.tell();
  }

  /** The open block, or the next one when that has enough. */
  #openFor(entryBytes: number): StagedBlock {
    const { writer } = this.open;
    const aimBytes = Math.max(this.#shape.commitBytes, this.#togetherEnd);
    if (writer.usedBytes >= aimBytes || !writer.hasRoomFor(entryBytes)) this.close();
    this.#onLaid();
    return this.open;
  }
}
