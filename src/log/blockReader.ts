import { bytesEqualAt } from '../base/bytes.js';
import type { JournalMemory } from '../base/kernel.js';
import { Span, spanRepeats } from '../base/span.js';
import {
  beginAt,
  blockHeaderBytes,
  blockKindAt,
  blockLengthAt,
  blockMagic,
  blockVersion,
  blockVersionMin,
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
import { EntryWalk } from './entryWalk.js';
import { getWord } from './words.js';

/** Where the reader keeps a check that it has computed, in bytes; the block begins at the page behind. */
const scratchAt = 0;

/**
 * Reads one block at a time in memory of its own. Nothing of a block is looked at before `check` has said that it is whole; then its
 * entries are walked with `next`.
 */
export class BlockReader extends EntryWalk {
  /** Where a block is put to be read. */
  readonly room: Uint8Array;
  readonly #memory: JournalMemory;
  readonly #journal: Uint8Array;
  readonly #at: number;

  /** @param at where the reader's memory begins, a page before its room */
  constructor(memory: JournalMemory, at: number, capacityBytes: number, journal: Uint8Array) {
    super();
    this.#memory = memory;
    this.span = new Span(memory.bytes);
    this.#at = at + paged(1);
    this.room = memory.bytes.subarray(this.#at, this.#at + capacityBytes);
    this.#journal = journal;
  }

  /**
   * What the block that begins where the room begins says of its length in pages; 0 when that is no header of a block at
   * `position` of this journal.
   */
  claimedBytes(position: number): number {
    const at = this.#at;
    const view = this.span.view;
    if (view.getUint32(at + magicAt, true) !== blockMagic) return 0;
    if (!isReadable(view.getUint16(at + versionAt, true))) return 0;
    if (getWord(view, at + positionAt) !== position) return 0;
    const length = view.getUint32(at + blockLengthAt, true);
    return length < blockHeaderBytes || length > this.room.length ? 0 : paged(length);
  }

  /** Whether the block, of which `claimedBytes` are in the room, is as it was written. Then its entries can be read. */
  check(): boolean {
    if (!this.#isOwn) return false;
    const at = this.#at;
    const length = this.span.view.getUint32(at + blockLengthAt, true);
    const scratch = at - paged(1) + scratchAt;
    this.#memory.hash64(at + magicAt, length - magicAt, at + journalAt, scratch);
    if (!spanRepeats(this.span, scratch, at + checkAt, 8)) return false;
    this.walk(this.span, at, length);
    return true;
  }

  get #isOwn(): boolean {
    return bytesEqualAt(this.room, journalAt, this.#journal);
  }

  /** Whether what begins in the room looks like a block of another journal. */
  get isOthers(): boolean {
    return this.span.view.getUint32(this.#at + magicAt, true) === blockMagic && !this.#isOwn;
  }

  /** The version of a block of this journal that begins in the room, when it is none that can be read; else 0. */
  get otherVersion(): number {
    const version = this.span.view.getUint16(this.#at + versionAt, true);
    const isBlock = this.span.view.getUint32(this.#at + magicAt, true) === blockMagic && this.#isOwn;
    return isBlock && !isReadable(version) ? version : 0;
  }

  get kind(): number {
    return this.span.view.getUint16(this.#at + blockKindAt, true);
  }

  get epoch(): number {
    return this.span.view.getUint32(this.#at + epochAt, true);
  }

  get durable(): number {
    return getWord(this.span.view, this.#at + durableAt);
  }

  get begin(): number {
    return getWord(this.span.view, this.#at + beginAt);
  }

  /** Whether the block says that it follows the one with this check. */
  follows(check: Uint8Array): boolean {
    return bytesEqualAt(this.room, previousAt, check);
  }

  copyCheck(target: Uint8Array): void {
    target.set(this.room.subarray(checkAt, checkAt + 8));
  }
}

function isReadable(version: number): boolean {
  return version >= blockVersionMin && version <= blockVersion;
}

/** Memory that a reader of blocks of up to `blockBytes` needs. */
export function readerBytes(blockBytes: number): number {
  return paged(1) + paged(blockBytes);
}
