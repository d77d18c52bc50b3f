import { BlockKind } from './blockLayout.js';
import type { BlockWriter } from './blockWriter.js';

/** A stream as its journal sees it. */
export interface JournalStream {
  readonly number: number;
  /** Within how many milliseconds what a buffered journal has of it is to be on disk; may be infinite. */
  readonly syncMs: number;
  /** No record below it is there. */
  readonly firstSequence: number;
  readonly nextSequence: number;
  /** Records that are there. */
  readonly live: number;
  /** Operations begun. */
  readonly position: number;
  /** The block that has its latest entry, by its ordinal. */
  latestBlock: number;
  /** What `firstSequence`, `nextSequence` and `live` were behind the last block that has its place. */
  placedFirst: number;
  placedNext: number;
  placedLive: number;
  /** A block with entries of the stream has got its place in the journal. */
  onPlaced(ordinal: number, position: number, lengthBytes: number): void;
  /** Operations up to `position` are on disk; behind them, `nextSequence` is the next record's. */
  onCommitted(position: number, nextSequence: number): void;
}

/** A block of a journal on its way to the disk, and for a while afterwards. */
export class StagedBlock {
  readonly writer: BlockWriter;
  /** Counts blocks, so that what lies in one can be found before the block has a place. */
  ordinal = -1;
  /** Where it lies in the journal; -1 until that is known. */
  position = -1;
  /** Streams that have entries in it, and what they were when it was closed. */
  readonly streams: JournalStream[] = [];
  /** Files that nobody needs once it is on disk: it says so. */
  readonly released: number[] = [];
  /** Of a buffered journal: files that nobody needs once it is on disk, of which a later block may say so. */
  readonly unneeded: number[] = [];
  /** Within how many milliseconds a buffered journal is to bring it to disk. */
  syncMs = Number.POSITIVE_INFINITY;
  /** Told once it is on disk, or never will be. */
  readonly waiting: (() => void)[] = [];
  readonly #firsts: number[] = [];
  readonly #nexts: number[] = [];
  readonly #lives: number[] = [];
  readonly #positions: number[] = [];
  #statesEnd = 0;

  constructor(writer: BlockWriter) {
    this.writer = writer;
  }

  /** Makes it the block that follows `before`, whose streams it says the state of. */
  open(ordinal: number, before: StagedBlock | null): void {
    this.writer.clear();
    this.ordinal = ordinal;
    this.position = -1;
    this.streams.length = 0;
    this.released.length = 0;
    this.unneeded.length = 0;
    this.syncMs = Number.POSITIVE_INFINITY;
    if (before !== null) before.#layStates(this.writer);
    this.#statesEnd = this.writer.usedBytes;
  }

  #layStates(target: BlockWriter): void {
    for (let i = 0; i < this.streams.length; i++)
      target.state(this.streams[i].number, this.#firsts[i], this.#nexts[i], this.#lives[i]);
  }

  /** Whether it has more than the states that it begins with. */
  get hasEntries(): boolean {
    return this.writer.usedBytes > this.#statesEnd;
  }

  get kind(): BlockKind {
    return this.hasEntries ? BlockKind.data : BlockKind.seal;
  }

  touch(stream: JournalStream): void {
    if (stream.syncMs < this.syncMs) this.syncMs = stream.syncMs;
    if (stream.latestBlock === this.ordinal) return;
    stream.latestBlock = this.ordinal;
    this.streams.push(stream);
  }

  /** Nothing more is laid into it. */
  close(): void {
    for (let i = 0; i < this.streams.length; i++) {
      const stream = this.streams[i];
      this.#firsts[i] = stream.firstSequence;
      this.#nexts[i] = stream.nextSequence;
      this.#lives[i] = stream.live;
      this.#positions[i] = stream.position;
    }
  }

  place(position: number, lengthBytes: number): void {
    this.position = position;
    for (let i = 0; i < this.streams.length; i++) {
      const stream = this.streams[i];
      stream.placedFirst = this.#firsts[i];
      stream.placedNext = this.#nexts[i];
      stream.placedLive = this.#lives[i];
      stream.onPlaced(this.ordinal, position, lengthBytes);
    }
  }

  commit(): void {
    for (let i = 0; i < this.streams.length; i++) this.streams[i].onCommitted(this.#positions[i], this.#nexts[i]);
    this.tell();
  }

  /** It is on disk, or never will be. */
  tell(): void {
    for (const tell of this.waiting.splice(0)) tell();
  }
}
