import { assert } from '../../base/assert.js';

const roomMin = 64;

/** A message that was delivered, and that nobody has acknowledged yet. */
export interface Delivered {
  sequence: number;
  /** The consumer's sequence of its first delivery. */
  firstDelivery: number;
  /** And of its last one. */
  lastDelivery: number;
  deliveries: number;
  /** When it is to be delivered again, in milliseconds. */
  dueMs: number;
}

export function noDelivered(): Delivered {
  return { sequence: 0, firstDelivery: 0, lastDelivery: 0, deliveries: 0, dueMs: 0 };
}

/**
 * The messages of a consumer that are in flight, by the sequence under which they are stored. They come in the order of their sequences, so they lie in it:
 * one is found by halving, and what was acknowledged in between is left out when there is more of it than of the rest.
 */
export class InFlight {
  /** How many there are. */
  size = 0;
  /** Where the first is, and the place behind the last. */
  #begin = 0;
  #end = 0;
  #sequences = new Float64Array(0);
  #firsts = new Float64Array(0);
  #lasts = new Float64Array(0);
  /** 0 of what was acknowledged. */
  #deliveries = new Int32Array(0);
  #dues = new Float64Array(0);
  /** How many were delivered more than once. */
  redelivered = 0;
  /** None is due before, in milliseconds: it may be too early. */
  earliestMs = Number.POSITIVE_INFINITY;

  /**
   * Enters a message that is delivered, behind all others.
   *
   * @param deliveries how often it was by then
   */
  add(sequence: number, delivery: number, dueMs: number, deliveries = 1, lastDelivery = delivery): void {
    assert(
      this.#begin === this.#end || sequence > this.#sequences[this.#end - 1],
      'messages are delivered in order at first',
    );
    if (this.#end === this.#sequences.length) this.#makeRoom();
    const at = this.#end++;
    this.#sequences[at] = sequence;
    this.#firsts[at] = delivery;
    this.#lasts[at] = lastDelivery;
    this.#deliveries[at] = deliveries;
    this.#due(at, dueMs);
    if (deliveries > 1) this.redelivered++;
    this.size++;
  }

  /** Enters messages that follow each other and are delivered for the first time, behind all others. */
  addRun(first: number, count: number, delivery: number, dueMs: number): void {
    assert(
      this.#begin === this.#end || first > this.#sequences[this.#end - 1],
      'messages are delivered in order at first',
    );
    for (let i = 0; i < count; i++) {
      if (this.#end === this.#sequences.length) this.#makeRoom();
      const at = this.#end++;
      this.#sequences[at] = first + i;
      this.#firsts[at] = this.#lasts[at] = delivery + i;
      this.#deliveries[at] = 1;
      this.#dues[at] = dueMs;
      this.size++;
    }
    if (dueMs < this.earliestMs) this.earliestMs = dueMs;
  }

  has(sequence: number): boolean {
    return this.#find(sequence) >= 0;
  }

  /** Shows a message that is in flight; returns false when it is not. */
  show(sequence: number, into: Delivered): boolean {
    const at = this.#find(sequence);
    if (at >= 0) this.#show(at, into);
    return at >= 0;
  }

  /** A message is delivered once more, or for the first time after all: that does not count. */
  again(sequence: number, delivery: number, dueMs: number, counts = true): void {
    const at = this.#find(sequence);
    assert(at >= 0, 'what is delivered again is in flight');
    this.#due(at, dueMs);
    this.#lasts[at] = delivery;
    if (counts && ++this.#deliveries[at] === 2) this.redelivered++;
  }

  /** The message whose last delivery that was; 0 when none is in flight. */
  deliveredAs(delivery: number): number {
    for (let at = this.#begin; at < this.#end; at++)
      if (this.#deliveries[at] > 0 && this.#lasts[at] === delivery) return this.#sequences[at];
    return 0;
  }

  /** The last delivery of a message that is in flight does not count; returns false, and counts it, when there was no other. */
  uncount(sequence: number): boolean {
    const at = this.#find(sequence);
    assert(at >= 0, 'what was not delivered is in flight');
    if (this.#deliveries[at] === 1) return false;
    if (--this.#deliveries[at] === 1) this.redelivered--;
    return true;
  }

  #due(at: number, dueMs: number): void {
    this.#dues[at] = dueMs;
    if (dueMs < this.earliestMs) this.earliestMs = dueMs;
  }

  /** A message is due at another time; returns false when it is not in flight. */
  postpone(sequence: number, dueMs: number): boolean {
    const at = this.#find(sequence);
    if (at >= 0) this.#due(at, dueMs);
    return at >= 0;
  }

  /** A message is not in flight any more. @returns its first delivery; 0 when it was not */
  remove(sequence: number): number {
    const at = this.#find(sequence);
    if (at < 0) return 0;
    const first = this.#firsts[at];
    if (this.#deliveries[at] > 1) this.redelivered--;
    this.#deliveries[at] = 0;
    this.size--;
    while (this.#begin < this.#end && this.#deliveries[this.#begin] === 0) this.#begin++;
    if (this.#begin === this.#end) this.#begin = this.#end = 0;
    return first;
  }

  /** Removes all up to a sequence, and calls back for each. */
  removeUpTo(sequence: number, visit: (sequence: number) => void): void {
    for (; this.#begin < this.#end && this.#sequences[this.#begin] <= sequence; this.#begin++) {
      if (this.#deliveries[this.#begin] === 0) continue;
      if (this.#deliveries[this.#begin] > 1) this.redelivered--;
      this.size--;
      visit(this.#sequences[this.#begin]);
    }
    while (this.#begin < this.#end && this.#deliveries[this.#begin] === 0) this.#begin++;
    if (this.#begin === this.#end) this.#begin = this.#end = 0;
  }

  clear(): void {
    this.#begin = this.#end = this.size = this.redelivered = 0;
    this.earliestMs = Number.POSITIVE_INFINITY;
  }

  /** The message of the lowest sequence from one on; false when there is none. */
  firstFrom(sequence: number, into: Delivered): boolean {
    let at = this.#lowerBound(sequence);
    while (at < this.#end && this.#deliveries[at] === 0) at++;
    if (at >= this.#end) return false;
    this.#show(at, into);
    return true;
  }

  /** Calls back for each message that is in flight, by their sequences, from one on; none may come or go meanwhile. */
  forEach(visit: (message: Delivered) => void, from = 0): void {
    const shown = noDelivered();
    for (let at = this.#lowerBound(from); at < this.#end; at++) {
      if (this.#deliveries[at] === 0) continue;
      this.#show(at, shown);
      visit(shown);
    }
  }

  /** All of them, in order. */
  get sequences(): number[] {
    const all: number[] = [];
    this.forEach(({ sequence }) => {
      all.push(sequence);
    });
    return all;
  }

  /** Those that are due, by their sequences. From then on it is known exactly when the next one is. */
  due(nowMs: number): number[] {
    const due: number[] = [];
    this.earliestMs = Number.POSITIVE_INFINITY;
    this.forEach(({ sequence, dueMs }) => {
      if (dueMs <= nowMs) due.push(sequence);
      else if (dueMs < this.earliestMs) this.earliestMs = dueMs;
    });
    return due;
  }

  #show(at: number, into: Delivered): void {
    into.sequence = this.#sequences[at];
    into.firstDelivery = this.#firsts[at];
    into.lastDelivery = this.#lasts[at];
    into.deliveries = this.#deliveries[at];
    into.dueMs = this.#dues[at];
  }

  #find(sequence: number): number {
    const at = this.#lowerBound(sequence);
    return at < this.#end && this.#sequences[at] === sequence && this.#deliveries[at] > 0 ? at : -1;
  }

  /** The first place whose sequence is not below one. */
  #lowerBound(sequence: number): number {
    let low = this.#begin;
    let high = this.#end;
    // most often it is the first
    if (low < high && this.#sequences[low] >= sequence) return low;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sequences[middle] < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Leaves out what was acknowledged, or takes twice the room. */
  #makeRoom(): void {
    const room = Math.max(roomMin, 2 * this.size);
    const floats = () => new Float64Array(room);
    const [sequences, firsts, lasts, dues] = [floats(), floats(), floats(), floats()];
    const deliveries = new Int32Array(room);
    let end = 0;
    for (let at = this.#begin; at < this.#end; at++) {
      if (this.#deliveries[at] === 0) continue;
      sequences[end] = this.#sequences[at];
      firsts[end] = this.#firsts[at];
      lasts[end] = this.#lasts[at];
      deliveries[end] = this.#deliveries[at];
      dues[end++] = this.#dues[at];
    }
    this.#sequences = sequences;
    this.#firsts = firsts;
    this.#lasts = lasts;
    this.#deliveries = deliveries;
    this.#dues = dues;
    this.#begin = 0;
    this.#end = end;
  }
}
