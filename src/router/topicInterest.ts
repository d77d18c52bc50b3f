import { crowdDeliveriesMin } from '../base/limits.js';
import { cost } from '../base/work.js';
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
  /** What a short message costs at each of them, about, in units of `Work`. */
  readonly units: number[] = [];
  /** The gateway that awaits answers there. */
  home = noHome;
  /** Groups, by the subjects to which their members subscribe. */
  readonly queues: QueueInterest[] = [];

  /** @param prefixLength of the topic's subject without its last token */
  add(entry: InterestEntry, prefixLength: number): void {
    this.entries.push(entry);
    this.versions.push(entry.version);
    for (const gateway of entry.gateways) this.#addGateway(gateway, entry.unitsAt(gateway));
    this.#addHome(homeAmong(entry, prefixLength));
    if (entry.queues !== null) for (const queue of entry.queues.values()) this.queues.push(queue);
  }

  join(part: TopicInterest): void {
    for (let i = 0; i < part.entries.length; i++) {
      this.entries.push(part.entries[i]);
      this.versions.push(part.versions[i]);
    }
    for (const [i, gateway] of part.gateways.entries()) this.#addGateway(gateway, part.units[i]);
    this.#addHome(part.home);
    for (const queue of part.queues) this.queues.push(queue);
  }

  /** What a message costs the dearest thread, where it is for very many, or for very many groups; 0 elsewhere. */
  get crowdUnits(): number {
    const units = Math.max(this.queues.length * cost.queueMessage, ...this.units);
    return units < crowdDeliveriesMin * cost.crowdDelivery ? 0 : units;
  }

  #addGateway(gateway: number, units: number): void {
    const at = this.gateways.indexOf(gateway);
    if (at >= 0) {
      this.units[at] += units;
      return;
    }
    this.gateways.push(gateway);
    this.units.push(units);
  }

  #addHome(home: number): void {
    if (home !== noHome && (this.home === noHome || home < this.home)) this.home = home;
  }
}

/** How long a subject is without its last token. */
export function prefixLengthOf(subject: string): number {
  return subject.lastIndexOf('.') + 1;
}
