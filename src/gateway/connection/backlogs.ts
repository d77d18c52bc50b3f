import { SlowPath } from '../../subscriber/slowPath.js';
import type { Pacing } from '../policies/pacing.js';
import type { Subscription } from '../subscription.js';

/** Of connections that never were behind: one set for all, that stays empty. */
const noneWaiting: Set<Subscription> = new Set();

/** What waits for those subscriptions of one connection that have a policy. `Policing` alone changes it. */
export class Backlogs {
  /** Subscriptions that have a policy. */
  policed = 0;
  /** How many of them conflate, and what bounds what is on its way to the client while there are any and it can be asked. */
  conflating = 0;
  pacing: Pacing | null = null;
  /**
   * Whether the connection lags, so that these are given to backlogs: since something was pending, until nothing is and all backlogs are
   * empty; all the time while it is paced.
   */
  readonly slowPath = new SlowPath();
  /** Whether it is on the list of those that may be given some of what waits. */
  ready = false;
  /** Memory that backlogs take, in bytes. */
  heldBytes = 0;
  #waiting = noneWaiting;

  /** Those that have something in their backlog, next first. */
  get waiting(): ReadonlySet<Subscription> {
    return this.#waiting;
  }

  /** Puts a subscription behind all others that have something waiting. */
  line(subscription: Subscription): void {
    if (this.#waiting === noneWaiting) this.#waiting = new Set();
    this.#waiting.add(subscription);
  }

  /** Nothing waits for a subscription any more. */
  leave(subscription: Subscription): void {
    this.#waiting.delete(subscription);
  }
}
