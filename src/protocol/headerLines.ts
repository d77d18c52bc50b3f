import { randomInt } from 'node:crypto';
import { headerLinesKeptMax } from '../base/limits.js';
import { hashSpan, nowhere, type Span, spansEqual } from '../base/span.js';
import { isBlank } from './headerBlock.js';

const colon = 0x3a;
const lineFeed = 10;
const carriageReturn = 13;
const none = -1;
/** Of each header: where its name and its value begin and end, the next header of its name, and of the first of a name the last one. */
const nameStart = 0;
const nameEnd = 1;
const valueStart = 2;
const valueEnd = 3;
const nextSame = 4;
const lastSame = 5;
const words = 6;
/** Clients choose names, and must not be able to choose collisions. */
const seed = randomInt(2 ** 31);

/**
 * The headers of a block by where they stand, those of one name in a chain, as {@link readHeaderBlock} reads them: for a block of very many,
 * without an object or a string for each.
 */
export class HeaderLines {
  count = 0;
  span: Span = nowhere.span;
  #cells = new Int32Array(words * 64);
  /** By a hash of its name, the first header of it, or `none`. */
  #firsts = new Int32Array(128);
  #mask = 0;

  /** Finds what is between two places, the lines behind that with the status, up to so many headers; returns whether that is all. */
  read(span: Span, start: number, end: number, countMax: number): boolean {
    this.span = span;
    this.count = 0;
    for (let at = start; at < end && this.count <= countMax; ) at = this.#readLine(at, end);
    const all = this.count <= countMax;
    if (!all) this.count = countMax;
    this.#chain();
    return all;
  }

  /** Memory for a block of very many headers is not kept. */
  release(): void {
    this.span = nowhere.span;
    if (this.count <= headerLinesKeptMax) return;
    this.#cells = new Int32Array(words * 64);
    this.#firsts = new Int32Array(128);
  }

  nameStart(index: number): number {
    return this.#cells[words * index + nameStart];
  }

  nameEnd(index: number): number {
    return this.#cells[words * index + nameEnd];
  }

  valueStart(index: number): number {
    return this.#cells[words * index + valueStart];
  }

  valueEnd(index: number): number {
    return this.#cells[words * index + valueEnd];
  }

  /** The next header of the same name, or -1. */
  next(index: number): number {
    return this.#cells[words * index + nextSame];
  }

  /** Whether no header before it has its name. */
  isFirst(index: number): boolean {
    return this.#cells[words * index + lastSame] !== none;
  }

  /** Notes the header of the line that begins at `at`, if it is one; returns where the next line begins. */
  #readLine(at: number, end: number): number {
    const { bytes } = this.span;
    let nameEndsAt = none;
    let i = at;
    for (; i < end && bytes[i] !== lineFeed && bytes[i] !== carriageReturn; i++)
      if (bytes[i] === colon && nameEndsAt === none) nameEndsAt = i;
    if (nameEndsAt > at) this.#add(at, nameEndsAt, i);
    while (i < end && bytes[i] !== lineFeed) i++;
    return i + 1;
  }

  #add(start: number, nameEndsAt: number, lineEnd: number): void {
    const { bytes } = this.span;
    let from = nameEndsAt + 1;
    let to = lineEnd;
    while (from < to && isBlank(bytes[from])) from++;
    while (to > from && isBlank(bytes[to - 1])) to--;
    const cell = words * this.count++;
    if (cell === this.#cells.length) this.#grow();
    this.#cells[cell + nameStart] = start;
    this.#cells[cell + nameEnd] = nameEndsAt;
    this.#cells[cell + valueStart] = from;
    this.#cells[cell + valueEnd] = to;
    this.#cells[cell + nextSame] = none;
    this.#cells[cell + lastSame] = none;
  }

  #grow(): void {
    const larger = new Int32Array(2 * this.#cells.length);
    larger.set(this.#cells);
    this.#cells = larger;
  }

  /** Puts headers of the same name into a chain, in their order. */
  #chain(): void {
    let places = 128;
    while (places < 2 * this.count) places *= 2;
    if (places > this.#firsts.length) this.#firsts = new Int32Array(places);
    this.#firsts.fill(none, 0, places);
    this.#mask = places - 1;
    for (let index = 0; index < this.count; index++) this.#link(index);
  }

  #link(index: number): void {
    const start = this.nameStart(index);
    const end = this.nameEnd(index);
    const cells = this.#cells;
    let place = hashSpan(this.span, start, end, seed) & this.#mask;
    for (let first = this.#firsts[place]; first !== none; first = this.#firsts[place]) {
      if (this.#isNamed(first, start, end)) {
        cells[words * cells[words * first + lastSame] + nextSame] = index;
        cells[words * first + lastSame] = index;
        return;
      }
      place = (place + 1) & this.#mask;
    }
    this.#firsts[place] = index;
    cells[words * index + lastSame] = index;
  }

  #isNamed(index: number, start: number, end: number): boolean {
    const from = this.nameStart(index);
    if (this.nameEnd(index) - from !== end - start) return false;
    return spansEqual(this.span, from, this.span, start, end - start);
  }
}
