import { assert } from '../base/assert.js';
import type { PieceReader, PieceWriter } from '../base/pieces.js';
import { endOfPacked, findPacked, long, pack, packedHeadWords, packing, setLong, unpack } from './packedNumbers.js';
import { layRising, ones, risen, rising } from './risingNumbers.js';
import type { WordPages, WordRoom } from './wordPages.js';

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
const packedObjectsBytes = 160;

// What stands before packed columns, in words: the first sequence, the first time, whether bits say where times begin, and where their upper bits
// begin; then what says where each column lies.
const firstSequenceAt = 0;
const firstTimeAt = firstSequenceAt + 2;
const changesAt = firstTimeAt + 2;
const timesHighsAt = changesAt + 1;
/** What sequences are above those without gaps. */
const gapsAt = timesHighsAt + 1;
const sizesAt = gapsAt + packedHeadWords;
const subjectsAt = sizesAt + packedHeadWords;
const timesAt = subjectsAt + packedHeadWords;
const headWords = timesAt + packedHeadWords;

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
  static restored(source: PieceReader): OpenColumns {
    const columns = new OpenColumns();
    columns.sequences = source.doubles();
    columns.times = source.doubles();
    columns.sizes = source.words();
    columns.subjects = source.words();
    return columns;
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
 * take none either. Where several messages have one time it is kept once, and a bit for each message says where the next one begins.
 */
export class PackedColumns implements MessageColumns {
  readonly #room: WordRoom;

  private constructor(room: WordRoom) {
    this.#room = room;
  }

  /** The first `count` messages of others. */
  static of({ sequences, times, sizes, subjects }: OpenColumns, count: number, pages: WordPages): PackedColumns {
    layGaps(sequences, count);
    const timesCount = layChanges(times, count);
    const changeWords = timesCount < count ? Math.ceil(count / 32) : 0;
    const gap = packing(gaps, count, 32 * (headWords + changeWords));
    const size = packing(sizes, count, endOfPacked(gap, count));
    const subject = packing(subjects, count, endOfPacked(size, count));
    const time = rising(changes, timesCount, endOfPacked(subject, count));
    const room = pages.take(time.end);
    const { words, start } = room;
    setLong(words, start + firstSequenceAt, sequences[0]);
    setLong(words, start + firstTimeAt, times[0]);
    words[start + changesAt] = changeWords;
    words[start + timesHighsAt] = time.highs;
    if (changeWords > 0) markChanges(words, start + headWords, times, count);
    pack(words, start, gapsAt, gap, gaps, count);
    pack(words, start, sizesAt, size, sizes, count);
    pack(words, start, subjectsAt, subject, subjects, count);
    layRising(words, start, timesAt, time, changes, timesCount);
    return new PackedColumns(room);
  }

  /** Takes over what was laid out. */
  static restored(source: PieceReader, pages: WordPages): PackedColumns {
    const room = pages.take(source.number());
    source.wordsTo(room.words, room.start, room.length);
    return new PackedColumns(room);
  }

  save(target: PieceWriter): void {
    const { words, start, length } = this.#room;
    target.array(words.subarray(start, start + length));
  }

  /** They are not needed any more. */
  release(pages: WordPages): void {
    pages.give(this.#room);
  }

  /** Beside its pages. */
  get memoryBytes(): number {
    return packedObjectsBytes;
  }

  sequence(place: number): number {
    const { words, start } = this.#room;
    return long(words, start + firstSequenceAt) + place + unpack(words, start, gapsAt, place);
  }

  timeUs(place: number): number {
    const { words, start } = this.#room;
    const highs = words[start + timesHighsAt];
    const i = words[start + changesAt] > 0 ? changesUpTo(words, start + headWords, place) : place;
    return long(words, start + firstTimeAt) + risen(words, start, timesAt, highs, i);
  }

  bytes(place: number): number {
    const { words, start } = this.#room;
    return unpack(words, start, sizesAt, place);
  }

  subject(place: number): number {
    const { words, start } = this.#room;
    return unpack(words, start, subjectsAt, place);
  }

  find(subject: number, from: number, to: number): number {
    const { words, start } = this.#room;
    return findPacked(words, start, subjectsAt, subject, from, to);
  }
}

/** Sets a bit for each place that has another time than the one before. */
function markChanges(words: Uint32Array, at: number, times: Float64Array, count: number): void {
  for (let place = 1; place < count; place++)
    if (times[place] !== times[place - 1]) words[at + (place >>> 5)] |= 1 << (place & 31);
}

/** How often the time has changed up to a place. */
function changesUpTo(words: Uint32Array, at: number, place: number): number {
  const last = at + (place >>> 5);
  let count = 0;
  for (let word = at; word < last; word++) count += ones(words[word]);
  // all bits up to the place's own
  return count + ones(words[last] & (0xffff_ffff >>> (31 - (place & 31))));
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
  for (let place = 0; place < count; place++) {
    if (place > 0 && times[place] === times[place - 1]) continue;
    assert(place === 0 || times[place] > times[place - 1], 'times never fall');
    changes[changed++] = times[place];
  }
  return changed;
}
