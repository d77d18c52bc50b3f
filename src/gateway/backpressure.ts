import { stallMs } from '../base/limits.js';
import type { Topic } from '../router/topic.js';
import type { Connection } from './connection.js';
import type { FanoutPlan } from './fanoutPlan.js';

/** Told when all of this gateway's subscribers of a subject have become full, or one of them is ready. */
export type AnnounceFull = (topic: Topic, full: boolean) => void;

/**
 * Decides when a topic's publishers wait: when every subscriber of it is full and still takes something. One that keeps
 * up is enough to go on at its pace; one that has stopped is not waited for, it runs into its own bound.
 */
export class Backpressure {
  readonly #full = new Set<Connection>();
  /** Topics announced as full, by subject. */
  readonly #announced = new Map<string, Topic>();
  readonly #announce: AnnounceFull;
  #stale = false;

  constructor(announce: AnnounceFull) {
    this.#announce = announce;
  }

  /** Whether there is any full connection: while there is none, deliveries need not be looked at. */
  get any(): boolean {
    return this.#full.size !== 0;
  }

  /** A connection has become full, ready, or is gone. */
  note(connection: Connection): void {
    if (connection.full && connection.state === 'open') this.#full.add(connection);
    else if (this.#full.delete(connection)) this.#stale = true;
  }

  /** A message of the topic was delivered while some connection is full. */
  afterDelivery(topic: Topic, plan: FanoutPlan, nowMs: number): void {
    if (this.#announced.has(topic.text) || !this.#isFull(plan, nowMs)) return;
    this.#announced.set(topic.text, topic);
    this.#announce(topic, true);
  }

  /** Looks again at what was announced, when a connection has become ready, or time has passed. */
  review(nowMs: number, timePassed: boolean): void {
    if (this.#announced.size === 0 || !(this.#stale || timePassed)) return;
    this.#stale = false;
    for (const [subject, topic] of this.#announced) {
      if (topic.live && topic.plan !== null && this.#isFull(topic.plan as FanoutPlan, nowMs)) continue;
      this.#announced.delete(subject);
      this.#announce(topic, false);
    }
  }

  /** Whether anything waits for time to pass. */
  get waiting(): boolean {
    return this.#announced.size !== 0;
  }

  #isFull(plan: FanoutPlan, nowMs: number): boolean {
    const waitable = (connection: Connection) =>
      connection.full && connection.state === 'open' && nowMs - connection.progressMs < stallMs;
    return (
      plan.limited.length === 0 &&
      plan.policed.length === 0 &&
      plan.entries.every((entry) => entry.audience.members.every(waitable)) &&
      [...plan.queues.values()].every((queue) => queue.members.every((member) => waitable(member.connection)))
    );
  }
}
