import { isatty } from 'node:tty';

const STDERR = 2;
const SHOW_EVERY_MS = 250;

/** How many messages were published, on standard error, when that is a terminal; else silent. */
export class Progress {
  readonly #total: number | null;
  readonly #isShown = isatty(STDERR);
  #count = 0;
  #shownAtMs = performance.now();

  /** @param total null when it is not known */
  constructor(total: number | null) {
    this.#total = total;
  }

  step(): void {
    this.#count++;
    // The clock is only looked at now and then.
    if (!this.#isShown || this.#count % 1024 !== 0) return;
    const nowMs = performance.now();
    if (nowMs - this.#shownAtMs < SHOW_EVERY_MS) return;
    this.#shownAtMs = nowMs;
    const of = this.#total === null ? '' : ` of ${this.#total.toLocaleString('en')}`;
    process.stderr.write(`\r${this.#count.toLocaleString('en')}${of} published`);
  }

  done(subject: string): void {
    if (!this.#isShown) return;
    const messages = this.#count === 1 ? 'message' : 'messages';
    process.stderr.write(`\r\u001b[Kpublished ${this.#count.toLocaleString('en')} ${messages} to ${subject}\n`);
  }
}
