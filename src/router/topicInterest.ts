import { homeAmong } from './inboxes.js';
import type { InterestEntry } from './interestEntry.js';
import type { QueueInterest } from './queueInterest.js';
import { noHome } from './topic.js';

/** What follows from the entries that take a topic: gathered entry by entry, or put together of what follows from parts of them. */
export class TopicInterest {
  readonly entries: InterestEntry[] = [];
  /** For which versions of the entries it holds. */
  readonly versions: number[] = [];
  /** Gateways with plain subscriptions. */
  readonly gateways: number[] = [];
  /** The gateway that awaits answers there. */
  home = noHome;
  /** Groups, by the subjects to which their members subscribe. */
  readonly queues: QueueInterest[] = [];

  /** @param prefixLength of the topic's subject without its last token */
  add(entry: InterestEntry, prefixLength: number): void {
    this.entries.push(entry);
    this.versions.push(entry.version);
    this.#addGateways(entry.gateways);
    this.#addHome(homeAmong(entry, prefixLength));
    if (entry.queues !== null) for (const queue of entry.queues.values()) this.queues.push(queue);
  }

  join(part: TopicInterest): void {
    for (let i = 0; i < part.entries.length; i++) {
      this.entries.push(part.entries[i]);
      this.versions.push(part.versions[i]);
    }
    this.#addGateways(part.gateways);
    this.#addHome(part.home);
    for (const queue of part.queues) this.queues.push(queue);
  }

  #addGateways(gateways: readonly number[]): void {
    for (let i = 0; i < gateways.length; i++) if (!this.gateways.includes(gateways[i])) this.gateways.push(gateways[i]);
  }

  #addHome(home: number): void {
    if (home !== noHome && (this.home === noHome || home < this.home)) this.home = home;
  }
}

/** How long a subject is without its last token. */
export function prefixLengthOf(subject: string): number {
  return subject.lastIndexOf('.') + 1;
}
