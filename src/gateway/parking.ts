import { type TallyRow, tally } from '../base/tally.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';
import type { Connection } from './connection.js';
import type { Waits } from './ingress.js';

/** What those who wait wait for. */
type Cause = 'Memory' | 'Subscribers' | 'Room' | 'Others';

export interface ParkingParts {
  readonly router: Router;
  readonly exchange: Exchange<Topic>;
  readonly memoryShort: boolean;
  readonly tally: TallyRow;
  /** The turn's clock. */
  readonly egress: { readonly nowMs: number };
}

/** Counts connections that wait with what they have said, by what for, and for how long: from when nothing more of it was taken until some was. */
export class Parking implements Waits {
  readonly #parts: ParkingParts;

  constructor(parts: ParkingParts) {
    this.#parts = parts;
  }

  onParked({ input, topic }: Connection): void {
    if (input.parkedFor !== null) return;
    const cause = this.#causeOf(topic);
    input.parkedFor = cause;
    input.parkedMs = this.#parts.egress.nowMs;
    this.#parts.tally[tally[`parkedFor${cause}`]]++;
  }

  /** Some of what it had said was taken, or will never be. */
  onReleased({ input }: Connection): void {
    if (input.parkedFor === null) return;
    this.#parts.tally[tally[`parkedMsFor${input.parkedFor}`]] += Math.max(0, this.#parts.egress.nowMs - input.parkedMs);
    input.parkedFor = null;
  }

  #causeOf(topic: Topic | null): Cause {
    const { memoryShort, router, exchange } = this.#parts;
    if (memoryShort) return 'Memory';
    if (topic !== null && router.holds.active !== 0 && topic.fullness !== 0) return 'Subscribers';
    if (!exchange.takesOwn || (topic !== null && topic.owner !== router.self)) return 'Room';
    return 'Others';
  }
}
