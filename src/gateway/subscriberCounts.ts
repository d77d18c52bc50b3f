import { readableText } from '../base/bytes.js';
import {
  countedEndedMax,
  countedSubscribersMax,
  countedSubscriptionsMax,
  countedTopicNameMax,
} from '../base/limits.js';
import type { PolicyName } from '../base/policy.js';
import type { SubscriberCount } from '../base/statistics.js';
import type { Subscription } from './subscription.js';

/** Subscriptions to one subject of connections of one name. */
export interface SubscriberRow {
  readonly key: string;
  readonly topic: string;
  readonly subscriber: string;
  readonly members: Set<Subscription>;
  /** The policy that was asked for last. */
  policy: PolicyName;
  /** Of those that have ended. */
  delivered: number;
  dropped: number;
  replaced: number;
}

/**
 * What subscriptions got and did not get, by their subjects and their connections' names: as many of them as there is room for, those that came first.
 * When there is none, a row without subscriptions makes room; what it had is in the totals still, and in no row any more.
 */
export class SubscriberCounts {
  readonly #rows = new Map<string, SubscriberRow>();
  readonly #settle: () => void;
  #max = 0;
  #subscriptions = 0;
  /** Those that have ended since all was settled: deliveries of theirs may be counted with their plans. */
  #ended: Subscription[] = [];

  /** @param settle has every subscription's count of deliveries brought up to date */
  constructor(settle: () => void) {
    this.#settle = settle;
  }

  begin(subscriptions: Iterable<Subscription>, max = countedSubscribersMax): void {
    if (this.#max > 0) return;
    this.#max = max;
    for (const subscription of subscriptions) this.add(subscription);
  }

  add(subscription: Subscription): void {
    if (this.#max === 0 || this.#subscriptions >= countedSubscriptionsMax) return;
    const { subject, connection } = subscription;
    if (subject.length > countedTopicNameMax) return;
    const subscriber = nameOf(connection);
    const key = `${subject} ${subscriber}`;
    const row = this.#rows.get(key) ?? this.#make(key, subject, subscriber);
    if (row === null) return;
    row.members.add(subscription);
    subscription.row = row;
    this.#subscriptions++;
  }

  remove(subscription: Subscription): void {
    if (subscription.row === null) return;
    this.#ended.push(subscription);
    if (this.#ended.length >= countedEndedMax) this.fold();
  }

  /** Has rows keep what subscriptions that have ended were delivered. */
  fold(): void {
    if (this.#ended.length === 0) return;
    this.#settle();
    for (const subscription of this.#ended) this.#fold(subscription);
    this.#ended = [];
  }

  report(): SubscriberCount[] {
    this.#settle();
    this.fold();
    const counts: SubscriberCount[] = [];
    for (const row of this.#rows.values()) counts.push(reportRow(row));
    return counts;
  }

  #make(key: string, subject: string, subscriber: string): SubscriberRow | null {
    if (this.#rows.size >= this.#max && !this.#makeRoom()) return null;
    const topic = readableText(subject);
    const row: SubscriberRow = {
      key,
      topic,
      subscriber,
      members: new Set(),
      policy: 'disconnect',
      delivered: 0,
      dropped: 0,
      replaced: 0,
    };
    this.#rows.set(key, row);
    return row;
  }

  /** The row without subscriptions that is there longest goes; false when all have some. */
  #makeRoom(): boolean {
    this.fold();
    for (const row of this.#rows.values()) {
      if (row.members.size > 0) continue;
      this.#rows.delete(row.key);
      return true;
    }
    return false;
  }

  #fold(subscription: Subscription): void {
    const row = subscription.row as SubscriberRow;
    const { delivered, dropped, replaced, slow } = subscription;
    row.delivered += delivered;
    row.dropped += dropped;
    row.replaced += replaced;
    if (slow !== null) row.policy = slow.policy;
    row.members.delete(subscription);
    subscription.row = null;
    this.#subscriptions--;
  }
}

function nameOf({ options, id }: Subscription['connection']): string {
  // a half of a pair, which JSON may have, is no text that can be sent
  return options.name === '' ? `connection ${id}` : Buffer.from(options.name.slice(0, countedTopicNameMax)).toString();
}

function reportRow(row: SubscriberRow): SubscriberCount {
  let { delivered, dropped, replaced, policy } = row;
  let waiting = 0;
  for (const subscription of row.members) {
    delivered += subscription.delivered;
    dropped += subscription.dropped;
    replaced += subscription.replaced;
    waiting += subscription.backlog?.count ?? 0;
    if (subscription.slow !== null) policy = subscription.slow.policy;
  }
  const { topic, subscriber, members } = row;
  return { topic, subscriber, policy, subscriptions: members.size, delivered, dropped, replaced, waiting };
}
