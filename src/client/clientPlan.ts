import { assert } from '../base/assert.js';
import type { MessageView } from '../base/messageView.js';
import { keyedSuffix } from '../router/queueNames.js';
import type { Rights } from '../router/rights.js';
import type { Topic, TopicPlan } from '../router/topic.js';
import { Group } from '../subscriber/group.js';
import { Subscription } from './subscription.js';

/** Which subscriptions of this endpoint take a topic. */
export class ClientPlan implements TopicPlan {
  readonly plain: Subscription[] = [];
  readonly queues = new Map<string, Group<Subscription>>();
  heldBytes = 256;
  readonly units = 0;
  /** Whether subscribers have no right to the topic's messages. */
  readonly denied: boolean;

  constructor(topic: Topic, rights: Rights | null) {
    this.denied = rights?.mayReceive(topic.text) === false;
    if (this.denied) return;
    for (const entry of topic.entries) {
      for (const local of entry.local) {
        const subscription = Subscription.of(local);
        if (subscription.image?.hides(topic)) continue;
        this.heldBytes += 16;
        if (subscription.queue === '') this.plain.push(subscription);
        else this.#queue(subscription.queue).join(subscription);
      }
    }
  }

  /** What is kept with a topic; only the endpoint keeps plans there. */
  static of({ plan }: Topic): ClientPlan | null {
    assert(plan === null || plan instanceof ClientPlan, "a topic's plan is its endpoint's");
    return plan;
  }

  retire(): void {}

  #queue(name: string): Group<Subscription> {
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = new Group<Subscription>(name.endsWith(keyedSuffix));
      this.queues.set(name, queue);
    }
    return queue;
  }
}

/** The member of a group for a message; null when all have ended, or are at their bound. */
export function memberFor(group: Group<Subscription>, message: MessageView, index: number): Subscription | null {
  const member = group.memberFor(message, index);
  return member < 0 ? null : group.members[member];
}
