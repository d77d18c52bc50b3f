import { mainAccount } from '../base/account.js';
import { type Fullness, fullness } from '../base/fullness.js';
import { healthTickMs, holdReviewMs } from '../base/limits.js';
import type { Topic } from '../router/topic.js';
import type { Connection } from './connection.js';
import { FanoutPlan } from './fanoutPlan.js';
import { Laggards } from './laggards.js';
import { SpentGroups } from './spentGroups.js';
import type { Subscription } from './subscription.js';

/** An endpoint of the user's whose thread is elsewhere. */
export interface AwayEndpoint {
  readonly endpoint: number;
}

/** A journal of this thread's shard that has much to write yet. */
export interface JournalBehind {
  readonly journal: string;
}

/** A queue group, on this thread's shard, with more work waiting than may. */
export interface WaitingWork {
  readonly queue: string;
  /** Whether some member is a thread of the process itself. */
  readonly inProcess: boolean;
  /** Whether so much waits that even those are refused that have some of it in flight. */
  readonly overworked: boolean;
}

/** Who holds topics up on behalf of a client: a subscription that has to get everything, a group with too much work waiting. */
export type ClientHolder = Subscription | WaitingWork;
export type Holder = ClientHolder | AwayEndpoint | JournalBehind;

/** What publishers on all threads are told. */
export interface BackpressureEvents {
  /** How this gateway's subscribers of a topic are, whenever that has changed. */
  onFullness(topic: Topic, state: Fullness): void;
  onLagging(subject: string, lags: boolean): void;
  /** A subscription that has to get everything is waited for no longer. */
  onSpent(subscription: Subscription): void;
  /** A group is waited for no longer on this shard, or may be again. */
  onGroupSpent(queue: string, spent: boolean): void;
}

/** A topic that is held up. */
interface BlockedTopic {
  readonly topic: Topic;
  readonly by: Set<Holder>;
}

/**
 * Says when a topic's publishers wait for subscribers of this gateway: when every one of them is full and still takes something, when
 * one of them lags, or asked to be waited for. How long they then wait is decided where they are, by `Holds`.
 */
export class Backpressure {
  readonly #events: BackpressureEvents;
  readonly #laggards: Laggards;
  readonly #full = new Set<Connection>();
  /** Topics all of whose subscribers here are full, by subject. */
  readonly #announced = new Map<string, Topic>();
  readonly #blocked = new Map<string, BlockedTopic>();
  /** Which subjects each of them holds up. */
  readonly #blocking = new Map<Holder, Set<string>>();
  /** Groups that are waited for no longer, until they have taken enough. */
  readonly #spent = new Set<Holder>();
  /** The same of other shards. */
  readonly #spentElsewhere = new SpentGroups();
  /** Whether publishers wait for connections that did not ask for it. */
  #stalls = true;
  #stale = false;
  #nextReviewMs = 0;
  #nextPassMs = 0;

  constructor(events: BackpressureEvents) {
    this.#events = events;
    this.#laggards = new Laggards((subject, lags) => events.onLagging(subject, lags));
  }

  /** Whether there is any connection to be waited for: while there is none, deliveries need not be looked at. */
  get any(): boolean {
    return this.#full.size !== 0 || this.#laggards.any;
  }

  /** Sets whether publishers wait for connections that are behind. */
  setStalls(stalls: boolean): void {
    this.#stalls = stalls;
    if (stalls) return;
    this.#full.clear();
    this.#laggards.clear();
    this.#stale = true;
  }

  /** A connection has become full, lags, is ready, or is gone. */
  note(connection: Connection, nowMs: number): void {
    // nobody is waited for in another account: who is slow there is ended
    if (!this.#stalls || connection.account !== mainAccount) return;
    this.#laggards.note(connection, nowMs);
    if (connection.lag.full && connection.state === 'open') this.#full.add(connection);
    else if (this.#full.delete(connection)) this.#stale = true;
  }

  /** A message of the topic was delivered while some connection is full. */
  afterDelivery(topic: Topic, plan: FanoutPlan, nowMs: number): void {
    if (topic.account !== mainAccount) return;
    if (this.#laggards.any) this.#laggards.afterDelivery(topic, plan, nowMs);
    if (this.#announced.has(topic.text) || !this.#isFull(plan, nowMs)) return;
    this.#change(topic, () => this.#announced.set(topic.text, topic));
    for (const connection of this.#full) connection.lag.noteWaited(nowMs);
  }

  /** Looks again at what was announced: when a connection has become ready or has taken nothing for too long, and now and then. */
  review(nowMs: number): void {
    if (nowMs >= this.#nextReviewMs) {
      this.#nextReviewMs = nowMs + holdReviewMs;
      this.#laggards.review(nowMs);
      if (this.#announced.size > 0) this.#lookAtFull(nowMs);
    }
    if (nowMs >= this.#nextPassMs) this.#stale = true;
    if (this.#announced.size === 0 || !this.#stale) return;
    this.#stale = false;
    this.#nextPassMs = nowMs + healthTickMs;
    for (const [subject, topic] of this.#announced) {
      const plan = topic.live ? FanoutPlan.of(topic) : null;
      if (plan !== null && this.#isFull(plan, nowMs)) continue;
      this.#change(topic, () => this.#announced.delete(subject));
    }
  }

  /** Too much of a topic waits for one that has to get everything; returns whether the topic's publishers wait for it. */
  block(topic: Topic, holder: Holder): boolean {
    let subjects = this.#blocking.get(holder);
    if (subjects === undefined) {
      subjects = new Set();
      this.#blocking.set(holder, subjects);
    }
    if (!subjects.has(topic.text)) {
      subjects.add(topic.text);
      this.#change(topic, () => this.#blockedTopic(topic).by.add(holder));
    }
    return !this.#isSpent(holder);
  }

  /** It has taken enough, or is gone: nobody waits for it any more. */
  unblock(holder: Holder): void {
    if (this.#spent.delete(holder) && isGroup(holder)) this.#events.onGroupSpent(holder.queue, false);
    const subjects = this.#blocking.get(holder);
    if (subjects === undefined) return;
    this.#blocking.delete(holder);
    for (const subject of subjects) {
      const { topic, by } = this.#blocked.get(subject) as BlockedTopic;
      this.#change(topic, () => {
        by.delete(holder);
        if (by.size === 0) this.#blocked.delete(subject);
      });
    }
  }

  /** Publishers of a topic have waited as long as they may: who blocks it on behalf of clients is waited for no longer. */
  spend(subject: string): void {
    for (const holder of [...(this.#blocked.get(subject)?.by ?? [])]) {
      if (isGroup(holder)) this.#spendGroup(holder);
      else if ('connection' in holder) this.#events.onSpent(holder);
    }
  }

  /** Another shard waits no longer for a group, or may again: so it is here, too. */
  onGroupSpent(shard: number, queue: string, spent: boolean): void {
    const works = [...this.#blocking.keys()].filter((holder) => isGroup(holder) && holder.queue === queue);
    const set = () => this.#spentElsewhere.set(shard, queue, spent);
    // a shard has one holder for a group at most
    if (works.length > 0) this.change(works[0], set);
    else set();
  }

  /** When time may change anything next; infinite when it does not. */
  get dueMs(): number {
    return this.#announced.size > 0 || this.#laggards.waiting ? this.#nextReviewMs : Number.POSITIVE_INFINITY;
  }

  /** Topics that are held up because all subscribers are full or because some asked to be waited for, and subjects at which some lag. */
  get heldTopics(): number {
    return this.#announced.size + this.#blocked.size + this.#laggards.subjects;
  }

  #spendGroup(work: WaitingWork): void {
    if (work.inProcess || this.#spent.has(work)) return;
    this.change(work, () => this.#spent.add(work));
    this.#events.onGroupSpent(work.queue, true);
  }

  /** Whether nobody waits for it any longer. Those of the process's own threads are waited for without limit. */
  #isSpent(holder: Holder): boolean {
    return this.#spent.has(holder) || (isGroup(holder) && !holder.inProcess && this.#spentElsewhere.has(holder.queue));
  }

  /** Changes something about who holds topics up, and announces what that makes of these. */
  change(holder: Holder, change: () => void): void {
    const topics = [...(this.#blocking.get(holder) ?? [])].map((subject) => this.#blocked.get(subject) as BlockedTopic);
    const before = topics.map(({ topic }) => this.#stateOf(topic.text));
    change();
    topics.forEach(({ topic }, i) => {
      this.#announceIfChanged(topic, before[i] as Fullness);
    });
  }

  #blockedTopic(topic: Topic): BlockedTopic {
    let blocked = this.#blocked.get(topic.text);
    if (blocked === undefined) {
      blocked = { topic, by: new Set() };
      this.#blocked.set(topic.text, blocked);
    }
    return blocked;
  }

  /** Changes something about a topic, and announces what that makes of it. */
  #change(topic: Topic, change: () => void): void {
    const before = this.#stateOf(topic.text);
    change();
    this.#announceIfChanged(topic, before);
  }

  #announceIfChanged(topic: Topic, before: Fullness): void {
    const after = this.#stateOf(topic.text);
    if (after !== before) this.#events.onFullness(topic, after);
  }

  #stateOf(subject: string): Fullness {
    let state: Fullness = this.#announced.has(subject) ? fullness.full : fullness.ready;
    for (const holder of this.#blocked.get(subject)?.by ?? []) {
      const asked = this.#isSpent(holder) ? fullness.dropping : stateFor(holder);
      if (asked > state) state = asked;
    }
    return state;
  }

  /** Counts the time that those that are waited for take nothing; when one has had enough of it, its topics are looked at. */
  #lookAtFull(nowMs: number): void {
    for (const connection of this.#full) {
      connection.lag.noteWaited(nowMs);
      if (!connection.isWaitable(nowMs)) this.#stale = true;
    }
  }

  #isFull(plan: FanoutPlan, nowMs: number): boolean {
    const waitable = (connection: Connection) => connection.lag.full && connection.isWaitable(nowMs);
    return (
      this.#stalls &&
      plan.limited.length === 0 &&
      plan.policed.length === 0 &&
      plan.listening.length === 0 &&
      plan.waiting === 0 &&
      plan.entries.every((entry) => entry.audience.members.every(waitable)) &&
      [...plan.queues.values()].every((queue) => queue.members.every((member) => waitable(member.connection)))
    );
  }
}

function isGroup(holder: Holder): holder is WaitingWork {
  return !('connection' in holder || 'endpoint' in holder || 'journal' in holder);
}

function stateFor(holder: Holder): Fullness {
  if ('endpoint' in holder) return fullness.held;
  if ('journal' in holder) return fullness.behind;
  if (!('inProcess' in holder)) return fullness.blocked;
  if (holder.inProcess) return holder.overworked ? fullness.overworkedHere : fullness.workingHere;
  return holder.overworked ? fullness.overworked : fullness.working;
}
