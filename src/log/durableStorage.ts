import { assert } from '../base/assert.js';
import type { MessageView } from '../base/messageView.js';
import type { PieceReader, PieceWriter } from '../base/pieces.js';
import type { Place } from '../base/span.js';
import type { BlockCache } from './blockCache.js';
import type { LostRange } from './damage.js';
import { EntryKind, operationRoom } from './entryLayout.js';
import { EntryWalk } from './entryWalk.js';
import type { Journal } from './journal.js';
import { OwnerReplay } from './ownerReplay.js';
import { RecordPlaces, RunPlace } from './recordPlaces.js';
import { RecordReplay } from './recordReplay.js';
import { RecordRows, showRecord } from './recordRows.js';
import type { ScanPass } from './scanPass.js';
import type { JournalStream, StagedBlock } from './stagedBlock.js';
import {
  type Intake,
  type NoteKind,
  type RecordOwner,
  type RecordRun,
  RecordView,
  type Storage,
  type StorageEvents,
  type StorageFailure,
} from './storage.js';
import { StreamNotes } from './streamNotes.js';

/** Records that are shown together: few at first, since most who read want few. */
const runRecordsMin = 8;
const runRecordsMax = 256;

/** What all streams of a journal share. */
export interface JournalAccess {
  readonly journal: Journal;
  readonly cache: BlockCache;
  readonly scans: ScanPass;
  /** Longest message, headers and payload, in bytes. */
  readonly messageBytesMax: number;
  /** Records that are there have come to the file of a position, or have left it. */
  count(position: number, records: number): void;
  /** The same of last whole notes. */
  countNotes(position: number, notes: number): void;
  /** The block of that ordinal or position, if its bytes are in memory. */
  staged(ordinal: number, position: number): StagedBlock | null;
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
  readonly #access: JournalAccess;
  readonly #places: RecordPlaces;
  /** Null for one that never had any. */
  #notes: StreamNotes | null = null;
  readonly #place = new RunPlace();
  readonly #nextPlace = new RunPlace();
  /** The block behind which the next one was asked for last. */
  #aheadOf = -1;
  readonly #walk = new EntryWalk();
  readonly #record = new RecordView();
  /** What is shown together; made when somebody reads on. */
  #rows: RecordRows | null = null;
  readonly #cursor: Cursor = { block: 0, sequence: -1, offset: 0 };
  /** While the journal is read again. */
  #replay: RecordReplay | null = null;
  #ownerReplay: OwnerReplay | null = null;
  /** Sequences that damage has taken. */
  readonly #lost: { first: number; last: number; reason: string }[] = [];

  constructor(number: number, access: JournalAccess) {
    this.number = number;
    this.#access = access;
    this.#places = new RecordPlaces(access.count);
  }

  get firstSequence(): number {
    return this.#places.firstSequence;
  }

  get nextSequence(): number {
    return this.#places.nextSequence;
  }

  get live(): number {
    return this.#places.live;
  }

  get memoryBytes(): number {
    return this.#places.memoryBytes + (this.#notes?.memoryBytes ?? 0);
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
    const { blocks } = this.#access.journal;
    const { run } = blocks;
    run.set(this.number, this.nextSequence, timeUs, subject, messages, from, to);
    while (run.from < run.to) {
      const laid = blocks.records(this);
      this.#places.append(run.sequence, laid, -1 - this.latestBlock, 0, blocks.laidAt);
      this.#places.live += laid;
      this.position += laid;
      run.skip(laid);
    }
  }

  skipTo(sequence: number): void {
    assert(sequence >= this.nextSequence, 'sequences rise');
    this.#lay(EntryKind.skipped, this.nextSequence, sequence - 1);
    this.#places.skipTo(sequence);
  }

  remove(sequence: number): void {
    assert(this.#places.has(sequence), 'only what is there is removed');
    this.#lay(EntryKind.removed, sequence, sequence);
    this.#places.remove(sequence);
  }

  get togetherMax(): number {
    return this.#access.journal.blocks.operationsMax;
  }

  together(operations: number, noteBytes = 0): void {
    this.#access.journal.blocks.makeRoom(operations * operationRoom + noteBytes);
  }

  get noteBytesMax(): number {
    return this.#access.journal.blocks.noteBytesMax;
  }

  note(key: number, kind: NoteKind, bytes: Uint8Array): void {
    const { blocks } = this.#access.journal;
    const notes = this.#noting();
    blocks.note(this, key, notes.next, kind, bytes);
    this.position++;
    notes.put(key, kind, -1 - this.latestBlock, bytes.length);
  }

  #noting(): StreamNotes {
    this.#notes ??= new StreamNotes(this.#access.countNotes);
    return this.#notes;
  }

  /** Null for a stream that never had any. */
  get notes(): StreamNotes | null {
    return this.#notes;
  }

  /** Number of its next note. */
  get nextNote(): number {
    return this.#notes?.next ?? 1;
  }

  /**
   * Has another whole note of a key written, or its end, unless its last one lies elsewhere than in the block at a position. Returns how
   * many bytes are laid.
   */
  renote(key: number, position: number): number {
    const { owner } = this;
    const notes = this.#notes;
    if (notes?.blockOf(key) !== position) return 0;
    assert(owner !== null, 'who has written notes can write them anew');
    owner.renote(key);
    assert(notes.blockOf(key) !== position, 'the whole note is written anew');
    return notes.bytesOf(key);
  }

  async lasting(): Promise<void> {
    const { journal } = this.#access;
    await journal.written();
    await journal.synced();
  }

  /** The first sequence from one on that a record has; `nextSequence` when there is none. */
  nextThere(sequence: number): number {
    return this.#places.nextThere(sequence);
  }

  read(sequence: number, show: (record: RecordView | null) => void, fail: (failure: StorageFailure) => void): void {
    const showOne = (records: RecordRun | null) => {
      show(records === null ? null : records.view(0));
      return false;
    };
    this.readOn(sequence, sequence, showOne, () => {}, fail);
  }

  readOn(
    sequence: number,
    end: number,
    show: (records: RecordRun | null) => boolean,
    done: () => void,
    fail: (failure: StorageFailure) => void,
  ): void {
    const showNone = () => {
      show(null);
      done();
    };
    const place = this.#place;
    if (!this.#places.show(sequence, place)) {
      const lost = this.#lost.find(({ first, last }) => first <= sequence && sequence <= last);
      if (lost === undefined) showNone();
      else fail({ reason: lost.reason });
      return;
    }
    const { first, end: runEnd, offset, block, blockBytes } = place;
    const staged = this.#access.staged(-1 - block, block);
    if (staged !== null) {
      staged.writer.show(this.#walk);
      this.#find(this.#walk, block, first, offset, sequence);
      this.#showFrom(this.#walk, block, end, show);
      done();
      return;
    }
    this.#access.cache.read(block, blockBytes, (reader, reason) => {
      // it may have been removed meanwhile, and its file used again
      if (!this.#places.has(sequence)) showNone();
      else if (reader !== null) {
        if (sequence < end) this.#readAhead(block, runEnd);
        this.#find(reader, block, first, offset, sequence);
        this.#showFrom(reader, block, end, show);
        done();
      } else fail({ reason: `${reason}: sequence ${sequence}` });
    });
  }

  /** Who reads on in a block will want the next one of the stream, from a sequence on: it is read meanwhile. */
  #readAhead(block: number, sequence: number): void {
    if (this.#aheadOf === block) return;
    this.#aheadOf = block;
    const next = this.#nextPlace;
    if (this.#places.showNext(sequence, next) && next.block !== block)
      this.#access.cache.readAhead(next.block, next.blockBytes);
  }

  scan(show: (record: RecordView) => void): Promise<void> {
    return this.#access.scans.scan(this, show);
  }

  /** Blocks in files that have records of the stream, their lengths, and from which sequence to which (exclusive). */
  forEachBlock(visit: (position: number, lengthBytes: number, first: number, end: number) => void): void {
    this.#places.forEachBlock(visit);
  }

  /** Whether a record is there, and in the block at that position. */
  hasIn(sequence: number, position: number): boolean {
    return this.#places.hasIn(sequence, position);
  }

  /** Shows the first run from a sequence on that has records in a file; returns whether there is one. */
  showRun(sequence: number, place: RunPlace): boolean {
    return this.#places.showNext(sequence, place);
  }

  /** Copies the record that a walk has come to in the block at a position, if it is there, to the journal's open block, which has room. */
  copy(walk: EntryWalk, position: number): void {
    const { blocks } = this.#access.journal;
    const places = this.#places;
    const { sequence } = walk;
    // those in front of it in its run are there already
    const isNext = places.hasIn(sequence, -1 - this.latestBlock);
    if (!isNext && !places.hasIn(sequence, position)) return;
    const offset = blocks.copy(this, walk);
    if (!isNext) places.moveRun(sequence, position, -1 - this.latestBlock, offset);
    places.noteCopy(-1 - this.latestBlock, sequence);
  }

  /** Shows the record that a walk has come to. */
  view(walk: EntryWalk): RecordView {
    return showRecord(this.#record, walk.span, walk.entryStart);
  }

  onPlaced(ordinal: number, position: number, lengthBytes: number): void {
    this.#places.place(ordinal, position, lengthBytes);
    this.#notes?.place(ordinal, position);
  }

  onCommitted(position: number, nextSequence: number): void {
    this.committed = position;
    this.committedNext = nextSequence;
    this.events?.onCommitted();
  }

  /** The journal is read again: its owner is told of what it has, too. */
  beginReplay(): void {
    if (this.owner !== null) this.#ownerReplay = new OwnerReplay(this.owner, this.nextSequence);
  }

  /** A journal that is read again has records of the stream, in a block of `lengthBytes` at `position`. */
  replayRecords(rows: RecordRows, position: number, lengthBytes: number): void {
    this.#ownerReplay?.records(rows);
    this.#replaying().records(rows, position, lengthBytes);
  }

  /** The same of any other entry. */
  replay(entry: EntryWalk, position: number, lengthBytes: number): void {
    const { entryKind, first, last } = entry;
    if (entryKind === EntryKind.copy) this.#replayCopy(entry, position, lengthBytes);
    else if (entryKind === EntryKind.removed) {
      this.#ownerReplay?.removed(first, last);
      this.#replaying().removed(first, last);
    } else if (entryKind === EntryKind.note) this.#noting().replay(entry, position, this.owner);
    else this.#replaying().state(entry);
  }

  /** The first one of a run moves it: all that is left of it follows. */
  #replayCopy({ sequence, offset }: EntryWalk, position: number, lengthBytes: number): void {
    if (this.#places.isGone(sequence)) return;
    this.#ownerReplay?.copy(sequence);
    this.#places.putCopy(sequence, position, lengthBytes, offset);
  }

  #replaying(): RecordReplay {
    this.#replay ??= new RecordReplay(this.#places, this.#access.count);
    return this.#replay;
  }

  /** Keys have ended whose last whole notes lie before a position. */
  giveUpNotes(position: number): void {
    for (const [key] of this.#notes?.between(0, position) ?? []) this.#notes?.giveUp(key, this.owner);
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
    const missing = this.#replaying().end(this.#lost);
    this.#replay = null;
    const places = this.#places;
    places.removeBelow(places.nextThere(places.firstSequence));
    this.placedFirst = places.firstSequence;
    this.placedNext = this.committedNext = places.nextSequence;
    this.placedLive = places.live;
    return missing && { stream: this.number, ...missing };
  }

  /**
   * Lays out where records below a sequence lie that have a place, and last whole notes, in steps. What becomes of them meanwhile may be in
   * it or not: so it counts with the journal behind where that was on disk when the first step was made.
   *
   * @param nextNote number of the first note that its owner did not know when it was laid out
   */
  *save(target: PieceWriter, next: number, nextNote: number): Generator<void> {
    yield* this.#places.save(target, next);
    if (this.#notes !== null) yield* this.#notes.save(target, nextNote);
  }

  /** Becomes what was laid out; `replay` what the journal has behind it, and `recovered`. */
  restore(source: PieceReader): void {
    this.#places.restore(source);
    if (source.hasMore) this.#noting().restore(source);
  }

  /** The stream is removed. */
  destroy(): void {
    this.#places.removeBelow(this.nextSequence);
    this.#notes?.clear();
  }

  /** Before it takes effect: a block that is full is closed by it, and says what the stream was. */
  #lay(kind: EntryKind, first: number, last: number): void {
    this.#access.journal.blocks.range(kind, this, first, last);
    this.position++;
  }

  /** Goes to a record of a block that has it, in a run that begins with `first`, at `offset`. */
  #find(walk: EntryWalk, block: number, first: number, offset: number, sequence: number): void {
    const cursor = this.#cursor;
    const isInRun = cursor.block === block && cursor.sequence >= first && cursor.sequence <= sequence;
    walk.seek(isInRun ? cursor.offset : offset);
    while (walk.next()) {
      if (!walk.isRecord || walk.stream !== this.number || walk.sequence !== sequence) continue;
      cursor.block = block;
      cursor.sequence = sequence;
      cursor.offset = walk.offset;
      return;
    }
    throw new Error(`sequence ${sequence} is not where the index says`);
  }

  /** Shows the record that a walk has come to, and those behind it in its block. */
  #showFrom(walk: EntryWalk, block: number, end: number, show: (records: RecordRun | null) => boolean): void {
    this.#rows ??= new RecordRows();
    const rows = this.#rows;
    const cursor = this.#cursor;
    for (let max = runRecordsMin; ; max = Math.min(4 * max, runRecordsMax)) {
      const wanted = Math.max(1, Math.min(max, end - walk.sequence));
      const isLast = !walk.gatherUpTo(rows, this.#places.countThere(walk.sequence, wanted));
      // not all of them need be taken
      cursor.sequence = rows.first;
      cursor.offset = rows.starts[0] - rows.blockAt;
      if (!show(rows) || isLast) return;
      while (!this.#isBehind(walk, rows.end - 1, block)) if (!walk.next()) return;
      if (walk.sequence >= end) return;
    }
  }

  /** Whether a walk has come to a record behind a sequence that is there, and not somewhere else by now. */
  #isBehind(walk: EntryWalk, sequence: number, block: number): boolean {
    if (!walk.isRecord || walk.stream !== this.number || walk.sequence <= sequence) return false;
    return this.#places.hasIn(walk.sequence, block);
  }
}
