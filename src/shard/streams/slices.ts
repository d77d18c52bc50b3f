import { sliceMs } from '../../base/limits.js';
import type { Role } from '../../base/role.js';
import type { Steps } from '../../stream/steps.js';

interface Walk {
  /** Goes on for one step; returns whether it may go on at once. */
  step(): boolean;
}

/** Long walks, a slice of a turn each. */
export class Slices implements Role {
  /** Those that may go on. */
  readonly #walks: Walk[] = [];
  /** Walks that have not ended. */
  #open = 0;
  readonly #requestTurn: () => void;

  constructor(requestTurn: () => void) {
    this.#requestTurn = requestTurn;
  }

  get quiet(): boolean {
    return this.#open === 0;
  }

  /** Does steps in this turn and in later ones; resolves with what they come to, rejects with what they throw. */
  run<T>(steps: Steps<T>): Promise<T> {
    this.#open++;
    const done = new Promise<T>((resolve, reject) => {
      const walk = { step: () => this.#step(walk, steps, resolve, reject) };
      this.#goOn(walk);
    });
    return done.finally(() => {
      this.#open--;
    });
  }

  #step<T>(walk: Walk, steps: Steps<T>, resolve: (value: T) => void, reject: (error: unknown) => void): boolean {
    try {
      const { done, value } = steps.next();
      if (done) resolve(value);
      else if (value === undefined) return true;
      else void value.then(() => this.#goOn(walk));
    } catch (error) {
      reject(error);
    }
    return false;
  }

  #goOn(walk: Walk): void {
    this.#walks.push(walk);
    this.#requestTurn();
  }

  /** One step of each walk in turn, until the slice is over. */
  doWork(): boolean {
    if (this.#walks.length === 0) return false;
    const endMs = performance.now() + sliceMs;
    do {
      const walk = this.#walks.shift() as Walk;
      if (walk.step()) this.#walks.push(walk);
    } while (this.#walks.length > 0 && performance.now() < endMs);
    return this.#walks.length > 0;
  }
}
