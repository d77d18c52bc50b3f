import { assert } from '../base/assert.js';
import type { MessageView } from '../base/messageView.js';
import type { Place } from '../base/span.js';
import type { BlockCache } from './blockCache.js';
import { BlockIndex } from './blockIndex.js';
import { EntryKind } from './entryLayout.js';
import { EntryWalk } from './entryWalk.js';
import type { Journal } from './journal.js';
import { RemovedSet } from './removedSet.js';
import type { ScanPass } from './scanPass.js';
import type { JournalStream } from './stagedBlock.js';
import { type Intake, RecordView, type Storage, type StorageEvents, type StorageFailure } from './storage.js';

/** What all streams of a journal share. */
export interface JournalAccess {
  readonly journal: Journal;
  readonly cache: BlockCache;
  readonly scans: ScanPass;
  /** Longest message, headers and payload, in bytes. */
  readonly messageBytesMax: number;
  /** Records that are there have come to the file of a position, or have left it. */
  count(position: number, records: number): void;
}

/** Where a walk has found a record, so that the next one is found from there. */
interface Cursor {
  block: number;
  sequence: number;
  offset: number;
}

/** The records of one stream in the journal of its shard. */
export class DurableStorage implements Storage, JournalStream {
  readonly number: number;
  events: StorageEvents | null = null;
  /** Of the first record; `nextSequence` without one. While the journal is read again, perhaps less. */
  firstSequence = 1;
  nextSequence = 1;
  position = 0;
  committed = 0;
  committedNext = 1;
  latestBlock = -1;
  placedFirst = 1;
  placedNext = 1;
  readonly #access: JournalAccess;
  readonly #index: BlockIndex;
  readonly #removed = new RemovedSet();
  readonly #walk = new EntryWalk();
  readonly #record = new RecordView();
  readonly #cursor: Cursor = { block: 0, sequence: -1, offset: 0 };
  /** While the journal is read again: records of the block that is read, and where that lies. */
  #replayed = 0;
  #replayedAt = -1;
  /** Sequences that damage has taken. */
  readonly #lost: { first: number; last: number; reason: string }[] = [];

  constructor(number: number, access: JournalAccess) {
    this.number = number;
    this.#index = new BlockIndex((run) => this.#liveIn(run) === 0);
    this.#access = access;
  }

  get memoryBytes(): number {
    return this.#index.memoryBytes + this.#removed.memoryBytes;
  }

  get messageBytesMax(): number {
    return this.#access.messageBytesMax;
  }

  get intake(): Intake {
    const { journal } = this.#access;
    if (journal.isFull) return 'full';
    return journal.isBehind ? 'behind' : 'open';
  }

  append(subject: Place, messages: MessageView, from: number, to: number, timeUs: number): void {
    assert(from < to, 'something is stored');
    const { journal } = this.#access;
    for (let i = from; i < to; i++) {
      const offset = journal.record(this, this.nextSequence, timeUs, subject, messages, i);
      this.#index.add(this.nextSequence++, -1 - this.latestBlock, 0, offset);
      this.position++;
    }
  }

  skipTo(sequence: number): void {
    assert(sequence >= this.nextSequence, 'sequences rise');
    this.#lay(EntryKind.skipped, this.nextSequence, sequence - 1);
    if (this.firstSequence === this.nextSequence) this.firstSequence = sequence;
    this.nextSequence = sequence;
  }

  remove(sequence: number): void {
    const run = this.#runOf(sequence);
    assert(run >= 0, 'only what is there is removed');
    this.#lay(EntryKind.removed, sequence, sequence);
    if (sequence === this.firstSequence) this.#applyRemoveBelow(this.nextThere(sequence + 1));
    else this.#applyRemove(sequence, run);
  }

  /** The first sequence from one on that a record has; `nextSequence` when there is none. */
  nextThere(sequence: number): number {
    for (let run = this.#index.findFrom(sequence); run < this.#index.to; run++) {
      for (let at = Math.max(sequence, this.#index.first(run)); at < this.#index.end(run); at++)
        if (!this.#removed.has(at)) return at;
    }
    return this.nextSequence;
  }

  read(sequence: number, show: (record: RecordView | null) => void, fail: (failure: StorageFailure) => void): void {
    const run = this.#runOf(sequence);
    if (run < 0) {
      const lost = this.#lost.find(({ first, last }) => first <= sequence && sequence <= last);
      if (lost === undefined) show(null);
      else fail({ reason: lost.reason });
      return;
    }
    const offset = this.#index.offset(run);
    const block = this.#index.block(run);
    const staged = this.#access.journal.find(-1 - block, block);
    if (staged !== null) {
      staged.writer.show(this.#walk);
      show(this.#find(this.#walk, block, offset, sequence));
      return;
    }
    this.#access.cache.read(block, this.#index.blockBytes(run), (reader, reason) => {
      if (reader !== null) show(this.#find(reader, block, offset, sequence));
      // its file may have been used again meanwhile
      else if (this.#runOf(sequence) < 0) show(null);
      else fail({ reason: `${reason}: sequence ${sequence}` });
    });
  }

  scan(show: (record: RecordView) => void): Promise<void> {
    return this.#access.scans.scan(this, show);
  }

  /** Blocks in files that have records of the stream, and their lengths: a file without any may be there no more. */
  forEachBlock(visit: (position: number, lengthBytes: number) => void): void {
    const index = this.#index;
    for (let run = index.from; run < index.to; run++)
      if (index.block(run) >= 0 && this.#liveIn(run) > 0) visit(index.block(run), index.blockBytes(run));
  }

  /** Whether a record is there, and in the block at that position. */
  hasIn(sequence: number, position: number): boolean {
    const run = this.#runOf(sequence);
    return run >= 0 && this.#index.block(run) === position;
  }

  /** Shows the record that a walk has come to. */
  view(walk: EntryWalk): RecordView {
    const record = this.#record;
    record.sequence = walk.sequence;
    record.timeUs = walk.timeUs;
    record.span = walk.span;
    record.subjectStart = walk.subjectStart;
    record.subjectEnd = record.start = walk.headersStart;
    record.headerBytes = walk.headerBytes;
    record.end = walk.payloadEnd;
    return record;
  }

  onPlaced(ordinal: number, position: number, lengthBytes: number): void {
    let records = 0;
    this.#index.place(ordinal, position, lengthBytes, (run) => {
      records += this.#liveIn(run);
    });
    if (records > 0) this.#access.count(position, records);
  }

  onCommitted(position: number, nextSequence: number): void {
    this.committed = position;
    this.committedNext = nextSequence;
    this.events?.onCommitted();
  }

  /** A journal that is read again has an entry of the stream, in a block of `lengthBytes` at `position`. */
  replay(entry: EntryWalk, position: number, lengthBytes: number): void {
    const { entryKind } = entry;
    if (entryKind === EntryKind.record) this.#replayRecord(entry, position, lengthBytes);
    else if (entryKind === EntryKind.removed) this.#replayRemoved(entry.first, entry.last);
    else this.#replayState(entryKind, entry);
  }

  /** Damage has taken these sequences. */
  lose(first: number, last: number, reason: string): void {
    this.#lost.push({ first, last, reason });
  }

  /** All entries of the journal were read. */
  recovered(): void {
    this.#countReplayed(-1);
    this.#applyRemoveBelow(this.nextThere(this.firstSequence));
    this.placedFirst = this.firstSequence;
    this.placedNext = this.committedNext = this.nextSequence;
  }

  /** The stream is removed. */
  destroy(): void {
    this.#applyRemoveBelow(this.nextSequence);
  }

  /** Before it takes effect: a block that is full is closed by it, and says what the stream was. */
  #lay(kind: EntryKind, first: number, last: number): void {
    this.#access.journal.range(kind, this, first, last);
    this.position++;
  }

  #replayRecord({ sequence, offset }: EntryWalk, position: number, lengthBytes: number): void {
    if (sequence < this.nextSequence) return;
    this.nextSequence = sequence + 1;
    this.#index.add(sequence, position, lengthBytes, offset);
    if (position !== this.#replayedAt) this.#countReplayed(position);
    if (sequence >= this.firstSequence) this.#replayed++;
  }

  /** Counts the records that were read of one block, and goes on to the next. */
  #countReplayed(next: number): void {
    if (this.#replayed > 0) this.#access.count(this.#replayedAt, this.#replayed);
    this.#replayedAt = next;
    this.#replayed = 0;
  }

  #replayRemoved(first: number, last: number): void {
    for (let sequence = first; sequence <= last; sequence++) {
      const run = this.#runOf(sequence);
      if (sequence === this.firstSequence) this.#applyRemoveBelow(sequence + 1);
      else if (run >= 0) this.#applyRemove(sequence, run);
    }
  }

  #replayState(kind: number, { first, last }: EntryWalk): void {
    if (last >= this.nextSequence) this.nextSequence = last + 1;
    if (kind === EntryKind.state && first > this.firstSequence) this.#applyRemoveBelow(first);
  }

  /** The run of a record that is there; -1 when none of that sequence is. */
  #runOf(sequence: number): number {
    return sequence < this.firstSequence || this.#removed.has(sequence) ? -1 : this.#index.find(sequence);
  }

  #applyRemove(sequence: number, run: number): void {
    const block = this.#index.block(run);
    this.#removed.add(sequence);
    if (block >= 0) this.#access.count(block, -1);
  }

  #applyRemoveBelow(sequence: number): void {
    const index = this.#index;
    while (index.from < index.to && index.end(index.from) <= sequence) {
      this.#uncount(index.from, sequence);
      index.dropFirst();
    }
    if (index.from < index.to && index.first(index.from) < sequence) this.#uncount(index.from, sequence);
    this.#removed.forgetBelow(this.firstSequence, sequence);
    this.firstSequence = Math.max(this.firstSequence, sequence);
  }

  /** What of a run lies below a sequence leaves its file. */
  #uncount(run: number, below: number): void {
    const block = this.#index.block(run);
    if (block < 0) return;
    const records = this.#liveIn(run, Math.min(below, this.#index.end(run)));
    if (records > 0) this.#access.count(block, -records);
  }

  #liveIn(run: number, end = this.#index.end(run)): number {
    const from = Math.max(this.#index.first(run), this.firstSequence);
    return from >= end ? 0 : end - from - this.#removed.countIn(from, end);
  }

  /** Goes to a record of a block that has it. */
  #find(walk: EntryWalk, block: number, runOffset: number, sequence: number): RecordView {
    const cursor = this.#cursor;
    const near = cursor.block === block && cursor.sequence <= sequence && cursor.offset >= runOffset;
    walk.seek(near ? cursor.offset : runOffset);
    while (walk.next()) {
      if (walk.entryKind !== EntryKind.record || walk.stream !== this.number || walk.sequence !== sequence) continue;
      cursor.block = block;
      cursor.sequence = sequence;
      cursor.offset = walk.offset;
      return this.view(walk);
    }
    throw new Error(`sequence ${sequence} is not where the index says`);
  }
}
