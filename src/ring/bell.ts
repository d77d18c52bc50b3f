import { exchange, load, notify, store, waitAsync } from '#atomics';

/** Where an endpoint's sleeping flag lies in the words that all endpoints share: a cache line each. */
const wordsPerBell = 32;

export function createBellMemory(endpoints: number): SharedArrayBuffer {
  return new SharedArrayBuffer(endpoints * wordsPerBell * 4);
}

/** The ringing side of an endpoint's wake-up: costs one atomic load while the endpoint is awake. */
export class Bell {
  readonly #words: Int32Array;
  readonly #index: number;

  constructor(memory: SharedArrayBuffer, endpoint: number) {
    this.#words = new Int32Array(memory);
    this.#index = endpoint * wordsPerBell;
  }

  /** Wakes the endpoint when it sleeps. Call it after what it should find has been published. */
  ring(): void {
    if (load(this.#words, this.#index) === 0) return;
    if (exchange(this.#words, this.#index, 0) === 1) notify(this.#words, this.#index);
  }
}

/**
 * The sleeping side. The order is the whole point: set the flag, look for work once more, then wait for the flag to
 * change. A producer publishes first and reads the flag second, so one of the two always sees the other.
 */
export class Sleeper {
  readonly #words: Int32Array;
  readonly #index: number;
  #asleep = false;

  constructor(memory: SharedArrayBuffer, endpoint: number) {
    this.#words = new Int32Array(memory);
    this.#index = endpoint * wordsPerBell;
  }

  get asleep(): boolean {
    return this.#asleep;
  }

  /**
   * Goes to sleep unless `hasWork()` finds something. Returns whether the endpoint may rest; `wake` is called once, from
   * a later turn of the event loop, after the bell has rung. A thread that a socket woke is still asleep to its peers:
   * they will ring once more than needed.
   */
  sleep(hasWork: () => boolean, wake: () => void): boolean {
    if (this.#asleep) return !hasWork();
    store(this.#words, this.#index, 1);
    if (hasWork()) {
      store(this.#words, this.#index, 0);
      return false;
    }
    const waiting = waitAsync(this.#words, this.#index, 1);
    if (!waiting.async) return false;
    this.#asleep = true;
    waiting.value.then(() => {
      this.#asleep = false;
      wake();
    });
    return true;
  }
}
