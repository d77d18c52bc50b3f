import type { PieceReader, PieceWriter } from '../base/pieces.js';
import { hashSpan, placeOf, type Span } from '../base/span.js';
import { IdSegment, segmentIds } from './idSegment.js';

const slotsMin = 16;
/** From here on numbers of ids begin anew. */
const numbersMax = 2 ** 31;

/**
 * The ids of messages that were published lately, oldest first: as bytes, and found by their hash, in some 40 bytes beside their own. Ids are
 * numbered from one on as they come; a table with a slot for each, and as many more, leads to them.
 */
export class DedupWindow {
  /** In the order in which ids came; dropped when all of one are too old. */
  #segments: IdSegment[] = [];
  /** Number of the first one of the first segment. */
  #base = 1;
  /** Which is forgotten next. */
  #oldest = 1;
  /** Number of the next. */
  #next = 1;
  /** Numbers of ids, each at the slot of its hash or behind it; 0 where there is none. */
  #slots = new Int32Array(slotsMin);
  #used = 0;
  #segmentsBytes = 0;

  get memoryBytes(): number {
    return this.#segments.length === 0 ? 0 : this.#segmentsBytes + 4 * this.#slots.length;
  }

  /** The sequence of the message of the id `span[start, end)`; 0 when there was none since that time. */
  find(span: Span, start: number, end: number, sinceUs: number): number {
    const number = this.#slots[this.#slotOf(span, start, end, hashOf(span, start, end))];
    if (number === 0) return 0;
    const segment = this.#segmentOf(number);
    const place = this.#placeOf(number);
    return segment.times[place] < sinceUs ? 0 : segment.sequences[place];
  }

  /** @param timeUs never before that of another one; the id is not there, or too old */
  add(span: Span, start: number, end: number, sequence: number, timeUs: number): void {
    if (2 * (this.#used + 1) > this.#slots.length || this.#next === numbersMax) this.#rebuild();
    const segment = this.#openSegment();
    const before = segment.memoryBytes;
    const hash = hashOf(span, start, end);
    segment.add(span, start, end, hash, sequence, timeUs);
    this.#segmentsBytes += segment.memoryBytes - before;
    const slot = this.#slotOf(span, start, end, hash);
    // what was there before is too old, and is passed over when that is forgotten
    if (this.#slots[slot] === 0) this.#used++;
    this.#slots[slot] = this.#next++;
  }

  /** Lays out the ids that are here now, oldest first, in steps: others may come and go. */
  save(target: PieceWriter): Generator<void> {
    const first = this.#oldest < this.#next ? this.#placeOf(this.#oldest) : 0;
    return saveSteps(this.#segments.slice(), first, this.#segments.at(-1)?.count ?? 0, target);
  }

  /** Takes over what was laid out. */
  restore(source: PieceReader): void {
    for (let left = source.number(); left > 0; left--) {
      const sequences = source.doubles();
      const times = source.doubles();
      const ends = source.words();
      const begin = source.number();
      const { span, start } = placeOf(source.bytes());
      for (let i = 0, from = begin; i < sequences.length; from = ends[i++])
        this.add(span, start + from - begin, start + ends[i] - begin, sequences[i], times[i]);
    }
  }

  /** Forgets ids that are older than a time, at most so many. */
  expire(beforeUs: number, countMax: number): void {
    for (let left = countMax; left > 0 && this.#oldest < this.#next; left--) {
      const segment = this.#segmentOf(this.#oldest);
      const place = this.#placeOf(this.#oldest);
      if (segment.times[place] >= beforeUs) return;
      this.#forget(segment.hashes[place], this.#oldest++);
      if (this.#placeOf(this.#oldest) === 0 || this.#oldest === this.#next) this.#dropFirst();
    }
  }

  #openSegment(): IdSegment {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.count < segmentIds) return last;
    const segment = new IdSegment();
    this.#segments.push(segment);
    this.#segmentsBytes += segment.memoryBytes;
    return segment;
  }

  /** All ids of the first segment are forgotten. */
  #dropFirst(): void {
    const segment = this.#segments.shift() as IdSegment;
    this.#segmentsBytes -= segment.memoryBytes;
    this.#base = this.#oldest;
    if (this.#segments.length === 0) this.#slots = new Int32Array(slotsMin);
  }

  #segmentOf(number: number): IdSegment {
    return this.#segments[Math.floor((number - this.#base) / segmentIds)];
  }

  #placeOf(number: number): number {
    return (number - this.#base) % segmentIds;
  }

  /** The slot of an id, or the free one where it belongs. */
  #slotOf(span: Span, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const number = slots[slot];
      if (this.#segmentOf(number).isAt(this.#placeOf(number), span, start, end, hash)) break;
    }
    return slot;
  }

  /** Frees the slot of an id, unless another one of the same has it by now. */
  #forget(hash: number, number: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    while (slots[slot] !== number) {
      if (slots[slot] === 0) return;
      slot = (slot + 1) & mask;
    }
    slots[slot] = 0;
    this.#used--;
    this.#closeGap(slot, mask);
  }

  /** Moves what stands behind a slot that has become free to where it is found. */
  #closeGap(free: number, mask: number): void {
    const slots = this.#slots;
    let gap = free;
    for (let at = (gap + 1) & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const number = slots[at];
      const wanted = this.#segmentOf(number).hashes[this.#placeOf(number)] & mask;
      if (((at - wanted) & mask) < ((at - gap) & mask)) continue;
      slots[gap] = number;
      slots[at] = 0;
      gap = at;
    }
  }

  /** Makes a table with room for as many more; numbers begin with one again. */
  #rebuild(): void {
    const before = this.#slots;
    const less = this.#base - 1;
    let size = slotsMin;
    while (size < 4 * (this.#used + 1)) size *= 2;
    this.#base -= less;
    this.#oldest -= less;
    this.#next -= less;
    const slots = new Int32Array(size);
    const mask = size - 1;
    for (const was of before) {
      if (was === 0) continue;
      const number = was - less;
      let slot = this.#segmentOf(number).hashes[this.#placeOf(number)] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    this.#slots = slots;
  }
}

/** Only what comes behind the last one of the last segment changes these. */
function* saveSteps(
  segments: readonly IdSegment[],
  first: number,
  lastCount: number,
  target: PieceWriter,
): Generator<void> {
  target.number(segments.length);
  for (const [i, segment] of segments.entries()) {
    segment.save(target, i === 0 ? first : 0, i === segments.length - 1 ? lastCount : segment.count);
    yield;
  }
}

/** So that nobody knows which ids come to lie side by side. */
const seed = Math.floor(Math.random() * 2 ** 32);

function hashOf(span: Span, start: number, end: number): number {
  return hashSpan(span, start, end, seed) | 0;
}
