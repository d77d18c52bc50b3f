import { thingsInPart } from '../base/limits.js';
import type { Sliced } from '../base/slices.js';
import type { InterestEntry } from './interestEntry.js';
import type { InterestSearch } from './interestSearch.js';
import type { Topic, TopicPlan } from './topic.js';
import { prefixLengthOf, TopicInterest } from './topicInterest.js';

/** How a gateway delivers a topic. */
export interface Planner {
  /** What some entries that take it ask for. Should they change before it is done, its result is of no use. */
  make(topic: Topic, entries: readonly InterestEntry[]): Sliced<TopicPlan>;
  /** What the plans of all parts say together. */
  join(plans: readonly TopicPlan[]): TopicPlan;
}

/** Some of the entries that take a topic, and what follows from them. */
interface Part {
  readonly interest: TopicInterest;
  readonly plan: TopicPlan | null;
}

/**
 * Those who take a topic, where they are very many: known in parts, so that what changes costs its part anew and not all of it. It hears of changes
 * until its search is closed.
 */
export class Crowd {
  readonly topic: Topic;
  readonly search: InterestSearch;
  /** The sweep in which the topic was made fresh by it last. */
  usedSweep = 0;
  /** What the topic was told last. */
  told: TopicInterest | null = null;
  readonly #planner: Planner | null;
  #parts: Part[] = [];

  constructor(topic: Topic, search: InterestSearch, planner: Planner | null) {
    this.topic = topic;
    this.search = search;
    this.#planner = planner;
  }

  /** Makes all parts; the search is done. */
  *gather(): Sliced<void> {
    yield* this.#add(this.search.entries());
  }

  /** Makes those parts anew in which something has changed, and of what has come another one. */
  *amend(): Sliced<void> {
    const changed = this.search.takeChanged();
    const come = new Set(changed);
    const parts = this.#parts;
    this.#parts = [];
    const left: InterestEntry[] = [];
    for (const part of parts) {
      const { entries } = part.interest;
      if (!anyOf(changed, entries)) {
        this.#parts.push(part);
        continue;
      }
      for (const entry of entries) {
        come.delete(entry);
        if (!entry.empty) left.push(entry);
      }
    }
    for (const entry of come) if (!entry.empty) left.push(entry);
    yield* this.#add(left);
  }

  /** What follows from all of them. */
  interest(): TopicInterest {
    const all = new TopicInterest();
    for (const { interest } of this.#parts) all.join(interest);
    return all;
  }

  plan(): TopicPlan | null {
    return this.#planner === null ? null : this.#planner.join(this.#parts.flatMap(({ plan }) => plan ?? []));
  }

  *#add(entries: readonly InterestEntry[]): Sliced<void> {
    const prefixLength = prefixLengthOf(this.topic.text);
    for (let at = 0; at < entries.length; ) {
      const interest = new TopicInterest();
      for (let things = 0; at < entries.length && things < thingsInPart; at++) {
        interest.add(entries[at], prefixLength);
        things += thingsOf(entries[at]);
      }
      // kept at once: whatever happens while its plan is made is a change of this part
      const plan = this.#planner === null ? null : yield* this.#planner.make(this.topic, interest.entries);
      this.#parts.push({ interest, plan });
      yield;
    }
  }
}

/** What an entry costs to plan: subscriptions, groups and itself. */
export function thingsOf({ local, queues }: InterestEntry): number {
  return 1 + local.length + (queues === null ? 0 : queues.size);
}

/** Changes that are looked for one by one. */
const fewChanges = 8;

function anyOf(changed: ReadonlySet<InterestEntry>, entries: readonly InterestEntry[]): boolean {
  if (changed.size > fewChanges) return entries.some((entry) => changed.has(entry));
  for (const entry of changed) if (entries.includes(entry)) return true;
  return false;
}
