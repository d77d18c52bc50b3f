/** A timer that is set for longer rings at once. */
const timerMsMax = 2 ** 31 - 1;

/** One timer for whatever is due next. Timers count in milliseconds: what is due within one is due then. */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | null = null;
  #dueMs = 0;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Sees to it that it rings at `dueMs` at the latest; infinite is never. It may ring too early, or in vain. */
  set(dueMs: number, nowMs: number): void {
    if (dueMs === Number.POSITIVE_INFINITY || (this.#timer !== null && this.#dueMs <= dueMs)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    const waitMs = Math.min(dueMs - nowMs, timerMsMax);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (waitMs < timerMsMax) this.#ring();
      else this.set(dueMs, nowMs + waitMs);
    }, waitMs);
    this.#timer.unref();
  }

  /** It does not ring until it is set again. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
