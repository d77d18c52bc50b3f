import { load, store } from '#atomics';

/** Bytes are shared in units of this, so that 32 bits suffice. */
const unitBytes = 1024;
/** Who waited for memory goes on when this part of the budget is used, not before: else it would wait again at once. */
const resumeRatio = 7 / 8;

/** Memory for the threads' shares: one word each, a cache line apart. */
const wordsPerThread = 32;

export function createBudgetMemory(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * wordsPerThread * 4);
}

/**
 * The bound on what all gateways together may keep queued. Each thread says what it holds, and adds up what all say:
 * no thread ever waits for another to count.
 */
export class MemoryBudget {
  maxBytes: number;
  readonly #words: Int32Array;
  readonly #self: number;
  readonly #threads: number;
  #published = 0;

  constructor(memory: SharedArrayBuffer, self: number, maxBytes: number) {
    this.#words = new Int32Array(memory);
    this.#threads = this.#words.length / wordsPerThread;
    this.#self = self;
    this.maxBytes = maxBytes;
  }

  /** Says how much this thread holds. */
  hold(bytes: number): void {
    const units = Math.ceil(bytes / unitBytes);
    if (units === this.#published) return;
    this.#published = units;
    store(this.#words, this.#self * wordsPerThread, units);
  }

  /** What all threads hold, in bytes. */
  get usedBytes(): number {
    let units = 0;
    for (let thread = 0; thread < this.#threads; thread++) units += load(this.#words, thread * wordsPerThread);
    return units * unitBytes;
  }

  /** Whether nothing more should be taken in. */
  get exhausted(): boolean {
    return this.usedBytes >= this.maxBytes;
  }

  /** Whether there is enough room again for those who wait. */
  get relieved(): boolean {
    return this.usedBytes < this.maxBytes * resumeRatio;
  }
}
