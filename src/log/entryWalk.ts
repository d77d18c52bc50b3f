import { lineEndBytes } from '../base/ownMessage.js';
import { nowhere, type Span } from '../base/span.js';
import { blockHeaderBytes } from './blockLayout.js';
import {
  EntryKind,
  entryKindAt,
  entryLengthAt,
  entryRoom,
  headerBytesAt,
  lastAt,
  liveAt,
  recordHeadBytes,
  sequenceAt,
  streamAt,
  subjectBytesAt,
  timeAt,
} from './entryLayout.js';
import { getWord } from './words.js';

/** Goes through the entries of a block that is whole, or still being filled, and shows what the entry has that it has come to. */
export class EntryWalk {
  span: Span = nowhere.span;
  entryKind = 0;
  stream = 0;
  /** Of a record; of a range it is the first. */
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

  /** Of a state. */
  get live(): number {
    return getWord(this.span.view, this.#entry + liveAt);
  }

  /** Of a record, as all that follows. */
  get timeUs(): number {
    return getWord(this.span.view, this.#entry + timeAt);
  }

  get headerBytes(): number {
    return this.span.view.getUint32(this.#entry + headerBytesAt, true);
  }

  /** Where the subject begins in `span`; headers begin where it ends, and the payload where they end. */
  get subjectStart(): number {
    return this.#entry + recordHeadBytes;
  }

  get headersStart(): number {
    return this.subjectStart + this.span.view.getUint16(this.#entry + subjectBytesAt, true);
  }

  get payloadStart(): number {
    return this.headersStart + this.headerBytes;
  }

  get payloadEnd(): number {
    return this.#entry + this.entryBytes - lineEndBytes;
  }
}
