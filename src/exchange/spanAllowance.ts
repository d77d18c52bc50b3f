import { add, load, store, sub } from '#atomics';

/** How many messages more may have spans before somebody allows more: for all threads that publish. */
export class SpanAllowance {
  readonly #left: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#left = new Int32Array(memory);
  }

  static makeMemory(): SharedArrayBuffer {
    return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  }

  get any(): boolean {
    return load(this.#left, 0) > 0;
  }

  /** Takes one. Two threads that take the last one at a time have both had it. */
  take(): void {
    sub(this.#left, 0, 1);
  }

  giveBack(): void {
    add(this.#left, 0, 1);
  }

  /** Allows so many from now on, whatever is left. */
  allow(messages: number): void {
    store(this.#left, 0, messages);
  }
}
