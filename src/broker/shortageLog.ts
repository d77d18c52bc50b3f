import { shortageLogMs } from '../base/limits.js';

/** Says that connections could not be taken: the first at once, then once in a while how many more there were. */
export class ShortageLog {
  readonly #tell: (reason: string, refused: number) => void;
  #reason = '';
  #refused = 0;
  #pause: NodeJS.Timeout | null = null;

  constructor(tell: (reason: string, refused: number) => void) {
    this.#tell = tell;
  }

  /** One more connection could not be taken. */
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
    }, shortageLogMs).unref();
  }
}
