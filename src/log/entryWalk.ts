import { nowhere, type Span } from '../base/span.js';
import { blockHeaderBytes } from './blockLayout.js';
import {
  EntryKind,
  entryFlagsAt,
  entryKindAt,
  entryLengthAt,
  entryRoom,
  lastAt,
  liveAt,
  noteHeadBytes,
  noteKinds,
  noteNumberAt,
  sequenceAt,
  streamAt,
} from './entryLayout.js';
import type { RecordRows } from './recordRows.js';
import type { NoteKind } from './storage.js';
import { getWord } from './words.js';

/** Goes through the entries of a block that is whole, or still being filled, and shows what the entry has that it has come to. */
export class EntryWalk {
  span: Span = nowhere.span;
  entryKind = 0;
  stream = 0;
  /** Of a record; of a range it is the first, of a note its key. */
  sequence = 0;
  #at = 0;
  #entry = 0;
  #next = 0;
  #end = 0;

  /** Begins in front of the first entry of the block at `at`, which is `lengthBytes` long. */
  walk(span: Span, at: number, lengthBytes: number): void {
    this.span = span;
    this.#at = at;
    this.#end = at + lengthBytes;
    this.rewind();
  }

  /** Goes in front of the first entry again. */
  rewind(): void {
    this.#next = this.#at + blockHeaderBytes;
  }

  /** Goes to the next entry, false when there is none. */
  next(): boolean {
    if (this.#next >= this.#end) return false;
    const entry = this.#next;
    const { view, bytes } = this.span;
    this.#entry = entry;
    this.#next += entryRoom(view.getUint32(entry + entryLengthAt, true));
    this.entryKind = bytes[entry + entryKindAt];
    this.stream = getWord(view, entry + streamAt);
    this.sequence = getWord(view, entry + sequenceAt);
    return true;
  }

  /** Goes to the last one of the records that follow the one it has come to, of the same stream and without a gap, and says where they begin. */
  gather(rows: RecordRows): void {
    const { view, bytes } = this.span;
    const { stream, sequence } = this;
    const { starts } = rows;
    let count = 0;
    for (
      let entry = this.#entry;
      ;
      entry = this.#next, this.#next += entryRoom(view.getUint32(entry + entryLengthAt, true))
    ) {
      this.#entry = entry;
      starts[count++] = entry;
      const next = this.#next;
      if (count === starts.length || next >= this.#end || bytes[next + entryKindAt] !== EntryKind.record) break;
      if (getWord(view, next + sequenceAt) !== sequence + count || getWord(view, next + streamAt) !== stream) break;
    }
    rows.span = this.span;
    rows.blockAt = this.#at;
    rows.first = sequence;
    rows.count = count;
    this.sequence = sequence + count - 1;
  }

  /**
   * Takes the record it has come to, and those of its stream that follow it without a gap, `count` in all at most, whatever lies between
   * them; then it has come to the entry behind. Returns whether there is one.
   */
  gatherUpTo(rows: RecordRows, count: number): boolean {
    const { stream, sequence } = this;
    rows.span = this.span;
    rows.blockAt = this.#at;
    rows.first = sequence;
    rows.count = 0;
    do {
      if (!this.isRecord || this.stream !== stream || this.sequence < rows.end) continue;
      if (rows.count === count || this.sequence !== rows.end) return true;
      rows.starts[rows.count++] = this.#entry;
    } while (this.next());
    return false;
  }

  /** Makes `next` go to the entry at `offset` of the block. */
  seek(offset: number): void {
    this.#next = this.#at + offset;
  }

  /** Where the entry begins in its block. */
  get offset(): number {
    return this.#entry - this.#at;
  }

  /** Whether it is a message, as it was stored or as a copy. */
  get isRecord(): boolean {
    const { entryKind } = this;
    return entryKind === EntryKind.record || entryKind === EntryKind.copy;
  }

  /** Where the entry begins in `span`. */
  get entryStart(): number {
    return this.#entry;
  }

  get entryBytes(): number {
    return this.span.view.getUint32(this.#entry + entryLengthAt, true);
  }

  /** Of a range. */
  get first(): number {
    return this.sequence;
  }

  get last(): number {
    return getWord(this.span.view, this.#entry + lastAt);
  }

  /** Of a note. */
  get noteKey(): number {
    return this.sequence;
  }

  get noteNumber(): number {
    return getWord(this.span.view, this.#entry + noteNumberAt);
  }

  get noteKind(): NoteKind {
    return noteKinds[this.span.bytes[this.#entry + entryFlagsAt]];
  }

  /** Of a note: what its owner wrote, where it lies. */
  get noteBytes(): Uint8Array {
    return this.span.bytes.subarray(this.#entry + noteHeadBytes, this.#entry + this.entryBytes);
  }

  /** Of a state. */
  get live(): number {
    return getWord(this.span.view, this.#entry + liveAt);
  }
}
