import type { PieceReader, PieceWriter } from '../base/pieces.js';
import { begun } from './copyOnWrite.js';

const capacityMin = 16;
/** What a message that lasts takes in a set, in bytes, about. */
const lastingBytes = 40;
/** So many places are looked at for each message that comes: those of messages that are gone never outnumber the others for long. */
const looksPerMessage = 2;

/** When messages of a stream go that say themselves how long they live (`Nats-TTL`), and which never do for their age (ADR-43). */
export class Lifetimes {
  /** A heap: what goes first is first. `#sequences` has whose times they are. */
  #times = new Float64Array(0);
  #sequences = new Float64Array(0);
  #count = 0;
  /** Sequences of those that never go. */
  readonly #lasting = new Set<number>();
  /** Which place is looked at next. */
  #look = 0;
  #lookLasting: Iterator<number> | null = null;

  get memoryBytes(): number {
    return 16 * this.#times.length + lastingBytes * this.#lasting.size;
  }

  /**
   * A message has come that goes at a time of its own.
   *
   * @param expiresUs infinite for never
   * @param isThere whether a message is there still
   */
  add(sequence: number, expiresUs: number, isThere: (sequence: number) => boolean): void {
    if (expiresUs === Number.POSITIVE_INFINITY) {
      this.#forgetLasting(isThere);
      this.#lasting.add(sequence);
      return;
    }
    for (let i = 0; i < looksPerMessage && this.#count > 0; i++) this.#lookAtNext(isThere);
    this.#push(sequence, expiresUs);
  }

  /** Whether a message that is there goes for no age. */
  lasts(sequence: number): boolean {
    return this.#lasting.has(sequence);
  }

  /** Takes the sequence of a message that goes at a time or before it, which may be gone already; 0 when there is none. */
  takeDue(nowUs: number): number {
    if (this.#count === 0 || this.#times[0] > nowUs) return 0;
    const sequence = this.#sequences[0];
    this.#removeAt(0);
    return sequence;
  }

  /** Lays out what is known now. */
  save(target: PieceWriter): Generator<void> {
    const count = this.#count;
    return begun(saveSteps(this.#times.slice(0, count), this.#sequences.slice(0, count), [...this.#lasting], target));
  }

  /** Takes over what was laid out: nothing is known yet. */
  restore(source: PieceReader): void {
    this.#times = source.doubles();
    this.#sequences = source.doubles();
    this.#count = this.#times.length;
    for (const sequence of source.doubles()) this.#lasting.add(sequence);
  }

  #lookAtNext(isThere: (sequence: number) => boolean): void {
    if (this.#look >= this.#count) this.#look = 0;
    if (isThere(this.#sequences[this.#look])) this.#look++;
    else this.#removeAt(this.#look);
  }

  #forgetLasting(isThere: (sequence: number) => boolean): void {
    this.#lookLasting ??= this.#lasting.values();
    for (let i = 0; i < looksPerMessage; i++) {
      const next = this.#lookLasting.next();
      if (next.done === true) {
        this.#lookLasting = null;
        return;
      }
      if (!isThere(next.value)) this.#lasting.delete(next.value);
    }
  }

  #push(sequence: number, expiresUs: number): void {
    if (this.#count === this.#times.length) this.#resize(Math.max(capacityMin, this.#count * 2));
    this.#rise(this.#count++, sequence, expiresUs);
  }

  #removeAt(place: number): void {
    const last = --this.#count;
    const [time, sequence] = [this.#times[last], this.#sequences[last]];
    if (place < last) {
      if (place > 0 && time < this.#times[(place - 1) >> 1]) this.#rise(place, sequence, time);
      else this.#sink(place, sequence, time);
    }
    if (this.#count < this.#times.length >> 2 && this.#times.length > capacityMin)
      this.#resize(this.#times.length >> 1);
  }

  /** Puts a message where a place is free, or above that. */
  #rise(free: number, sequence: number, time: number): void {
    let place = free;
    for (let above = (place - 1) >> 1; place > 0 && this.#times[above] > time; above = (place - 1) >> 1) {
      this.#set(place, this.#sequences[above], this.#times[above]);
      place = above;
    }
    this.#set(place, sequence, time);
  }

  /** Puts a message where a place is free, or below that. */
  #sink(free: number, sequence: number, time: number): void {
    const times = this.#times;
    let place = free;
    for (let below = 2 * place + 1; below < this.#count; below = 2 * place + 1) {
      if (below + 1 < this.#count && times[below + 1] < times[below]) below++;
      if (times[below] >= time) break;
      this.#set(place, this.#sequences[below], times[below]);
      place = below;
    }
    this.#set(place, sequence, time);
  }

  #set(place: number, sequence: number, time: number): void {
    this.#times[place] = time;
    this.#sequences[place] = sequence;
  }

  #resize(capacity: number): void {
    const [times, sequences] = [new Float64Array(capacity), new Float64Array(capacity)];
    times.set(this.#times.subarray(0, this.#count));
    sequences.set(this.#sequences.subarray(0, this.#count));
    this.#times = times;
    this.#sequences = sequences;
  }
}

function* saveSteps(
  times: Float64Array,
  sequences: Float64Array,
  lasting: readonly number[],
  target: PieceWriter,
): Generator<void> {
  yield;
  target.array(times);
  target.array(sequences);
  target.array(Float64Array.from(lasting));
}
