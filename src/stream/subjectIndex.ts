import { assert } from '../base/assert.js';
import { mixHash } from '../base/hash.js';
import type { PieceReader, PieceWriter } from '../base/pieces.js';
import type { PublishedSubject } from '../base/publishedSubject.js';
import { begun, CopyOnWrite } from './copyOnWrite.js';
import type { SubjectBatch } from './subjectBatch.js';
import { SubjectTexts } from './subjectTexts.js';

const columnsMin = 8;
/** Of what is larger a quarter more is made, not twice as much. */
const doubledMax = 1 << 16;
const columnBytes = 4 + 8 + 8 + 4 + 4;
const slotBytes = 4;
/** What objects take beside their numbers, about, in bytes. */
const objectBytes = 2_000;

/** Numbers versions of all indexes, so that none has the version of another one. */
let versions = 0;
/** Subjects that are laid out, or copied, together: few, since each may be of another part than the one before. */
const partSubjects = 64;
const partsAStep = 16;
const rowNumbers = 5;
const nothing = new Uint8Array(0);

interface Columns {
  readonly counts: Uint32Array;
  readonly firsts: Float64Array;
  readonly lasts: Float64Array;
  readonly hashes: Uint32Array;
}

function partOf(number: number): number {
  return Math.floor(number / partSubjects);
}

/**
 * The subjects of a stream's messages, each with a number: how many messages it has, and the first and last of them. In columns, outside
 * of what is collected as garbage: some 50 bytes and its text.
 */
export class SubjectIndex {
  size = 0;
  /** Another one as soon as a number may be that of another subject. */
  #version = ++versions;
  /** Nobody who makes subjects knows it: it cannot be arranged that they have one slot. */
  #hashSeed = (Math.random() * 2 ** 32) | 0;
  #counts = new Uint32Array(columnsMin);
  /** Where its first message may be: none is before. Of a free number, the next free one. */
  #firsts = new Float64Array(columnsMin);
  #lasts = new Float64Array(columnsMin);
  #hashes = new Uint32Array(columnsMin);
  #texts = new Float64Array(columnsMin);
  /** Numbers that were given out, free ones included. */
  #end = 0;
  #free = -1;
  /** Numbers by hash, each one more than it is; 0 where there is none. */
  #slots = new Uint32Array(2 * columnsMin);
  #pages = this.#newPages();
  /** Where it is being laid out. */
  #saving: CopyOnWrite<number> | null = null;
  /** What was found last: most often it is asked for again. */
  #latestText = '';
  #latest = -1;

  get memoryBytes(): number {
    const columns = this.#counts.length * (columnBytes + 4) + this.#slots.length * slotBytes;
    return this.size === 0 ? 0 : objectBytes + columns + this.#pages.memoryBytes;
  }

  /** Numbers are below it. */
  get end(): number {
    return this.#end;
  }

  /** Whether a number is that of a subject. */
  has(number: number): boolean {
    return this.#counts[number] > 0;
  }

  /** The number of a subject, one byte a character; -1 when it has no messages. */
  find(text: string): number {
    if (text === this.#latestText && this.#latest >= 0) return this.#latest;
    const length = spell(text);
    const number = this.#find(spelt, 0, length, hashOf(spelt, 0, length, this.#hashSeed));
    this.#latestText = text;
    this.#latest = number;
    return number;
  }

  text(number: number): string {
    return this.#pages.text(this.#texts[number]);
  }

  count(number: number): number {
    return this.#counts[number];
  }

  /** No message of it is before that. */
  first(number: number): number {
    return this.#firsts[number];
  }

  /** Its last message. */
  last(number: number): number {
    return this.#lasts[number];
  }

  /** So many messages of the subject that `bytes[start, end)` are are stored from a sequence on, behind all others; returns its number. */
  addBytes(bytes: Uint8Array, start: number, end: number, sequence: number, count = 1): number {
    return this.#addHashed(bytes, start, end, hashOf(bytes, start, end, this.#hashSeed), sequence, count);
  }

  #addHashed(bytes: Uint8Array, start: number, end: number, hash: number, sequence: number, count = 1): number {
    let number = this.#find(bytes, start, end, hash);
    if (number < 0) number = this.#make(bytes, start, end, hash, sequence);
    return this.#addTo(number, sequence, count);
  }

  /** The same for messages that follow each other from a sequence on: the batch is told the numbers of their subjects. */
  addBatch(batch: SubjectBatch, sequence: number): void {
    const { bytes, starts, ends, hashes, numbers, count } = batch;
    for (let i = 0; i < count; i++) hashes[i] = hashOf(bytes, starts[i], ends[i], this.#hashSeed);
    this.#bringNear(batch);
    for (let i = 0; i < count; i++) numbers[i] = this.#addHashed(bytes, starts[i], ends[i], hashes[i], sequence + i);
  }

  /**
   * Reads what the subjects of a batch will be compared with, in passes over all of them: a processor waits for the memory of many at the
   * same time, where each for itself would be waited for five times.
   */
  #bringNear(batch: SubjectBatch): void {
    const { hashes, numbers, count } = batch;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let touched = 0;
    for (let i = 0; i < count; i++) numbers[i] = slots[hashes[i] & mask];
    for (let i = 0; i < count; i++) if (numbers[i] > 0) touched ^= this.#hashes[numbers[i] - 1];
    for (let i = 0; i < count; i++) {
      const number = this.#likely(hashes[i]);
      numbers[i] = number + 1;
      if (number >= 0) touched ^= this.#counts[number] ^ this.#lasts[number] ^ this.#texts[number];
    }
    for (let i = 0; i < count; i++) if (numbers[i] > 0) touched ^= this.#pages.touch(this.#texts[numbers[i] - 1]);
    batch.touched = touched;
  }

  /** The first one with a hash: most likely the subject itself; -1 when there is none. */
  #likely(hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot] - 1;
      if (number < 0 || this.#hashes[number] === hash) return number;
    }
  }

  /** The same for one whose publisher keeps its number. */
  addPublished(subject: PublishedSubject, sequence: number, count: number): number {
    if (subject.indexVersion === this.#version) return this.#addTo(subject.indexNumber, sequence, count);
    const { span, start, end } = subject;
    subject.indexNumber = this.addBytes(span.bytes, start, end, sequence, count);
    subject.indexVersion = this.#version;
    return subject.indexNumber;
  }

  #addTo(number: number, sequence: number, count: number): number {
    this.#saving?.beforeChange(partOf(number));
    this.#counts[number] += count;
    this.#lasts[number] = sequence + count - 1;
    return number;
  }

  /** One of a subject's messages is gone; without any it is forgotten. */
  remove(number: number): void {
    assert(this.#counts[number] > 0, 'a message has a subject');
    this.#saving?.beforeChange(partOf(number));
    if (--this.#counts[number] === 0) this.#forget(number);
  }

  setFirst(number: number, sequence: number): void {
    this.#saving?.beforeChange(partOf(number));
    this.#firsts[number] = sequence;
  }

  setLast(number: number, sequence: number): void {
    this.#saving?.beforeChange(partOf(number));
    this.#lasts[number] = sequence;
  }

  /** Lays out all that is here now, in steps, while subjects come and go. Steps that were begun are ended. */
  save(target: PieceWriter): Generator<void> {
    const end = this.#end;
    const isDone = new Uint8Array(Math.ceil(end / partSubjects));
    // when there are more, or none, the columns are others: these stay as they are then
    const columns = { counts: this.#counts, firsts: this.#firsts, lasts: this.#lasts, hashes: this.#hashes };
    const saving = new CopyOnWrite<number>(
      (part, to) => this.#savePart(columns, part, end, to),
      (part) => isDone[part] === 0,
      (part) => {
        isDone[part] = 1;
      },
    );
    this.#saving = saving;
    return begun(this.#saveSteps([this.#hashSeed, end, this.#free], saving, target));
  }

  *#saveSteps(head: readonly number[], saving: CopyOnWrite<number>, target: PieceWriter): Generator<void> {
    try {
      yield;
      for (const value of head) target.number(value);
      const [, end] = head;
      for (let part = 0; part < end / partSubjects; part++) {
        saving.layOut(part, target);
        if (part % partsAStep === 0) yield;
      }
    } finally {
      if (this.#saving === saving) this.#saving = null;
    }
  }

  /** Rows of some subjects, and their texts one behind the other. */
  #savePart({ counts, firsts, lasts, hashes }: Columns, part: number, end: number, target: PieceWriter): void {
    const from = part * partSubjects;
    const to = Math.min(end, from + partSubjects);
    const rows = new Float64Array(rowNumbers * (to - from));
    const texts: Uint8Array[] = [];
    for (let number = from; number < to; number++) {
      const text = counts[number] > 0 ? this.#pages.bytes(this.#texts[number]) : nothing;
      rows.set(
        [counts[number], firsts[number], lasts[number], hashes[number], text.length],
        rowNumbers * (number - from),
      );
      texts.push(text);
    }
    target.array(rows);
    target.array(Buffer.concat(texts));
  }

  /** Takes over what was laid out; it is empty. */
  restore(source: PieceReader): void {
    this.#hashSeed = source.number();
    this.#end = source.number();
    this.#free = source.number();
    const length = Math.max(columnsMin, this.#end);
    this.#counts = new Uint32Array(length);
    this.#firsts = new Float64Array(length);
    this.#lasts = new Float64Array(length);
    this.#hashes = new Uint32Array(length);
    this.#texts = new Float64Array(length);
    for (let from = 0; from < this.#end; from += partSubjects) this.#restorePart(from, source);
    let slots = 2 * columnsMin;
    while (4 * this.size > 3 * slots) slots *= 2;
    this.#rehash(slots);
  }

  #restorePart(from: number, source: PieceReader): void {
    const rows = source.doubles();
    const texts = source.bytes();
    for (let i = 0, at = 0; i < rows.length; i += rowNumbers) {
      const number = from + i / rowNumbers;
      const end = at + rows[i + 4];
      this.#counts[number] = rows[i];
      this.#firsts[number] = rows[i + 1];
      this.#lasts[number] = rows[i + 2];
      this.#hashes[number] = rows[i + 3];
      if (rows[i] > 0) {
        this.#texts[number] = this.#pages.add(number, texts.subarray(at, end));
        this.size++;
      }
      at = end;
    }
  }

  #newPages(): SubjectTexts {
    return new SubjectTexts((number, at) => {
      this.#texts[number] = at;
    });
  }

  #find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot] - 1;
      if (number < 0) return -1;
      if (this.#hashes[number] === hash && this.#pages.repeats(this.#texts[number], bytes, start, end)) return number;
    }
  }

  #make(bytes: Uint8Array, start: number, end: number, hash: number, sequence: number): number {
    if (4 * (this.size + 1) > 3 * this.#slots.length) this.#rehash(2 * this.#slots.length);
    const number = this.#freeNumber();
    this.#saving?.beforeChange(partOf(number));
    this.size++;
    this.#hashes[number] = hash;
    this.#firsts[number] = sequence;
    this.#texts[number] = this.#pages.add(number, bytes.subarray(start, end));
    this.#enter(number);
    // one that was looked for may not have been there
    this.#latest = -1;
    return number;
  }

  #freeNumber(): number {
    const free = this.#free;
    if (free >= 0) {
      this.#free = this.#firsts[free];
      return free;
    }
    if (this.#end === this.#counts.length) this.#grow();
    return this.#end++;
  }

  #enter(number: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[number] & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = number + 1;
  }

  #forget(number: number): void {
    this.#latest = -1;
    this.#version = ++versions;
    if (--this.size === 0) {
      this.#clear();
      return;
    }
    this.#leaveSlot(number);
    this.#pages.remove(this.#texts[number]);
    this.#firsts[number] = this.#free;
    this.#free = number;
  }

  /** What follows in its row of slots moves up, as far as it may. */
  #leaveSlot(number: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.#hashes[number] & mask;
    while (slots[hole] !== number + 1) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hashes[slots[slot] - 1] & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot];
      hole = slot;
    }
    slots[hole] = 0;
  }

  #rehash(slots: number): void {
    this.#slots = new Uint32Array(slots);
    for (let number = 0; number < this.#end; number++) if (this.has(number)) this.#enter(number);
  }

  #grow(): void {
    const { length } = this.#counts;
    const size = length < doubledMax ? Math.max(columnsMin, 2 * length) : Math.ceil(1.25 * length);
    this.#counts = larger(this.#counts, new Uint32Array(size));
    this.#firsts = larger(this.#firsts, new Float64Array(size));
    this.#lasts = larger(this.#lasts, new Float64Array(size));
    this.#hashes = larger(this.#hashes, new Uint32Array(size));
    this.#texts = larger(this.#texts, new Float64Array(size));
  }

  /** Without subjects it takes nothing. */
  #clear(): void {
    this.#counts = new Uint32Array(columnsMin);
    this.#firsts = new Float64Array(columnsMin);
    this.#lasts = new Float64Array(columnsMin);
    this.#hashes = new Uint32Array(columnsMin);
    this.#texts = new Float64Array(columnsMin);
    this.#slots = new Uint32Array(2 * columnsMin);
    this.#pages = this.#newPages();
    this.#end = 0;
    this.#free = -1;
  }
}

function larger<T extends Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function hashOf(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return mixHash(hash);
}

/** The bytes of the text that was spelt last. */
let spelt = new Uint8Array(256);

/** Lays the bytes of a text, one a character, into `spelt`; returns how many there are. */
function spell(text: string): number {
  if (text.length > spelt.length) spelt = new Uint8Array(2 * text.length);
  for (let i = 0; i < text.length; i++) spelt[i] = text.charCodeAt(i);
  return text.length;
}
