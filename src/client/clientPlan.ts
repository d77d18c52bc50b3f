import type { Topic, TopicPlan } from '../router/topic.js';
import type { Subscription } from './subscription.js';

/** The members of a queue group that this endpoint has, in turn. */
export class ClientQueue {
  readonly members: Subscription[] = [];
  #turn = 0;

  /** The member whose turn it is: one that has room, if there is any, else the one with the least to do; null when all ended. */
  next(): Subscription | null {
    let least: Subscription | null = null;
    for (let step = 0; step < this.members.length; step++) {
      this.#turn = (this.#turn + 1) % this.members.length;
      const member = this.members[this.#turn];
      if (member.ended) continue;
      if (!member.full && (member.prefetch === 0 || member.load < member.prefetch)) return member;
      if (least === null || member.load < least.load) least = member;
    }
    return least;
  }
}

/** Which subscriptions of this endpoint take a topic. */
export class ClientPlan implements TopicPlan {
  readonly plain: Subscription[] = [];
  readonly queues = new Map<string, ClientQueue>();

  constructor(topic: Topic) {
    for (const entry of topic.entries) {
      for (const local of entry.local) {
        const subscription = local as Subscription;
        if (subscription.queue === '') this.plain.push(subscription);
        else this.#queue(subscription.queue).members.push(subscription);
      }
    }
  }

  retire(): void {}

  #queue(name: string): ClientQueue {
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = new ClientQueue();
      this.queues.set(name, queue);
    }
    return queue;
  }
}
