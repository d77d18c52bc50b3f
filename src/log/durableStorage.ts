import { assert } from '../base/assert.js';
import type { MessageView } from '../base/messageView.js';
import type { PieceReader, PieceWriter } from '../base/pieces.js';
import type { Place } from '../base/span.js';
import type { BlockCache } from './blockCache.js';
import { BlockIndex } from './blockIndex.js';
import type { LostRange } from './damage.js';
import { EntryKind, entryRoom, rangeBytes } from './entryLayout.js';
import { EntryWalk } from './entryWalk.js';
import type { Journal } from './journal.js';
import { OwnerReplay } from './ownerReplay.js';
import { RemovedSet } from './removedSet.js';
import type { ScanPass } from './scanPass.js';
import type { JournalStream, StagedBlock } from './stagedBlock.js';
import {
  type Intake,
  type RecordOwner,
  RecordView,
  type Storage,
  type StorageEvents,
  type StorageFailure,
} from './storage.js';

/** What all streams of a journal share. */
export interface JournalAccess {
  readonly journal: Journal;
  readonly cache: BlockCache;
  readonly scans: ScanPass;
  /** Longest message, headers and payload, in bytes. */
  readonly messageBytesMax: number;
  /** Records that are there have come to the file of a position, or have left it. */
  count(position: number, records: number): void;
  /** The block of that ordinal or position, if its bytes are in memory. */
  staged(ordinal: number, position: number): StagedBlock | null;
}

/** Longest stretch of lost sequences of which each is looked at. */
const lostCountedMax = 65_536;

/** Where a run of records lies. */
export class RunPlace {
  first = 0;
  /** The sequence behind its last one. */
  end = 0;
  block = 0;
  blockBytes = 0;
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
  owner: RecordOwner | null = null;
  /** Of the first record; `nextSequence` without one. While the journal is read again, perhaps less. */
  firstSequence = 1;
  nextSequence = 1;
  position = 0;
  committed = 0;
  committedNext = 1;
  /** Until its owner has said: nothing is moved before it has scanned all. */
  keptBytes = Number.POSITIVE_INFINITY;
  syncMs = Number.POSITIVE_INFINITY;
  latestBlock = -1;
  placedFirst = 1;
  placedNext = 1;
  placedLive = 0;
  live = 0;
  readonly #access: JournalAccess;
  readonly #index: BlockIndex;
  readonly #removed = new RemovedSet();
  readonly #walk = new EntryWalk();
  readonly #record = new RecordView();
  readonly #cursor: Cursor = { block: 0, sequence: -1, offset: 0 };
  /** First sequences of runs that were copied into blocks which have no place yet. */
  #copied: number[] = [];
  /** The record that was copied last, and the block that it came into. */
  readonly #latestCopy = { block: Number.NaN, sequence: 0 };
  /** While the journal is read again: how many records should be there; -1 as long as nothing says that. */
  #expected = -1;
  /** While the journal is read again: records of the block that is read, and where that lies. */
  #replayed = 0;
  #replayedAt = -1;
  #ownerReplay: OwnerReplay | null = null;
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
    const { run } = journal;
    run.set(this.number, this.nextSequence, timeUs, subject, messages, from, to);
    while (run.from < run.to) {
      const laid = journal.records(this);
      this.#index.add(run.sequence, laid, -1 - this.latestBlock, 0, journal.laidAt);
      run.skip(laid);
      this.nextSequence = run.sequence;
      this.position += laid;
      this.live += laid;
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
    this.live--;
    if (sequence === this.firstSequence) this.#applyRemoveBelow(this.nextThere(sequence + 1));
    else this.#applyRemove(sequence, run);
  }

  get togetherMax(): number {
    return this.#access.journal.rangesMax;
  }

  together(operations: number): void {
    this.#access.journal.makeRoom(operations * entryRoom(rangeBytes));
  }

  async lasting(): Promise<void> {
    const { journal } = this.#access;
    await journal.written();
    await journal.synced();
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
    const first = this.#index.first(run);
    const offset = this.#index.offset(run);
    const block = this.#index.block(run);
    const staged = this.#access.staged(-1 - block, block);
    if (staged !== null) {
      staged.writer.show(this.#walk);
      show(this.#find(this.#walk, block, first, offset, sequence));
      return;
    }
    this.#access.cache.read(block, this.#index.blockBytes(run), (reader, reason) => {
      if (reader !== null) show(this.#find(reader, block, first, offset, sequence));
      // its file may have been used again meanwhile
      else if (this.#runOf(sequence) < 0) show(null);
      else fail({ reason: `${reason}: sequence ${sequence}` });
    });
  }

  scan(show: (record: RecordView) => void): Promise<void> {
    return this.#access.scans.scan(this, show);
  }

  /** Blocks in files that have records of the stream, their lengths, and from which sequence to which (exclusive). */
  forEachBlock(visit: (position: number, lengthBytes: number, first: number, end: number) => void): void {
    const index = this.#index;
    for (let run = index.from; run < index.to; run++)
      if (index.block(run) >= 0 && this.#liveIn(run) > 0)
        visit(index.block(run), index.blockBytes(run), index.first(run), index.end(run));
  }

  /** Whether a record is there, and in the block at that position. */
  hasIn(sequence: number, position: number): boolean {
    const run = this.#runOf(sequence);
    return run >= 0 && this.#index.block(run) === position;
  }

  /** Shows the first run from a sequence on that has records in a file; returns whether there is one. */
  showRun(sequence: number, place: RunPlace): boolean {
    const index = this.#index;
    for (let run = index.findFrom(sequence); run < index.to; run++) {
      if (index.block(run) < 0 || this.#liveIn(run) === 0) continue;
      place.first = index.first(run);
      place.end = index.end(run);
      place.block = index.block(run);
      place.blockBytes = index.blockBytes(run);
      return true;
    }
    return false;
  }

  /** Copies the record that a walk has come to in the block at a position, if it is there, to the journal's open block, which has room. */
  copy(walk: EntryWalk, position: number): void {
    const { journal } = this.#access;
    const run = this.#runOf(walk.sequence);
    if (run < 0) return;
    const block = this.#index.block(run);
    // those in front of it in its run are there already
    const isNext = block === -1 - this.latestBlock;
    if (block !== position && !isNext) return;
    const offset = journal.copy(this, walk);
    if (!isNext) {
      this.#access.count(position, -this.#liveIn(run));
      this.#copied.push(this.#index.first(run));
      this.#moveCopied(run, -1 - this.latestBlock, 0, offset);
    }
    this.#noteCopy(-1 - this.latestBlock, walk.sequence);
  }

  /** The first record of a run that is left was copied into a block. */
  #moveCopied(run: number, block: number, blockBytes: number, offset: number): void {
    const index = this.#index;
    index.move(run, block, blockBytes, offset);
    const before = run - 1;
    const latest = this.#latestCopy;
    if (before < index.from || latest.block !== block) return;
    // a run's records lie in order: only what has come whole may be in front of it
    const isOfBefore = latest.sequence >= index.first(before) && latest.sequence < index.first(run);
    if (isOfBefore && this.nextThere(latest.sequence + 1) >= index.first(run)) index.join(run);
  }

  #noteCopy(block: number, sequence: number): void {
    this.#latestCopy.block = block;
    this.#latestCopy.sequence = sequence;
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
    records += this.#placeCopies(ordinal, position, lengthBytes);
    if (records > 0) this.#access.count(position, records);
  }

  /** Copies in the block of an ordinal have their place: returns how many are there. */
  #placeCopies(ordinal: number, position: number, lengthBytes: number): number {
    const index = this.#index;
    let records = 0;
    this.#copied = this.#copied.filter((first) => {
      const run = index.findFrom(first);
      if (run === index.to) return false;
      if (index.block(run) === -1 - ordinal) {
        records += this.#liveIn(run);
        index.move(run, position, lengthBytes, index.offset(run));
      }
      return index.block(run) < 0;
    });
    return records;
  }

  onCommitted(position: number, nextSequence: number): void {
    this.committed = position;
    this.committedNext = nextSequence;
    this.events?.onCommitted();
  }

  /** The journal is read again: its owner is told of what it has, too. */
  beginReplay(): void {
    if (this.owner !== null)
      this.#ownerReplay = new OwnerReplay(this.owner, this.nextSequence, (walk) => this.view(walk));
  }

  /** A journal that is read again has an entry of the stream, in a block of `lengthBytes` at `position`. */
  replay(entry: EntryWalk, position: number, lengthBytes: number): void {
    const { entryKind } = entry;
    if (entryKind === EntryKind.record) this.#replayRecord(entry, position, lengthBytes);
    else if (entryKind === EntryKind.copy) this.#replayCopy(entry, position, lengthBytes);
    else if (entryKind === EntryKind.removed) this.#replayRemoved(entry.first, entry.last);
    else this.#replayState(entryKind, entry);
  }

  /** The journal was read: returns whether the owner knows what it should. */
  endReplay(): boolean {
    const replay = this.#ownerReplay;
    this.#ownerReplay = null;
    return replay?.knowsAll(this.live) ?? true;
  }

  /** Damage has taken these sequences. */
  lose(first: number, last: number, reason: string): void {
    this.#lost.push({ first, last, reason });
  }

  /** All entries of the journal were read. Returns between which sequences records are missing beside those that are known to be lost. */
  recovered(): LostRange | null {
    this.#countReplayed(-1);
    for (let run = this.#index.from; run < this.#index.to; run++) this.live += this.#liveIn(run);
    const isShort = this.live < this.#expected && this.live + this.#knownLost() < this.#expected;
    const missing = isShort ? this.#gaps() : null;
    this.#applyRemoveBelow(this.nextThere(this.firstSequence));
    this.placedFirst = this.firstSequence;
    this.placedNext = this.committedNext = this.nextSequence;
    this.placedLive = this.live;
    return missing;
  }

  /** How many records are known to be lost: as far as these can be counted, and what was removed later is not among them. */
  #knownLost(): number {
    let count = 0;
    for (const { first, last } of this.#lost) {
      if (last - first > lostCountedMax) continue;
      for (let at = first; at <= last; at++) if (!this.#removed.has(at) && this.#index.find(at) < 0) count++;
    }
    return count;
  }

  /**
   * Lays out where records below a sequence lie that have a place, in steps. What becomes of them meanwhile may be in it or not: so it
   * counts with the journal behind where that was on disk when the first step was made.
   */
  *save(target: PieceWriter, next: number): Generator<void> {
    target.number(this.firstSequence);
    target.number(next);
    yield* this.#removed.save(target);
    yield* this.#index.save(target, next);
  }

  /** Becomes what was laid out; `replay` what the journal has behind it, and `recovered`. */
  restore(source: PieceReader): void {
    this.firstSequence = source.number();
    this.nextSequence = source.number();
    this.#removed.restore(source);
    this.#index.restore(source);
    for (let run = this.#index.from; run < this.#index.to; run++)
      this.#access.count(this.#index.block(run), this.#liveIn(run));
  }

  /** From the first sequence to the last one that nothing is there of. */
  #gaps(): LostRange {
    const index = this.#index;
    const gaps = { stream: this.number, first: this.nextSequence, last: this.nextSequence - 1 };
    let at = this.firstSequence;
    for (let run = index.from; run < index.to; run++) {
      if (index.first(run) > at) {
        gaps.first = Math.min(gaps.first, at);
        gaps.last = index.first(run) - 1;
      }
      at = index.end(run);
    }
    return at < this.nextSequence ? { ...gaps, first: Math.min(gaps.first, at), last: this.nextSequence - 1 } : gaps;
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

  #replayRecord(entry: EntryWalk, position: number, lengthBytes: number): void {
    this.#ownerReplay?.record(entry);
    const { sequence, offset } = entry;
    if (this.#expected >= 0) this.#expected++;
    if (sequence < this.nextSequence) return;
    this.nextSequence = sequence + 1;
    this.#index.add(sequence, 1, position, lengthBytes, offset);
    if (position !== this.#replayedAt) this.#countReplayed(position);
    if (sequence >= this.firstSequence) this.#replayed++;
  }

  /** The first one of a run moves it: all that is left of it follows. */
  #replayCopy({ sequence, offset }: EntryWalk, position: number, lengthBytes: number): void {
    if (sequence < this.firstSequence || this.#removed.has(sequence)) return;
    this.#ownerReplay?.copy(sequence);
    const run = this.#index.find(sequence);
    const block = run < 0 ? -1 : this.#index.block(run);
    if (block !== position) {
      const records = run < 0 ? 1 : this.#liveIn(run);
      if (block >= 0) this.#access.count(block, -records);
      if (run < 0) this.#index.insert(sequence, position, lengthBytes, offset);
      else this.#moveCopied(run, position, lengthBytes, offset);
      this.#access.count(position, records);
    }
    this.#noteCopy(position, sequence);
    this.nextSequence = Math.max(this.nextSequence, sequence + 1);
  }

  /** Counts the records that were read of one block, and goes on to the next. */
  #countReplayed(next: number): void {
    if (this.#replayed > 0) this.#access.count(this.#replayedAt, this.#replayed);
    this.#replayedAt = next;
    this.#replayed = 0;
  }

  #replayRemoved(first: number, last: number): void {
    this.#ownerReplay?.removed(first, last);
    for (let sequence = first; sequence <= last; sequence++) {
      if (this.#expected >= 0) this.#expected--;
      const run = this.#runOf(sequence);
      if (sequence === this.firstSequence) this.#applyRemoveBelow(sequence + 1);
      else if (run >= 0) this.#applyRemove(sequence, run);
      else if (sequence > this.firstSequence) this.#removed.add(sequence);
    }
  }

  #replayState(kind: number, { first, last, live }: EntryWalk): void {
    if (last >= this.nextSequence) this.nextSequence = last + 1;
    if (kind !== EntryKind.state) return;
    this.#expected = live;
    if (first > this.firstSequence) this.#applyRemoveBelow(first);
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

  /** Goes to a record of a block that has it, in a run that begins with `first`, at `offset`. */
  #find(walk: EntryWalk, block: number, first: number, offset: number, sequence: number): RecordView {
    const cursor = this.#cursor;
    const isInRun = cursor.block === block && cursor.sequence >= first && cursor.sequence <= sequence;
    walk.seek(isInRun ? cursor.offset : offset);
    while (walk.next()) {
      if (!walk.isRecord || walk.stream !== this.number || walk.sequence !== sequence) continue;
      cursor.block = block;
      cursor.sequence = sequence;
      cursor.offset = walk.offset;
      return this.view(walk);
    }
    throw new Error(`sequence ${sequence} is not where the index says`);
  }
}
