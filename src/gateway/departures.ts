import { departureSubscriptionsMax, departureUnits } from '../base/limits.js';
import { cost, type Work } from '../base/work.js';
import type { Connection } from './connection.js';
import type { Subscription } from './subscription.js';

/**
 * Connections that have ended and had many subscriptions: these are taken away some in each turn, since everybody has to be told of each.
 * Nothing is delivered to them meanwhile.
 */
export class Departures {
  readonly #work: Work;
  readonly #end: (subscriptions: readonly Subscription[]) => void;
  readonly #mayGoOn: () => boolean;
  readonly #leaving: Connection[] = [];
  /** The turn in which some were taken away at once last, and what that cost in units of `Work`. */
  #turn = -1;
  #doneUnits = 0;

  /**
   * @param end takes subscriptions away that their connection does not have any more
   * @param mayGoOn whether others can be told of more
   */
  constructor(work: Work, end: (subscriptions: readonly Subscription[]) => void, mayGoOn: () => boolean) {
    this.#work = work;
    this.#end = end;
    this.#mayGoOn = mayGoOn;
  }

  /** Subscriptions that have not been taken away yet. */
  get size(): number {
    return this.#leaving.reduce((sum, { subscriptions }) => sum + subscriptions.size, 0);
  }

  /**
   * Whether so many subscriptions may be taken away at once: few, and this turn has not had its part yet. Crowds leave together, and
   * everybody has to be told of all that they had.
   */
  takesNow(subscriptions: number): boolean {
    const { turn } = this.#work;
    if (turn !== this.#turn) this.#doneUnits = 0;
    this.#turn = turn;
    const doneUnits = this.#doneUnits + subscriptions * cost.departure;
    if (subscriptions > departureSubscriptionsMax || this.#leaving.length > 0 || doneUnits > departureUnits)
      return false;
    this.#doneUnits = doneUnits;
    return true;
  }

  add(connection: Connection): void {
    this.#leaving.push(connection);
  }

  /** A turn's part of it; returns whether there is more to do. */
  doWork(): boolean {
    const limit = this.#work.units + departureUnits;
    while (this.#leaving.length > 0 && this.#work.units < limit && this.#mayGoOn()) {
      const { subscriptions } = this.#leaving[0];
      this.#end(takeSome(subscriptions, Math.ceil((limit - this.#work.units) / cost.departure)));
      if (subscriptions.size === 0) this.#leaving.shift();
    }
    return this.#leaving.length > 0;
  }
}

function takeSome(subscriptions: Map<string, Subscription>, count: number): Subscription[] {
  const taken: Subscription[] = [];
  for (const [sid, subscription] of subscriptions) {
    subscriptions.delete(sid);
    taken.push(subscription);
    if (taken.length === count) break;
  }
  return taken;
}
