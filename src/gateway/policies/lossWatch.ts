import { lossWarnRatio } from '../../base/limits.js';
import type { Subscription } from '../subscription.js';

/** What a subscription lost and got in a window that began with a loss. */
interface Window {
  readonly startMs: number;
  dropped: number;
  /** The subscription's own count at the beginning; negative until it is known. */
  deliveredBefore: number;
}

/** Told of a subscription that loses more than a few of its messages, once a window. */
export type OnLosing = (subscription: Subscription, dropped: number, delivered: number) => void;

/** Notices who keeps losing messages, so that the log says it once in a while and not once a message. */
export class LossWatch {
  /** How long a window is, in milliseconds. */
  windowMs: number;
  readonly #windows = new Map<Subscription, Window>();
  readonly #settle: () => void;
  readonly #onLosing: OnLosing;

  /** @param settle has every subscription's count of deliveries brought up to date */
  constructor(windowMs: number, settle: () => void, onLosing: OnLosing) {
    this.windowMs = windowMs;
    this.#settle = settle;
    this.#onLosing = onLosing;
  }

  /** Subscriptions that lost something lately. */
  get size(): number {
    return this.#windows.size;
  }

  /** The subscription has lost messages. */
  note(subscription: Subscription, dropped: number, nowMs: number): void {
    const window = this.#windows.get(subscription);
    if (window === undefined) this.#windows.set(subscription, { startMs: nowMs, dropped, deliveredBefore: -1 });
    else window.dropped += dropped;
  }

  /** Looks at the windows that have begun or are over. Called now and then. */
  review(nowMs: number): void {
    let settled = false;
    for (const [subscription, window] of this.#windows) {
      const over = nowMs - window.startMs >= this.windowMs;
      if (window.deliveredBefore >= 0 && !over) continue;
      if (!settled) this.#settle();
      settled = true;
      if (window.deliveredBefore < 0) window.deliveredBefore = subscription.delivered;
      if (over) this.#end(subscription, window);
    }
  }

  /** The subscription has ended. */
  forget(subscription: Subscription): void {
    this.#windows.delete(subscription);
  }

  #end(subscription: Subscription, { dropped, deliveredBefore }: Window): void {
    this.#windows.delete(subscription);
    const delivered = subscription.delivered - deliveredBefore;
    if (dropped > lossWarnRatio * (dropped + delivered)) this.#onLosing(subscription, dropped, delivered);
  }
}
