import type { HistogramWriter } from '../base/histogram.js';
import { handlerCallsMax, handlerExactMs, handlerShortCallsMax, handlerShortMs } from '../base/limits.js';

const modulus = 2 ** 31 - 1;
const factor = 48_271;

/** Every so manyth call at least is timed of a handler that took so long. */
function callsUpTo(tookMs: number): number {
  if (tookMs > handlerExactMs) return 1;
  return tookMs < handlerShortMs ? handlerShortCallsMax : handlerCallsMax;
}

/**
 * How long one handler takes. Two looks at the clock cost as much as a short handler: so of short ones some are timed, by chance, each for all since the one
 * before; who takes longer is timed every time.
 */
export class HandlerClock {
  readonly #histogram: HistogramWriter;
  readonly #now: () => number;
  /** Calls since the last that was timed, and with which of them the next one is. */
  #calls = 0;
  #next = 1;
  #beganMs = -1;
  #chance = 1;

  constructor(histogram: HistogramWriter, now: () => number = () => performance.now()) {
    this.#histogram = histogram;
    this.#now = now;
  }

  begin(): void {
    if (++this.#calls >= this.#next) this.#beganMs = this.#now();
  }

  end(): void {
    if (this.#beganMs < 0) return;
    const tookMs = this.#now() - this.#beganMs;
    this.#histogram.add(tookMs, this.#calls);
    this.#beganMs = -1;
    this.#calls = 0;
    this.#chance = (this.#chance * factor) % modulus;
    this.#next = 1 + (this.#chance % callsUpTo(tookMs));
  }
}
