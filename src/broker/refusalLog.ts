import { refusalLogMs } from '../base/limits.js';

/** Says that somebody was refused: the first time at once, then once in a while how many more there were, and why the last one was. */
export class RefusalLog {
  readonly #tell: (reason: string, refused: number) => void;
  #reason = '';
  #refused = 0;
  #pause: NodeJS.Timeout | null = null;

  constructor(tell: (reason: string, refused: number) => void) {
    this.#tell = tell;
  }

  /** One more was refused. */
  note(reason: string): void {
    this.#reason = reason;
    this.#refused++;
    if (this.#pause === null) this.#tellNow();
  }

  #tellNow(): void {
    this.#tell(this.#reason, this.#refused);
    this.#refused = 0;
    this.#pause = setTimeout(() => {
      this.#pause = null;
      if (this.#refused > 0) this.#tellNow();
    }, refusalLogMs).unref();
  }
}
