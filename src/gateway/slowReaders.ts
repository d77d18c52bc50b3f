import type { Turn } from '../base/turn.js';
import type { Topic } from '../router/topic.js';
import type { Backpressure } from './backpressure.js';
import type { Connection } from './connection.js';
import type { Egress, EgressEvents } from './egress.js';
import type { Lifecycle } from './lifecycle.js';
import type { Policing, PolicingEvents } from './policies/policing.js';
import type { Subscription } from './subscription.js';
import type { Subscriptions } from './subscriptions.js';

/** The parts of a gateway that slow readers concern. */
export interface SlowReaderParts {
  readonly egress: Egress;
  readonly lifecycle: Lifecycle;
  readonly policing: Policing;
  readonly backpressure: Backpressure;
  readonly subscriptions: Subscriptions;
  readonly turn: Turn;
}

/** What follows when a connection takes less than it is sent, or takes it after all: who is told, who waits, who is ended. */
export class SlowReaders implements EgressEvents, PolicingEvents {
  readonly #parts: SlowReaderParts;

  constructor(parts: SlowReaderParts) {
    this.#parts = parts;
  }

  onOverflow(connection: Connection): void {
    this.#parts.lifecycle.endSlow(connection);
  }

  onFullness(connection: Connection): void {
    this.#parts.backpressure.note(connection, this.#parts.egress.nowMs);
    this.#parts.turn.request();
  }

  onBehind(connection: Connection): void {
    this.#parts.policing.onBehind(connection);
  }

  onOwed(): void {
    this.#parts.turn.request();
  }

  onTaken(connection: Connection): void {
    if (connection.backlogs.slowPath.lagging) this.#parts.policing.onTaken(connection);
    this.#parts.turn.request();
  }

  onDrained(connection: Connection): void {
    connection.socket.end();
  }

  onLostTooMuch(connection: Connection): void {
    this.#parts.lifecycle.endSlow(connection);
  }

  onTooMuch(topic: Topic, subscription: Subscription): void {
    this.#parts.backpressure.block(topic, subscription);
  }

  onEnoughTaken(subscription: Subscription): void {
    this.#parts.backpressure.unblock(subscription);
  }

  onLastMessage(subscription: Subscription): void {
    this.#parts.subscriptions.end(subscription);
  }

  onWork(): void {
    this.#parts.turn.request();
  }
}
