/** A window is counted in so many parts: what is spent in one of them is forgotten together. */
const parts = 12;

/** How long publishers may be held up in any window of time, in milliseconds. Held for a whole window is no bound. */
export interface HoldBudget {
  readonly maxMs: number;
  readonly windowMs: number;
}

/**
 * For how long somebody has been held up lately. Never less than what it was in the last window, and at most what it was in
 * that and a twelfth more: the parts of the window are forgotten as wholes.
 */
export class HeldTime {
  readonly #partMs: number;
  readonly #heldMs = new Float64Array(parts + 1);
  /** Number of the newest part since the clock's beginning. */
  #part = 0;
  /** Up to when it has been counted. */
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number) {
    this.#partMs = windowMs / parts;
  }

  /** Counts a time that has just ended; what two waited for at once is counted once. */
  add(fromMs: number, toMs: number): void {
    const countedMs = toMs - Math.max(fromMs, this.#untilMs);
    if (countedMs <= 0) return;
    this.#forget(toMs);
    this.#untilMs = toMs;
    this.#heldMs[this.#part % (parts + 1)] += countedMs;
  }

  /** Milliseconds counted in the last window. */
  inWindow(nowMs: number): number {
    this.#forget(nowMs);
    let sumMs = 0;
    for (let part = 0; part <= parts; part++) sumMs += this.#heldMs[part];
    return sumMs;
  }

  #forget(nowMs: number): void {
    const newest = Math.max(this.#part, Math.floor(nowMs / this.#partMs));
    for (let part = Math.max(this.#part + 1, newest - parts); part <= newest; part++)
      this.#heldMs[part % (parts + 1)] = 0;
    this.#part = newest;
  }
}
