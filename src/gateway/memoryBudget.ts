import { load, store } from '#atomics';
import { memoryRelievedRatio, memoryStalledRatio } from '../base/limits.js';
import { Shortage } from '../exchange/shortage.js';

/** Bytes are shared in units of this, so that 32 bits suffice. */
const unitBytes = 1024;
/** A rank has this bit when it is of one that has stopped reading, and holds enough to be worth it: it comes before all that read. */
const stalledRank = 1 << 30;

/** What a thread shares: what it holds, and the rank of what holds most there; each thread's words lie a cache line apart. */
const wordsPerThread = 32;
const heldWord = 0;
const largestWord = 1;

/** Behind all threads' words a line for the `Shortage`. */
export function createBudgetMemory(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer((threads + 1) * wordsPerThread * 4);
}

/**
 * The bound on what all gateways together may hold for clients. Each thread says what it holds and what its largest holder does, and
 * reads what the others say: no thread ever waits for another to count, or to act. What is read may be a turn old, so that now and
 * then two threads end something where one would have been enough.
 */
export class MemoryBudget {
  maxBytes: number;
  /** Whether more is held than may be: from when `maxBytes` was reached until 90% of it is. As of the last `review`. */
  short = false;
  readonly #shortage: Shortage;
  readonly #words: Int32Array;
  readonly #self: number;
  readonly #threads: number;

  constructor(memory: SharedArrayBuffer, self: number, maxBytes: number) {
    this.#shortage = new Shortage(memory);
    this.#words = new Int32Array(memory);
    this.#threads = this.#words.length / wordsPerThread - 1;
    this.#self = self;
    this.maxBytes = maxBytes;
  }

  /** Says how much this thread holds. */
  report(bytes: number): void {
    this.#say(heldWord, Math.ceil(bytes / unitBytes));
  }

  /** Says the rank of what holds most on this thread; 0 for nothing. */
  sayLargest(rank: number): void {
    this.#say(largestWord, rank);
  }

  /** What all threads hold, in bytes. */
  get usedBytes(): number {
    let units = 0;
    for (let thread = 0; thread < this.#threads; thread++) units += this.#read(thread, heldWord);
    return units * unitBytes;
  }

  /** Looks again whether memory is `short`. */
  review(): boolean {
    const wasShort = this.#shortage.short;
    this.short = this.usedBytes >= this.maxBytes * (wasShort ? memoryRelievedRatio : 1);
    // two that look at once may say the opposite: each bound is looked at again in every thread's next turn
    if (this.short !== wasShort) this.#shortage.say(this.short);
    return this.short;
  }

  /** Where something comes in the order in which holders are ended: the greater the sooner. */
  rankOf(heldBytes: number, stalled: boolean): number {
    const units = Math.min(Math.ceil(heldBytes / unitBytes), stalledRank - 1);
    return stalled && heldBytes >= this.maxBytes * memoryStalledRatio ? units + stalledRank : units;
  }

  /** Whether nothing of a greater rank is known on another thread; of the same rank, the first thread's goes first. */
  isLargest(rank: number): boolean {
    for (let thread = 0; thread < this.#threads; thread++) {
      const other = thread === this.#self ? 0 : this.#read(thread, largestWord);
      if (other > rank || (other === rank && thread < this.#self)) return false;
    }
    return true;
  }

  #say(word: number, value: number): void {
    const at = this.#self * wordsPerThread + word;
    // the one writer of its words
    if (this.#words[at] !== value) store(this.#words, at, value);
  }

  #read(thread: number, word: number): number {
    return load(this.#words, thread * wordsPerThread + word);
  }
}
