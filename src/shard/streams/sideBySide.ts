/** Does things side by side, or one alone: that one waits for all that were asked for before, and all that are asked for later wait for it. */
export class SideBySide {
  /** Settled when the last one is done that was to be alone. */
  #alone: Promise<unknown> = Promise.resolve();
  /** Settled when all are done. */
  #all: Promise<unknown> = Promise.resolve();

  /** Resolves, or rejects, with what becomes of it. */
  beside<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#alone.then(work);
    this.#all = Promise.allSettled([this.#all, done]);
    return done;
  }

  /** Resolves, or rejects, with what becomes of it when it was its turn. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#all.then(work);
    this.#alone = done.catch(() => {});
    this.#all = this.#alone;
    return done;
  }
}
