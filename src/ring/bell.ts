import { exchange, load, notify, poke, store, waitAsync } from '#atomics';

/** What an endpoint's wake-up takes of the words that all endpoints share: a cache line. */
const wordsPerBell = 32;
/** Behind its sleeping flag: the descriptor of the pipe by which it is woken, or 0. */
const pipeWord = 1;

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
    if (exchange(this.#words, this.#index, 0) === 1) this.#wake();
  }

  #wake(): void {
    const pipe = load(this.#words, this.#index + pipeWord);
    if (pipe === 0) notify(this.#words, this.#index);
    else poke(pipe);
  }
}

/**
 * The sleeping side. The order is the whole point: set the flag, look for work once more, then wait for the flag to
 * change. A producer publishes first and reads the flag second, so one of the two always sees the other. Whoever has
 * changed the flag wakes the endpoint, by a byte in its pipe where it has one: that costs half of what `notify` does
 * (docs/decisions/0086).
 */
export class Sleeper {
  readonly #words: Int32Array;
  readonly #index: number;
  #asleep = false;
  #hasPipe = false;
  #wake: () => void = () => {};

  constructor(memory: SharedArrayBuffer, endpoint: number) {
    this.#words = new Int32Array(memory);
    this.#index = endpoint * wordsPerBell;
  }

  get asleep(): boolean {
    return this.#asleep;
  }

  /** From now on it is woken by bytes written to this descriptor. Whoever reads them calls `rung`. */
  wakeByPipe(descriptor: number): void {
    store(this.#words, this.#index + pipeWord, descriptor);
    this.#hasPipe = true;
    // what it slept for until now is not waited for any more
    if (!this.#asleep) return;
    store(this.#words, this.#index, 0);
    notify(this.#words, this.#index);
  }

  /**
   * Goes to sleep unless `hasWork()` finds something. Returns whether the endpoint may rest; `wake` is called from a later
   * turn of the event loop, after the bell has rung. Without a pipe a thread that a socket woke is still asleep to its peers:
   * they will ring once more than needed.
   */
  sleep(hasWork: () => boolean, wake: () => void): boolean {
    store(this.#words, this.#index, 1);
    // who took the flag may have died before it woke anybody, so it is set again; what it may yet do wakes this thread once more than needed
    if (this.#asleep && !this.#hasPipe) return !hasWork();
    if (hasWork()) {
      store(this.#words, this.#index, 0);
      return false;
    }
    if (!this.#hasPipe) return this.#waitForNotify(wake);
    this.#wake = wake;
    this.#asleep = true;
    return true;
  }

  #waitForNotify(wake: () => void): boolean {
    const waiting = waitAsync(this.#words, this.#index, 1);
    if (!waiting.async) return false;
    this.#asleep = true;
    waiting.value.then(() => {
      this.#asleep = false;
      wake();
    });
    return true;
  }

  /** The thread is awake, whatever woke it: nobody has to ring any more, where that can be taken back. */
  awake(): void {
    if (!this.#asleep || !this.#hasPipe) return;
    this.#asleep = false;
    store(this.#words, this.#index, 0);
  }

  /** Somebody has written to the pipe. */
  rung(): void {
    this.#wake();
  }
}
