import type { Work } from '../../base/work.js';
import type { Clock } from '../../stream/times.js';

/** A clock that is read once a turn: what is put in order in one has one time. For what is followed by the end of a turn. */
export class TurnClock implements Clock {
  readonly #clock: Clock;
  readonly #work: Pick<Work, 'turn'>;
  #turn = -1;
  #nowUs = 0;

  constructor(clock: Clock, work: Pick<Work, 'turn'>) {
    this.#clock = clock;
    this.#work = work;
  }

  nowUs(): number {
    if (this.#turn !== this.#work.turn) {
      this.#turn = this.#work.turn;
      this.#nowUs = this.#clock.nowUs();
    }
    return this.#nowUs;
  }

  notBefore(timeUs: number): void {
    this.#clock.notBefore(timeUs);
    this.#turn = -1;
  }
}

/** Milliseconds, of a clock that never goes back, read once a turn. */
export class TurnTime {
  readonly #work: Pick<Work, 'turn'>;
  #turn = -1;
  #nowMs = 0;

  constructor(work: Pick<Work, 'turn'>) {
    this.#work = work;
  }

  nowMs(): number {
    if (this.#turn !== this.#work.turn) {
      this.#turn = this.#work.turn;
      this.#nowMs = performance.now();
    }
    return this.#nowMs;
  }
}
