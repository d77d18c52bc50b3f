import { type Fullness, fullness } from '../base/fullness.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';
import type { BackpressureEvents } from './backpressure.js';
import type { Lifecycle } from './lifecycle.js';
import type { Subscription } from './subscription.js';

/** The parts of a gateway that publishers' waiting concerns. */
export interface HoldParts {
  readonly self: number;
  readonly router: Router;
  readonly exchange: Exchange<Topic>;
  readonly lifecycle: Lifecycle;
  /** Whoever is parked may try again. */
  relieve(): void;
}

/** Tells publishers, on this thread and on all others, whom of this gateway's they wait for. */
export class HoldAnnouncer implements BackpressureEvents {
  readonly #parts: HoldParts;

  constructor(parts: HoldParts) {
    this.#parts = parts;
  }

  onFullness(topic: Topic, state: Fullness): void {
    const { router, exchange, self } = this.#parts;
    router.holds.setFull(topic.text, self, state);
    exchange.announcer.announceFull(topic.text, state);
    if (state <= fullness.dropping) this.#parts.relieve();
  }

  onLagging(subject: string, lags: boolean): void {
    const { router, exchange, self } = this.#parts;
    router.holds.setLagging(subject, self, lags);
    exchange.announcer.announceLagging(subject, lags);
    if (!lags) this.#parts.relieve();
  }

  onGroupSpent(queue: string, spent: boolean): void {
    this.#parts.exchange.announcer.announceGroupSpent(queue, spent);
  }

  onSpent({ connection }: Subscription): void {
    this.#parts.lifecycle.stopBlocking(connection);
  }
}
