import type { Role } from '../base/role.js';
import type { Turn } from '../base/turn.js';
import type { Work } from '../base/work.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Topic } from '../router/topic.js';
import type { Backpressure } from './backpressure.js';
import type { Delivery } from './delivery.js';
import type { Egress } from './egress.js';
import type { GatewayLetters } from './policies/backlogLetters.js';
import type { Policing } from './policies/policing.js';
import type { Subscriptions } from './subscriptions.js';

/** The parts of a gateway that have something to tell other threads at the end of a turn. */
export interface PublishingParts {
  readonly subscriptions: Subscriptions;
  readonly work: Work;
  readonly backpressure: Backpressure;
  readonly egress: Egress;
  readonly policing: Policing;
  readonly delivery: Delivery;
  readonly letters: GatewayLetters;
  readonly exchange: Exchange<Topic>;
  readonly turn: Turn;
}

/** The part of a turn in which what it has caused is made visible to other threads: before clients can see it. */
export class Publishing implements Role {
  readonly #parts: PublishingParts;

  constructor(parts: PublishingParts) {
    this.#parts = parts;
  }

  doWork(): boolean {
    const { subscriptions, work, backpressure, egress, policing, delivery, letters, exchange, turn } = this.#parts;
    if (subscriptions.doWork()) turn.request();
    work.nextTurn();
    backpressure.review(egress.nowMs);
    policing.doWork();
    delivery.prefetching.doWork();
    if (letters.any && letters.doWork()) turn.request();
    exchange.publish();
    return false;
  }
}
