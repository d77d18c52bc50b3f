/**
 * One thread's work between two looks at its sockets. Whatever has something to be done at the end of the event loop's
 * turn requests it; the work runs once, after all sockets that were readable have been read.
 */
export class Turn {
  #requested = false;
  readonly #work: () => void;

  constructor(work: () => void) {
    this.#work = work;
  }

  request(): void {
    if (this.#requested) return;
    this.#requested = true;
    setImmediate(this.#run);
  }

  /** Resolves behind the next turn: for what looks after very many, some at a time. */
  passed(): Promise<void> {
    this.request();
    return new Promise((resolve) => setImmediate(resolve));
  }

  readonly #run = (): void => {
    this.#requested = false;
    this.#work();
  };
}
