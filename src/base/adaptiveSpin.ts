import { spinTurnsMax, spinWorthMs } from './limits.js';

/**
 * How many turns a thread that has nothing to do looks for work before it sleeps. To look again costs a turn, to sleep costs a wake-up and whoever rings; which is cheaper depends on
 * how soon work comes. So it goes by what came of it the last times: a sleep that ended before as many turns would have doubles their number, one that lasted halves it, down to none.
 * (The rule of adaptive locks: never far above what who knew the future would pay.)
 */
export class AdaptiveSpin {
  #turns = spinTurnsMax;
  #idle = 0;
  #sleptAtMs = Number.NaN;

  /** Turns in vain before it sleeps. */
  get turns(): number {
    return this.#turns;
  }

  /** A turn begins; the first behind a sleep tells how long that was. */
  begin(nowMs: number): void {
    if (Number.isNaN(this.#sleptAtMs)) return;
    const isShort = nowMs - this.#sleptAtMs < spinWorthMs;
    this.#turns = isShort ? Math.min(spinTurnsMax, Math.max(1, this.#turns * 2)) : this.#turns >> 1;
    this.#sleptAtMs = Number.NaN;
    this.#idle = 0;
  }

  /** A turn has ended; returns whether it is time to sleep: where nothing comes soon, even behind one that was not in vain. */
  end(worked: boolean): boolean {
    this.#idle = worked ? 0 : this.#idle + 1;
    return this.#idle >= this.#turns;
  }

  /** The thread sleeps now. */
  sleep(nowMs: number): void {
    this.#sleptAtMs = nowMs;
  }
}
