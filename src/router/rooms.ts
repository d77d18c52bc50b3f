import type { Interest } from './interest.js';
import type { LocalSubscription } from './interestEntry.js';
import type { QueueInterest } from './queueInterest.js';
import type { Topic } from './topic.js';

/**
 * Has the shards know for how many messages the members of this gateway have room, in groups whose members bound what they have in
 * flight. It is told anew once as many messages came as were told of, so that what is told seldom counts a message that is already
 * under way, and costs one record for as many messages as the members may have in flight.
 */
export class Rooms {
  readonly #interest: Interest;
  /** Those of which something came or was acknowledged. */
  readonly #news = new Set<QueueInterest>();

  constructor(interest: Interest) {
    this.#interest = interest;
  }

  /** Whether there may be something to tell. */
  get any(): boolean {
    return this.#news.size > 0;
  }

  /** A message has come for a member of a group. */
  came(topic: Topic, queue: string): void {
    for (const entry of topic.entries) {
      const part = entry.queues?.get(queue);
      if (part === undefined) continue;
      part.came++;
      this.#news.add(part);
    }
  }

  /** A message has found no member with room: who sent it must know before it is given back. */
  refused(topic: Topic, queue: string): void {
    for (const entry of topic.entries) {
      const part = entry.queues?.get(queue);
      if (part !== undefined && part.told > 0) this.#interest.tellRoom(part);
    }
  }

  /** A member's room has changed. */
  changed({ part }: LocalSubscription): void {
    if (part) this.#news.add(part);
  }

  /** A member's bound itself has changed, for which what was told no longer holds. */
  rebounded({ part }: LocalSubscription): void {
    if (part) this.#interest.tellRoom(part);
  }

  /** Tells what is to be told; at the end of a turn. */
  tell(): void {
    for (const part of this.#news) if (part.came >= part.told && part.localRoom > 0) this.#interest.tellRoom(part);
    this.#news.clear();
  }
}
