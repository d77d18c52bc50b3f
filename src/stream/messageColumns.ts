import type { PieceReader, PieceWriter } from '../base/pieces.js';
import {
  endOfPacked,
  findPacked,
  type PackedNumbers,
  pack,
  packing,
  restorePacking,
  savePacking,
  unpack,
} from './packedNumbers.js';

/** What is known of some messages, in the order of their sequences: each has a place, from 0 on. Times never fall. */
export interface MessageColumns {
  readonly memoryBytes: number;
  sequence(place: number): number;
  timeUs(place: number): number;
  bytes(place: number): number;
  subject(place: number): number;
  /** The first place of `[from, to)` that has a subject; `to` when none has. */
  find(subject: number, from: number, to: number): number;
  /** Lays out the first `count` places. */
  save(target: PieceWriter, count: number): void;
}

const openMin = 16;
const openBytes = 8 + 8 + 4 + 4;
/** What objects take beside their numbers, about, in bytes. */
const objectBytes = 400;

/** Messages that others are added to. */
export class OpenColumns implements MessageColumns {
  sequences = new Float64Array(openMin);
  times = new Float64Array(openMin);
  sizes = new Uint32Array(openMin);
  subjects = new Uint32Array(openMin);

  get memoryBytes(): number {
    return this.sequences.length * openBytes + 4 * objectBytes;
  }

  sequence(place: number): number {
    return this.sequences[place];
  }

  timeUs(place: number): number {
    return this.times[place];
  }

  bytes(place: number): number {
    return this.sizes[place];
  }

  subject(place: number): number {
    return this.subjects[place];
  }

  find(subject: number, from: number, to: number): number {
    let at = from;
    while (at < to && this.subjects[at] !== subject) at++;
    return at;
  }

  set(place: number, sequence: number, timeUs: number, bytes: number, subject: number): void {
    if (place === this.sequences.length) this.#grow();
    this.sequences[place] = sequence;
    this.times[place] = timeUs;
    this.sizes[place] = bytes;
    this.subjects[place] = subject;
  }

  save(target: PieceWriter, count: number): void {
    for (const column of [this.sequences, this.times, this.sizes, this.subjects])
      target.array(column.subarray(0, count));
  }

  /** Takes over what was laid out. */
  restore(source: PieceReader): void {
    this.sequences = source.doubles();
    this.times = source.doubles();
    this.sizes = source.words();
    this.subjects = source.words();
  }

  #grow(): void {
    const size = Math.max(openMin, 2 * this.sequences.length);
    this.sequences = larger(this.sequences, new Float64Array(size));
    this.times = larger(this.times, new Float64Array(size));
    this.sizes = larger(this.sizes, new Uint32Array(size));
    this.subjects = larger(this.subjects, new Uint32Array(size));
  }
}

function larger<T extends Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/**
 * Messages in as few bits as the largest differences among them need: none for a column that is the same for all. Sequences without gaps
 * take none either. Many messages have one time: it is kept once, and a bit for each message says where the next one begins.
 */
export class PackedColumns implements MessageColumns {
  readonly #words: Uint32Array;
  readonly #firstSequence: number;
  /** What sequences are above those without gaps. */
  readonly #gaps: PackedNumbers;
  readonly #times: PackedNumbers;
  readonly #sizes: PackedNumbers;
  readonly #subjects: PackedNumbers;

  private constructor(words: Uint32Array, firstSequence: number, packings: readonly PackedNumbers[]) {
    this.#words = words;
    this.#firstSequence = firstSequence;
    [this.#gaps, this.#times, this.#sizes, this.#subjects] = packings;
  }

  /** The first `count` messages of others. */
  static of({ sequences, times, sizes, subjects }: OpenColumns, count: number): PackedColumns {
    layGaps(sequences, count);
    const changed = layChanges(times, count);
    // first the bits that say where times begin
    const gap = packing(gaps, count, 32 * Math.ceil(count / 32));
    const time = packing(changes, changed, endOfPacked(gap, count));
    const size = packing(sizes, count, endOfPacked(time, changed));
    const subject = packing(subjects, count, endOfPacked(size, count));
    const words = new Uint32Array(Math.ceil(endOfPacked(subject, count) / 32));
    for (let place = 1; place < count; place++)
      if (times[place] !== times[place - 1]) words[place >>> 5] |= 1 << (place & 31);
    pack(words, gap, gaps, count);
    pack(words, time, changes, changed);
    pack(words, size, sizes, count);
    pack(words, subject, subjects, count);
    return new PackedColumns(words, sequences[0], [gap, time, size, subject]);
  }

  /** Takes over what was laid out. */
  static restored(source: PieceReader): PackedColumns {
    const words = source.words();
    const firstSequence = source.number();
    return new PackedColumns(
      words,
      firstSequence,
      Array.from({ length: 4 }, () => restorePacking(source)),
    );
  }

  save(target: PieceWriter): void {
    target.array(this.#words);
    target.number(this.#firstSequence);
    for (const packing of [this.#gaps, this.#times, this.#sizes, this.#subjects]) savePacking(packing, target);
  }

  get memoryBytes(): number {
    return this.#words.byteLength + 2 * objectBytes;
  }

  sequence(place: number): number {
    return this.#firstSequence + place + unpack(this.#words, this.#gaps, place);
  }

  timeUs(place: number): number {
    return unpack(this.#words, this.#times, this.#changesUpTo(place));
  }

  bytes(place: number): number {
    return unpack(this.#words, this.#sizes, place);
  }

  subject(place: number): number {
    return unpack(this.#words, this.#subjects, place);
  }

  find(subject: number, from: number, to: number): number {
    return findPacked(this.#words, this.#subjects, subject, from, to);
  }

  /** How often the time has changed up to a place. */
  #changesUpTo(place: number): number {
    const words = this.#words;
    let count = 0;
    for (let word = 0; word < place >>> 5; word++) count += ones(words[word]);
    // all bits up to the place's own
    return count + ones(words[place >>> 5] & (0xffff_ffff >>> (31 - (place & 31))));
  }
}

/** What is packed, while that goes on: nothing of it is kept. */
let gaps = new Float64Array(0);
let changes = new Float64Array(0);

/** Lays what sequences are above those without gaps into `gaps`. */
function layGaps(sequences: Float64Array, count: number): void {
  if (gaps.length < count) gaps = new Float64Array(count);
  const [first] = sequences;
  for (let place = 0; place < count; place++) gaps[place] = sequences[place] - first - place;
}

/** Lays the times into `changes`, each of them once; returns how many there are. */
function layChanges(times: Float64Array, count: number): number {
  if (changes.length < count) changes = new Float64Array(count);
  let changed = 0;
  for (let place = 0; place < count; place++)
    if (place === 0 || times[place] !== times[place - 1]) changes[changed++] = times[place];
  return changed;
}

/** How many bits of a word are set. */
function ones(word: number): number {
  let pairs = word - ((word >>> 1) & 0x5555_5555);
  pairs = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((pairs + (pairs >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
