import type { Exchange } from '../exchange/exchange.js';
import type { Interest } from '../router/interest.js';
import { isSettled, mayLeaveGroup, type Orderly } from '../router/settling.js';
import type { Topic } from '../router/topic.js';
import type { ClientDelivery } from './clientDelivery.js';
import type { Subscription } from './subscription.js';

/** The subscriptions of a thread, from their beginning until what they had in flight is done, and whom something waits for. */
export class Roster {
  readonly #interest: Interest;
  readonly #exchange: Exchange<Topic>;
  readonly #delivery: ClientDelivery;
  readonly #begun = new Set<Subscription>();
  /** Members of groups that leave them, and what each waits for. */
  readonly #retiring = new Map<Subscription, Orderly>();
  /** Those that have ended with messages in flight. */
  readonly #leaving = new Set<Subscription>();
  /** Those that something waits for. */
  #awake: Subscription[] = [];
  readonly #onGone: (subscription: Subscription) => void;

  /** @param onGone is called when nothing can come to a subscription any more */
  constructor(
    interest: Interest,
    exchange: Exchange<Topic>,
    delivery: ClientDelivery,
    onGone: (subscription: Subscription) => void,
  ) {
    this.#interest = interest;
    this.#exchange = exchange;
    this.#delivery = delivery;
    this.#onGone = onGone;
  }

  /** Subscriptions that have begun and not ended. */
  get size(): number {
    return this.#begun.size;
  }

  /** Whether a member is about to leave its group. */
  get retires(): boolean {
    return this.#retiring.size > 0;
  }

  /** Whether something waits for anybody. */
  get anyAwake(): boolean {
    return this.#awake.length > 0;
  }

  add(subscription: Subscription): void {
    this.#begun.add(subscription);
    this.#interest.addLocal(subscription);
  }

  /** Takes a subscription's interest away; false while messages may still be on their way to it: then `left` is called when none is. */
  remove(subscription: Subscription): boolean {
    const { reading } = this.#delivery;
    // what was put in order before is still its own, unless that is just being delivered
    if (!reading) this.#exchange.drainDeliveries();
    if (subscription.queue === '' || subscription.prefetch > 0) {
      this.#forget(subscription);
      return true;
    }
    const party = { unsequenced: false, sequencedMarks: null, deliveriesAsked: 0, fenced: false };
    if (!reading && this.#leavesGroup(subscription, party)) return true;
    this.#retiring.set(subscription, party);
    return false;
  }

  /** Takes out of their groups those to whom nothing is on its way any more. */
  retire(): void {
    for (const [subscription, party] of this.#retiring) {
      if (!this.#leavesGroup(subscription, party)) continue;
      this.#retiring.delete(subscription);
      subscription.left();
    }
  }

  /** Ends those that are named. */
  end(isNamed: (subscription: Subscription) => boolean): void {
    for (const subscription of [...this.#begun]) if (isNamed(subscription)) subscription.end();
  }

  /** The thread leaves: nobody is left to wait for what is on its way, nor to hear handlers that are still at work. */
  abandon(): void {
    for (const subscription of this.#retiring.keys()) {
      this.#forget(subscription);
      subscription.left();
    }
    this.#retiring.clear();
    for (const subscription of this.consuming()) if (subscription.prefetch > 0) subscription.discard();
  }

  /** Something waits for a subscription; returns whether nothing did before. */
  wake(subscription: Subscription): boolean {
    if (subscription.awake) return false;
    subscription.awake = true;
    this.#awake.push(subscription);
    return true;
  }

  /** Lets consumers take what waits for them, outside of all reading. */
  dispatch(): void {
    const awake = this.#awake;
    if (awake.length === 0) return;
    this.#awake = [];
    for (const subscription of awake) {
      subscription.awake = false;
      subscription.consumer?.work();
      subscription.tellDrops();
    }
  }

  /** Subscriptions that may have messages in flight, ended ones among them. */
  *consuming(): Iterable<Subscription> {
    yield* this.#begun;
    yield* this.#leaving;
  }

  /** Forgets those that ended and have given everything up since. */
  sweep(): void {
    for (const left of this.#leaving) if (left.consumer?.idle !== false) this.#leaving.delete(left);
  }

  /** Takes a member out of its group, if all that was on its way to it has come. */
  #leavesGroup(subscription: Subscription, party: Orderly): boolean {
    if (!isSettled(party, this.#exchange) || !mayLeaveGroup(party, subscription, this.#interest, this.#exchange))
      return false;
    this.#forget(subscription);
    return true;
  }

  #forget(subscription: Subscription): void {
    this.#begun.delete(subscription);
    if (subscription.consumer?.idle === false) this.#leaving.add(subscription);
    this.#onGone(subscription);
    this.#delivery.images.cancel(subscription);
    this.#interest.removeLocal(subscription);
  }
}
