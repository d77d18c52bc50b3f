import type { PlanEntry } from './fanoutPlan.js';

/**
 * Entries of plans that have delivered something which their subscriptions' own counts do not have yet: so many as have delivered since
 * the counts were last asked for, and not all that there are.
 */
export class Unsettled {
  readonly #entries: PlanEntry[] = [];

  add(entry: PlanEntry): void {
    entry.unsettled = this;
    entry.unsettledAt = this.#entries.length;
    this.#entries.push(entry);
  }

  remove(entry: PlanEntry): void {
    const last = this.#entries.pop() as PlanEntry;
    entry.unsettled = null;
    if (last === entry) return;
    last.unsettledAt = entry.unsettledAt;
    this.#entries[entry.unsettledAt] = last;
  }

  /** Brings all subscriptions' counts up to date; returns what that cost, in subscriptions looked at. */
  settle(): number {
    let subscriptions = 0;
    for (let entry = this.#entries.at(-1); entry !== undefined; entry = this.#entries.at(-1)) {
      subscriptions += entry.subscriptions.length;
      entry.settle();
    }
    return subscriptions;
  }
}
