import { mixHash } from '../base/hash.js';
import type { MessageView } from '../base/messageView.js';
import { keyHashOf } from '../protocol/messageKey.js';
import { keyedSuffix } from '../router/queueNames.js';
import type { Topic, TopicPlan } from '../router/topic.js';
import type { Subscription } from './subscription.js';

/** The members of a queue group that this endpoint has, in turn. */
export class ClientQueue {
  readonly members: Subscription[] = [];
  /** Whether any member bounds what it has in hand. */
  bounded = false;
  readonly #keyed: boolean;
  #turn = 0;

  constructor(name: string) {
    this.#keyed = name.endsWith(keyedSuffix);
  }

  add(member: Subscription): void {
    this.members.push(member);
    if (member.prefetch > 0) this.bounded = true;
  }

  /** The member for a message: by its key in a key-ordered group, else in turn; null when all have ended, or are at their bound. */
  memberFor(message: MessageView, index: number): Subscription | null {
    const keyHash = this.#keyed ? keyHashOf(message, index) : -1;
    return keyHash < 0 ? this.next() : this.#ofKey(keyHash);
  }

  /** The member whose turn it is: one that has room, if there is any, else the one with the least to do that sets no bound. */
  next(): Subscription | null {
    let least: Subscription | null = null;
    for (let step = 0; step < this.members.length; step++) {
      this.#turn = (this.#turn + 1) % this.members.length;
      const member = this.members[this.#turn];
      if (member.ended) continue;
      if (member.prefetch > 0 ? member.workRoom !== 0 : !member.full) return member;
      if (member.prefetch === 0 && (least === null || member.load < least.load)) least = member;
    }
    return least;
  }

  /** By rendezvous hashing, so that a member that comes or goes moves no keys but its own: docs/decisions/0009. */
  #ofKey(keyHash: number): Subscription | null {
    const own = mixHash(keyHash ^ memberSalt);
    let best: Subscription | null = null;
    let bestWeight = -1;
    for (const member of this.members) {
      const weight = mixHash(own ^ Math.imul(member.number, 0x9e3779b1));
      if (member.ended || weight <= bestWeight) continue;
      best = member;
      bestWeight = weight;
    }
    return best;
  }
}

/** Apart from the hash by which the gateway was chosen. */
const memberSalt = 0x5bd1e995;

/** Which subscriptions of this endpoint take a topic. */
export class ClientPlan implements TopicPlan {
  readonly plain: Subscription[] = [];
  readonly queues = new Map<string, ClientQueue>();
  heldBytes = 256;

  constructor(topic: Topic) {
    for (const entry of topic.entries) {
      for (const local of entry.local) {
        const subscription = local as Subscription;
        if (subscription.image?.hides(topic)) continue;
        this.heldBytes += 16;
        if (subscription.queue === '') this.plain.push(subscription);
        else this.#queue(subscription.queue).add(subscription);
      }
    }
  }

  retire(): void {}

  #queue(name: string): ClientQueue {
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = new ClientQueue(name);
      this.queues.set(name, queue);
    }
    return queue;
  }
}
