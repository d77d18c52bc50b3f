import { load, store } from '#atomics';

/**
 * Whether more is held for clients than may be, for all threads that publish: the last word of the memory that gateways count it in. Whoever
 * of them sees a bound passed says so, so that all act on the same.
 */
export class Shortage {
  readonly #words: Int32Array;
  readonly #at: number;

  constructor(budgetMemory: SharedArrayBuffer) {
    this.#words = new Int32Array(budgetMemory);
    this.#at = this.#words.length - 1;
  }

  get short(): boolean {
    return load(this.#words, this.#at) === 1;
  }

  /** Says that it is short, or not any more. */
  say(short: boolean): void {
    store(this.#words, this.#at, short ? 1 : 0);
  }
}
