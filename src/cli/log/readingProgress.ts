import { isatty } from 'node:tty';
import { formatSize } from '../figures.js';

const standardError = 2;
const showEveryMs = 250;

/** How much was read, on standard error, when that is a terminal; else silent. */
export class ReadingProgress {
  readonly #what: string;
  readonly #totalBytes: number;
  readonly #isShown = isatty(standardError);
  #shownAtMs = performance.now();

  /** @param what is done with the bytes, as a participle */
  constructor(what: string, totalBytes: number) {
    this.#what = what;
    this.#totalBytes = totalBytes;
  }

  show(bytes: number): void {
    if (!this.#isShown) return;
    const nowMs = performance.now();
    if (nowMs - this.#shownAtMs < showEveryMs) return;
    this.#shownAtMs = nowMs;
    const percent = Math.floor((100 * bytes) / Math.max(1, this.#totalBytes));
    process.stderr.write(`\r\u001b[K${percent}% of ${formatSize(this.#totalBytes)} ${this.#what}`);
  }

  done(): void {
    if (this.#isShown) process.stderr.write('\r\u001b[K');
  }
}
