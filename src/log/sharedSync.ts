/**
 * Something that is brought to the disk for all who ask: once at a time, and who asks while that is under way shares the next one with all
 * others who do.
 */
export class SharedSync {
  readonly #sync: () => Promise<void>;
  #current: Promise<void> | null = null;
  /** For those who asked while it was under way. */
  #next: Promise<void> | null = null;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /**
   * Resolves when what was changed before the call lasts.
   *
   * @throws rejects with what the disk said, also of a sync that was under way: after that, another one tells nothing
   */
  readonly run = (): Promise<void> => {
    if (this.#current === null) return this.#begin();
    this.#next ??= this.#current.then(
      () => this.#begin(),
      (error: Error) => {
        this.#current = null;
        this.#next = null;
        throw error;
      },
    );
    return this.#next;
  };

  #begin(): Promise<void> {
    this.#next = null;
    this.#current = this.#sync().finally(() => {
      if (this.#next === null) this.#current = null;
    });
    return this.#current;
  }
}
