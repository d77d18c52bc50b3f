import { type Fullness, fullness } from '../base/fullness.js';
import { stallMs } from '../base/limits.js';
import type { Topic } from '../router/topic.js';
import type { Connection } from './connection.js';
import type { FanoutPlan } from './fanoutPlan.js';
import type { WaitingWork } from './prefetch/waitingWork.js';
import type { Subscription } from './subscription.js';

/** Told how this gateway's subscribers of a subject are, whenever that has changed. */
export type AnnounceFull = (topic: Topic, state: Fullness) => void;

/** An endpoint of the user's whose thread is elsewhere. */
export interface AwayEndpoint {
  readonly endpoint: number;
}

/** Who holds topics up: a subscription that has to get everything, a group with too much work waiting, a thread elsewhere. */
export type Holder = Subscription | WaitingWork | AwayEndpoint;

/** A topic that is held up. */
interface BlockedTopic {
  readonly topic: Topic;
  readonly by: Set<Holder>;
}

/**
 * Decides when a topic's publishers wait: when every subscriber of it is full and still takes something, or when one of them
 * asked to be waited for. Otherwise one that keeps up is enough to go on at its pace; one that has stopped is not waited for, it
 * runs into its own bound.
 */
export class Backpressure {
  readonly #full = new Set<Connection>();
  /** Topics all of whose subscribers here are full, by subject. */
  readonly #announced = new Map<string, Topic>();
  readonly #blocked = new Map<string, BlockedTopic>();
  /** Which subjects each of them holds up. */
  readonly #blocking = new Map<Holder, Set<string>>();
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
    if (!this.#blocked.has(topic.text)) this.#announce(topic, fullness.full);
  }

  /** Looks again at what was announced, when a connection has become ready, or time has passed. */
  review(nowMs: number, timePassed: boolean): void {
    if (this.#announced.size === 0 || !(this.#stale || timePassed)) return;
    this.#stale = false;
    for (const [subject, topic] of this.#announced) {
      if (topic.live && topic.plan !== null && this.#isFull(topic.plan as FanoutPlan, nowMs)) continue;
      this.#announced.delete(subject);
      if (!this.#blocked.has(subject)) this.#announce(topic, fullness.ready);
    }
  }

  /** Too much of a topic waits for one that has to get everything: the topic's publishers wait for it. */
  block(topic: Topic, holder: Holder): void {
    let subjects = this.#blocking.get(holder);
    if (subjects === undefined) {
      subjects = new Set();
      this.#blocking.set(holder, subjects);
    }
    if (subjects.has(topic.text)) return;
    subjects.add(topic.text);
    const blocked = this.#blocked.get(topic.text);
    if (blocked !== undefined) {
      blocked.by.add(holder);
      return;
    }
    this.#blocked.set(topic.text, { topic, by: new Set([holder]) });
    this.#announce(topic, fullness.blocked);
  }

  /** It has taken enough, or is gone: nobody waits for it any more. */
  unblock(holder: Holder): void {
    const subjects = this.#blocking.get(holder);
    if (subjects === undefined) return;
    this.#blocking.delete(holder);
    for (const subject of subjects) {
      const { topic, by } = this.#blocked.get(subject) as BlockedTopic;
      by.delete(holder);
      if (by.size > 0) continue;
      this.#blocked.delete(subject);
      this.#announce(topic, this.#announced.has(subject) ? fullness.full : fullness.ready);
    }
  }

  /** Whether anything waits for time to pass. */
  get waiting(): boolean {
    return this.#announced.size !== 0;
  }

  /** Topics that are held up, because all subscribers are full or because some asked to be waited for. */
  get heldTopics(): number {
    return this.#announced.size + this.#blocked.size;
  }

  #isFull(plan: FanoutPlan, nowMs: number): boolean {
    const waitable = (connection: Connection) =>
      connection.full && connection.state === 'open' && nowMs - connection.progressMs < stallMs;
    return (
      plan.limited.length === 0 &&
      plan.policed.length === 0 &&
      plan.waiting === 0 &&
      plan.entries.every((entry) => entry.audience.members.every(waitable)) &&
      [...plan.queues.values()].every((queue) => queue.members.every((member) => waitable(member.connection)))
    );
  }
}
