import type { PieceReader, PieceWriter } from '../base/pieces.js';
import { entryRoom, noteHeadBytes } from './entryLayout.js';
import type { EntryWalk } from './entryWalk.js';
import type { NoteKind, RecordOwner } from './storage.js';

/** Where the last whole note of a key lies. A block without a place of its own is `-1 - ordinal`. */
interface WholeNote {
  block: number;
  /** What it takes there. */
  bytes: number;
}

const nothing = new Uint8Array();
const keysAStep = 256;
/** What a key takes of the process's memory, about. */
const keyBytes = 128;

/**
 * Where the notes of one stream lie in its journal: of each key the last whole one, as long as the key has not ended. Its file is needed,
 * and so are the changes behind it, as files are given back in their order.
 */
export class StreamNotes {
  /** Number of the next note. */
  next = 1;
  /** What the last whole notes take of the journal. */
  keptBytes = 0;
  /** Notes below this number are known to the owner. */
  #known = 1;
  readonly #wholes = new Map<number, WholeNote>();
  /** Keys whose last whole note lies, or has lain, in a block without a place. */
  #unplaced: number[] = [];
  /** Told of last whole notes that have come to a block that has its place, or have left it. */
  readonly #count: (position: number, notes: number) => void;

  constructor(count: (position: number, notes: number) => void) {
    this.#count = count;
  }

  /** Keys that have not ended. */
  get keys(): number {
    return this.#wholes.size;
  }

  get memoryBytes(): number {
    return this.#wholes.size * keyBytes;
  }

  /** Where the last whole note of a key lies; undefined when there is none. */
  blockOf(key: number): number | undefined {
    return this.#wholes.get(key)?.block;
  }

  /** What the last whole note of a key takes of the journal; 0 when there is none. */
  bytesOf(key: number): number {
    return this.#wholes.get(key)?.bytes ?? 0;
  }

  /** A note was laid in a block: it is the next one. */
  put(key: number, kind: NoteKind, block: number, lengthBytes: number): void {
    this.next++;
    this.#put(key, kind, block, entryRoom(noteHeadBytes + lengthBytes));
    if (kind === 'whole') this.#unplaced.push(key);
  }

  /** The new one is laid before the old one is given up: a file may be released by it. */
  #put(key: number, kind: NoteKind, block: number, bytes: number): void {
    if (kind === 'change') return;
    const before = this.#wholes.get(key);
    if (kind === 'end') this.#wholes.delete(key);
    else {
      this.#wholes.set(key, { block, bytes });
      this.keptBytes += bytes;
      if (block >= 0) this.#count(block, 1);
    }
    if (before === undefined) return;
    this.keptBytes -= before.bytes;
    if (before.block >= 0) this.#count(before.block, -1);
  }

  /** The block of an ordinal has its place. */
  place(ordinal: number, position: number): void {
    if (this.#unplaced.length === 0) return;
    let notes = 0;
    this.#unplaced = this.#unplaced.filter((key) => {
      const whole = this.#wholes.get(key);
      if (whole === undefined || whole.block >= 0) return false;
      if (whole.block !== -1 - ordinal) return true;
      whole.block = position;
      notes++;
      return false;
    });
    if (notes > 0) this.#count(position, notes);
  }

  /**
   * A journal that is read again has a note in the block at a position. The owner is told, if it does not know it, and knows what has
   * changed: a change without a whole note before it is one of a key that has another whole note behind it, or has ended.
   */
  replay(entry: EntryWalk, position: number, owner: RecordOwner | null): void {
    const { noteKey: key, noteKind: kind, noteNumber: number, noteBytes } = entry;
    this.next = Math.max(this.next, number + 1);
    const isOfNone = kind === 'change' && !this.#wholes.has(key);
    this.#put(key, kind, position, entryRoom(noteHeadBytes + noteBytes.length));
    if (number >= this.#known && !isOfNone) owner?.noted(key, kind, noteBytes);
  }

  /** A journal that was read again has the end of a key where that is not needed any more, and cannot be read. */
  giveUp(key: number, owner: RecordOwner | null): void {
    this.#put(key, 'end', 0, 0);
    owner?.noted(key, 'end', nothing);
  }

  /** Keys whose last whole notes lie from a position to another one (exclusive), and where. */
  between(from: number, to: number): [key: number, position: number][] {
    const found: [number, number][] = [];
    for (const [key, { block }] of this.#wholes) if (block >= from && block < to) found.push([key, block]);
    return found;
  }

  /** What they take. */
  bytesBetween(from: number, to: number): number {
    let sum = 0;
    for (const { block, bytes } of this.#wholes.values()) if (block >= from && block < to) sum += bytes;
    return sum;
  }

  /** Whether a last whole note lies at a position or behind it. */
  liesFrom(position: number): boolean {
    for (const { block } of this.#wholes.values()) if (block >= position) return true;
    return false;
  }

  /** Lays out where the last whole notes lie that have a place, in steps: what becomes of them meanwhile may be in it or not. */
  *save(target: PieceWriter, known: number): Generator<void> {
    target.number(known);
    let step = 0;
    for (const [key, { block, bytes }] of this.#wholes) {
      if (block < 0) continue;
      for (const value of [key, block, bytes]) target.number(value);
      if (++step % keysAStep === 0) yield;
    }
  }

  /** Becomes what was laid out. */
  restore(source: PieceReader): void {
    this.#known = this.next = source.number();
    while (source.hasMore) {
      const key = source.number();
      this.#put(key, 'whole', source.number(), source.number());
    }
  }

  /** The stream is removed. */
  clear(): void {
    for (const key of this.#wholes.keys()) this.#put(key, 'end', 0, 0);
  }
}
