import type { Timers } from '../../src/log/timers.js';

/** Time that passes when the run says so. */
export class SimTimers implements Timers {
  #nowMs = 0;
  readonly #soon: (() => void)[] = [];
  #later: { atMs: number; action: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  /** The thread stands still for so long. */
  lose(milliseconds: number): void {
    this.#nowMs += milliseconds;
  }

  soon(action: () => void): void {
    this.#soon.push(action);
  }

  after(milliseconds: number, action: () => void): void {
    this.#later.push({ atMs: this.#nowMs + milliseconds, action });
  }

  /** Does what is due soon, or one of what is due later; false when there is neither. */
  step(): boolean {
    const soon = this.#soon.shift();
    if (soon !== undefined) {
      soon();
      return true;
    }
    return this.pass();
  }

  /** Lets time pass until something is due. */
  pass(): boolean {
    if (this.#later.length === 0) return false;
    this.#later.sort((a, b) => a.atMs - b.atMs);
    const { atMs, action } = this.#later.shift()!;
    this.#nowMs = atMs;
    action();
    return true;
  }

  get hasSoon(): boolean {
    return this.#soon.length > 0;
  }
}
