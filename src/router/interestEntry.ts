import { type Demand, demand } from '../base/demand.js';
import { cost } from '../base/work.js';
import type { QueueInterest } from './queueInterest.js';

/** A subscription of this thread's gateway, as far as routing needs to know it. */
export interface LocalSubscription {
  /** Whose it is, where one may have several to a subject. */
  readonly connection?: object;
  /** Whose subject it is: the main account's when missing. */
  readonly account?: number;
  /** From `addLocal` on the text is that of its entry, so that it lies in memory once; its queue's, too. */
  subject: string;
  /** Name of its queue group, or '' when it is plain. */
  queue: string;
  /** Memory that it takes beside these, in bytes. */
  readonly heldBytes: number;
  /** Whether it chose to lose messages rather than have publishers wait for its thread. */
  readonly lossy: boolean;
  /** Of a group's member: how many more messages it takes now; undefined for one that takes all that comes. */
  readonly workRoom?: number | undefined;
  /** Where it stands in its entry's list; kept by `Interest`. */
  index: number;
  /** Whether its group does not count it any more, though it still takes what was sequenced before: see `retireLocal`. */
  retired: boolean;
  /** Of a group's member: the members on its subject; kept by `Interest`. */
  part?: QueueInterest | null;
}

/** Who wants one subscription subject. */
export class InterestEntry {
  readonly account: number;
  readonly subject: string;
  readonly wildcard: boolean;
  /** Changes with every change of the entry, and is never used twice. */
  version = 0;
  /** Gateways with a plain subscription. */
  readonly gateways: number[] = [];
  /** Those of them all of whose plain subscriptions can do without some messages. */
  readonly lossyGateways: number[] = [];
  queues: Map<string, QueueInterest> | null = null;
  /** Subscriptions of this thread's gateway, plain and queue. */
  readonly local: LocalSubscription[] = [];
  localPlain = 0;
  /** How many of them there were when the others were last told what a message costs here, about; 0 while they are few. */
  crowdSize = 0;
  /** What a message costs each gateway, about, in units of `Work`; missing and 0 where they are few. */
  crowds: number[] | null = null;
  /** Gateways at which somebody takes it who has named a subject that it takes as a reply. */
  readonly inboxes: number[] = [];
  /** Those of the plain ones that have to get everything. */
  localLossless = 0;

  constructor(account: number, subject: string, wildcard: boolean) {
    this.account = account;
    this.subject = subject;
    this.wildcard = wildcard;
  }

  /** What this thread's plain subscriptions ask for. */
  get localDemand(): Demand {
    if (this.localPlain === 0) return demand.none;
    return this.localLossless > 0 ? demand.all : demand.some;
  }

  /** What a short message costs at a gateway with plain subscriptions, about, in units of `Work`. */
  unitsAt(gateway: number): number {
    return this.crowds?.[gateway] || cost.crowdDelivery;
  }

  /** The same, added up, of this thread's gateway. */
  countUnits(): number {
    const takers = new Set<object>();
    let plain = 0;
    for (const one of this.local) {
      if (one.queue !== '') continue;
      plain++;
      takers.add(one.connection ?? one);
    }
    return plain * cost.crowdDelivery + (plain - takers.size) * cost.head;
  }

  /** Whether a gateway has members of any group. */
  hasMembers(gateway: number): boolean {
    for (const part of this.queues?.values() ?? []) if (part.members(gateway) !== 0) return true;
    return false;
  }

  get empty(): boolean {
    return this.gateways.length === 0 && this.queues === null && this.local.length === 0;
  }
}
