import { assert } from '../base/assert.js';
import type { JournalMemory } from '../base/kernel.js';
import { lineEndBytes } from '../base/ownMessage.js';
import { copySpan, type Span } from '../base/span.js';
import {
  type BlockKind,
  beginAt,
  blockHeaderBytes,
  blockKindAt,
  blockLengthAt,
  blockMagic,
  blockVersion,
  checkAt,
  durableAt,
  epochAt,
  journalAt,
  magicAt,
  paged,
  positionAt,
  previousAt,
  versionAt,
} from './blockLayout.js';
import {
  EntryKind,
  entryFlagsAt,
  entryKindAt,
  entryLengthAt,
  entryRoom,
  firstAt,
  headerBytesAt,
  lastAt,
  liveAt,
  noteHeadBytes,
  noteKeyAt,
  noteKinds,
  noteNumberAt,
  rangeBytes,
  recordHeadBytes,
  sequenceAt,
  stateBytes,
  streamAt,
  subjectBytesAt,
  timeAt,
} from './entryLayout.js';
import type { EntryWalk } from './entryWalk.js';
import type { RecordRun } from './recordRun.js';
import type { RunRoom } from './runRoom.js';
import type { NoteKind } from './storage.js';
import { setWord } from './words.js';

/** What a block says of itself beyond its entries. */
export interface BlockPlace {
  position: number;
  durable: number;
  begin: number;
  epoch: number;
}

/** Lays entries of one block into memory of its own, behind the place of its header, and at last the header. */
export class BlockWriter {
  /** Bytes up to the end of the last entry. */
  usedBytes = blockHeaderBytes;
  readonly #memory: JournalMemory;
  readonly #span: Span;
  readonly #at: number;
  readonly #capacity: number;
  readonly #room: RunRoom | null;

  /**
   * @param span all of `memory`, of which `[at, at + capacityBytes)` is this writer's; `at` begins a page
   * @param room in the same memory, for runs; null when none will come
   */
  constructor(memory: JournalMemory, span: Span, at: number, capacityBytes: number, room: RunRoom | null = null) {
    assert(paged(at) === at && paged(capacityBytes) === capacityBytes, 'a block takes whole pages');
    this.#memory = memory;
    this.#span = span;
    this.#at = at;
    this.#capacity = capacityBytes;
    this.#room = room;
  }

  /** The block as it is written, filled up to a page. */
  get block(): Uint8Array {
    return this.#span.bytes.subarray(this.#at, this.#at + paged(this.usedBytes));
  }

  /** Goes through the entries that are laid. */
  show(walk: EntryWalk): void {
    walk.walk(this.#span, this.#at, this.usedBytes);
  }

  clear(): void {
    this.usedBytes = blockHeaderBytes;
  }

  hasRoomFor(entryBytes: number): boolean {
    return this.usedBytes + entryRoom(entryBytes) <= this.#capacity;
  }

  /** Lays the next message of a run; returns where it begins in the block. There is room for it. */
  record(run: RecordRun): number {
    const span = this.#span;
    const { view } = span;
    const { subject, messages, from } = run;
    const at = this.#entry(EntryKind.record, run.stream, run.entryBytes);
    view.setUint16(at + subjectBytesAt, run.subjectBytes, true);
    setWord(view, at + sequenceAt, run.sequence);
    setWord(view, at + timeAt, run.timeUs);
    setWord(view, at + headerBytesAt, messages.headerBytes(from));
    const behind = copySpan(span, at + recordHeadBytes, subject.span, subject.start, subject.end);
    copySpan(span, behind, messages.span, messages.starts[from], messages.ends[from] + lineEndBytes);
    return at - this.#at;
  }

  /**
   * Lays the next messages of a run, one behind the other, as far as there is room: for the first there is. None of the others begins
   * behind `aimBytes`. Returns how many.
   */
  records(run: RecordRun, aimBytes: number): number {
    const room = this.#room;
    // what is long is copied as quickly by itself
    if (room === null || run.to - run.from === 1 || !room.takes(run)) {
      this.record(run);
      return 1;
    }
    const at = this.#at;
    const next = at + this.usedBytes;
    const end = at + this.#capacity;
    const laid = room.lay(run, next, at + aimBytes, end);
    this.usedBytes = room.laidEnd - at;
    return laid;
  }

  /** Lays the record again that a walk has come to; returns where it begins in the block. There is room for it. */
  copy(walk: EntryWalk): number {
    const { span, entryStart, entryBytes, stream } = walk;
    const at = this.#entry(EntryKind.copy, stream, entryBytes);
    copySpan(this.#span, at + subjectBytesAt, span, entryStart + subjectBytesAt, entryStart + entryBytes);
    return at - this.#at;
  }

  /** Lays an entry that is a range of sequences of a stream. There is room for it. */
  range(kind: EntryKind, stream: number, first: number, last: number): void {
    this.#range(this.#entry(kind, stream, rangeBytes), first, last);
  }

  /** Lays a note. There is room for it. */
  note(stream: number, key: number, number: number, kind: NoteKind, bytes: Uint8Array): void {
    const at = this.#entry(EntryKind.note, stream, noteHeadBytes + bytes.length);
    const { view } = this.#span;
    view.setUint8(at + entryFlagsAt, noteKinds.indexOf(kind));
    view.setUint16(at + subjectBytesAt, 0, true);
    setWord(view, at + noteKeyAt, key);
    setWord(view, at + noteNumberAt, number);
    this.#span.bytes.set(bytes, at + noteHeadBytes);
  }

  /** Lays what a stream is. There is room for it. */
  state(stream: number, first: number, next: number, live: number): void {
    const at = this.#entry(EntryKind.state, stream, stateBytes);
    this.#range(at, first, next - 1);
    setWord(this.#span.view, at + liveAt, live);
  }

  #range(at: number, first: number, last: number): void {
    this.#span.view.setUint16(at + subjectBytesAt, 0, true);
    setWord(this.#span.view, at + firstAt, first);
    setWord(this.#span.view, at + lastAt, last);
  }

  /** Lays an entry's head; returns its address. */
  #entry(kind: EntryKind, stream: number, length: number): number {
    assert(this.hasRoomFor(length), 'the entry fits into the block');
    const at = this.#at + this.usedBytes;
    const view = this.#span.view;
    const room = entryRoom(length);
    // the last word may go beyond the entry: nothing of what the memory held before gets to the disk
    setWord(view, at + room - 8, 0);
    view.setUint32(at + entryLengthAt, length, true);
    view.setUint16(at + entryKindAt, kind, true);
    setWord(view, at + streamAt, stream);
    this.usedBytes += room;
    return at;
  }

  /** Writes the header: from here on the block is what `block` says. `previous` is the block before's eight bytes of check. */
  seal(kind: BlockKind, journal: Uint8Array, place: BlockPlace, previous: Uint8Array): void {
    const at = this.#at;
    const { bytes, view } = this.#span;
    bytes.fill(0, at + this.usedBytes, at + paged(this.usedBytes));
    view.setUint32(at + magicAt, blockMagic, true);
    view.setUint16(at + versionAt, blockVersion, true);
    view.setUint16(at + blockKindAt, kind, true);
    view.setUint32(at + blockLengthAt, this.usedBytes, true);
    view.setUint32(at + epochAt, place.epoch, true);
    bytes.set(journal, at + journalAt);
    setWord(view, at + positionAt, place.position);
    setWord(view, at + durableAt, place.durable);
    bytes.set(previous, at + previousAt);
    setWord(view, at + beginAt, place.begin);
    this.#memory.hash64(at + magicAt, this.usedBytes - magicAt, at + journalAt, at + checkAt);
  }

  /** Copies the sealed block's check to `target`. */
  copyCheck(target: Uint8Array): void {
    target.set(this.#span.bytes.subarray(this.#at + checkAt, this.#at + checkAt + 8));
  }
}
