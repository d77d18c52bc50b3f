import type { Subscription } from '../subscription.js';

/** Deliveries that one connection has to acknowledge. `Prefetching` alone changes it. */
export class Unacknowledged {
  /** By their numbers; null while there was none. */
  #subscriptions: Map<number, Subscription> | null = null;
  /** Members that have left their groups and answer yet for what they have; null while there was none. */
  #left: Set<Subscription> | null = null;
  /** The number used last. */
  #last = 0;

  /** Whether there ever was any. */
  get ever(): boolean {
    return this.#subscriptions !== null;
  }

  /** Numbers of those that are not acknowledged. */
  get deliveries(): Iterable<number> {
    return this.#subscriptions?.keys() ?? [];
  }

  get count(): number {
    return this.#subscriptions === null ? 0 : this.#subscriptions.size;
  }

  /** Gives a delivery to a subscription its number. */
  add(subscription: Subscription): number {
    this.#subscriptions ??= new Map();
    this.#subscriptions.set(++this.#last, subscription);
    return this.#last;
  }

  /** Whose delivery it is; null when there is none of that number. */
  find(delivery: number): Subscription | null {
    return this.#subscriptions?.get(delivery) ?? null;
  }

  /** A member has left its group, and answers yet for what it has. */
  leave(subscription: Subscription): void {
    this.#left ??= new Set();
    this.#left.add(subscription);
  }

  /** It has nothing any more. */
  forget(subscription: Subscription): void {
    this.#left?.delete(subscription);
  }

  /** Those that have left. */
  get left(): readonly Subscription[] {
    return this.#left === null ? [] : [...this.#left];
  }

  /** Whose delivery it was, that is acknowledged now; null when there is none of that number. */
  take(delivery: number): Subscription | null {
    const subscription = this.#subscriptions?.get(delivery);
    if (subscription === undefined) return null;
    this.#subscriptions?.delete(delivery);
    return subscription;
  }
}
