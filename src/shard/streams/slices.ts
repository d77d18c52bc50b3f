import { sliceMs } from '../../base/limits.js';
import type { Role } from '../../base/role.js';
import type { Steps } from '../../stream/stream.js';

interface Walk {
  /** Goes on for one step; returns whether it has ended. */
  step(): boolean;
}

/** Long walks, a slice of a turn each. */
export class Slices implements Role {
  readonly #walks: Walk[] = [];
  readonly #requestTurn: () => void;

  constructor(requestTurn: () => void) {
    this.#requestTurn = requestTurn;
  }

  get quiet(): boolean {
    return this.#walks.length === 0;
  }

  /** Does steps now and in later turns; resolves with what they come to, rejects with what they throw. */
  run<T>(steps: Steps<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#walks.push({
        step: () => {
          try {
            const { done, value } = steps.next();
            if (done) resolve(value);
            return done === true;
          } catch (error) {
            reject(error);
            return true;
          }
        },
      });
      this.#requestTurn();
    });
  }

  /** One step of each walk in turn, until the slice is over. */
  doWork(): boolean {
    if (this.#walks.length === 0) return false;
    const endMs = performance.now() + sliceMs;
    do {
      const walk = this.#walks.shift() as Walk;
      if (!walk.step()) this.#walks.push(walk);
    } while (this.#walks.length > 0 && performance.now() < endMs);
    return this.#walks.length > 0;
  }
}
