/** Does one thing behind the other, whatever becomes of each. */
export class OneByOne {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves, or rejects, with what becomes of it when it was its turn. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
