import { lossWarnRatio } from './limits.js';

/** A subscription, as far as its losses are concerned. */
interface Losing {
  /** Messages that it got. */
  readonly delivered: number;
}

/** What a subscription lost and got in a window that began with a loss. */
interface Window {
  readonly startMs: number;
  dropped: number;
  /** The subscription's own count at the beginning; negative until it is known. */
  deliveredBefore: number;
}

/** Told of a subscription that loses more than a few of its messages, once a window. */
export type OnLosing<S> = (subscription: S, dropped: number, delivered: number) => void;

/** Notices who keeps losing messages, so that the log says it once in a while and not once a message. */
export class LossWatch<S extends Losing> {
  /** How long a window is, in milliseconds. */
  windowMs: number;
  readonly #windows = new Map<S, Window>();
  readonly #settle: () => void;
  readonly #onLosing: OnLosing<S>;

  /** @param settle has every subscription's count of deliveries brought up to date */
  constructor(windowMs: number, settle: () => void, onLosing: OnLosing<S>) {
    this.windowMs = windowMs;
    this.#settle = settle;
    this.#onLosing = onLosing;
  }

  /** Subscriptions that lost something lately. */
  get size(): number {
    return this.#windows.size;
  }

  /** The subscription has lost messages. */
  note(subscription: S, dropped: number, nowMs: number): void {
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
  forget(subscription: S): void {
    this.#windows.delete(subscription);
  }

  #end(subscription: S, { dropped, deliveredBefore }: Window): void {
    this.#windows.delete(subscription);
    const delivered = subscription.delivered - deliveredBefore;
    if (dropped > lossWarnRatio * (dropped + delivered)) this.#onLosing(subscription, dropped, delivered);
  }
}
