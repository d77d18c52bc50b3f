import { mainAccount } from '../base/account.js';
import { readableText } from '../base/bytes.js';
import { countedTopicNameMax, countedTopicsMax, displacedTopicsMax } from '../base/limits.js';
import type { CountedTopic } from '../base/statistics.js';
import { TopicTimes } from '../base/topicTimes.js';
import type { Topic } from './topic.js';

/** What was published to one subject, whether it is remembered as a topic at the moment or not. */
export interface TopicRow {
  readonly name: string;
  /** Where it is among the rows, as long as it is one of them. */
  readonly slot: number;
  live: boolean;
  /** Of topics that were forgotten: published, and passed on. */
  kept: number;
  keptPassed: number;
  topic: Topic | null;
  /** Its count at the last look, and what came lately: half as much a look ago counts half. */
  seen: number;
  rank: number;
}

/**
 * What was published to each of the busiest subjects of a thread. A row begins when its topic does, as long as there is room; then a topic that is far
 * busier takes the place of the one that is least so. A row's count only grows while it is there, and what all of them do not have never shrinks:
 * so whoever looks now and then takes differences.
 */
export class TopicCounts {
  readonly #rows = new Map<string, TopicRow>();
  #max = 0;
  /** Messages of rows that are not there any more. */
  #gone = 0;
  #least: TopicRow | null = null;
  #displaced = 0;
  /** How long their messages take; null before anybody looks. */
  times: TopicTimes | null = null;

  /** Begins to count, with what topics that are there have counted by themselves. */
  begin(topics: { forEach(visit: (topic: Topic) => void): void }, max = countedTopicsMax): void {
    if (this.#max > 0) return;
    this.#max = max;
    this.times = new TopicTimes(max);
    topics.forEach((topic) => {
      this.onMade(topic);
    });
  }

  onMade(topic: Topic): void {
    if (this.#max === 0) return;
    const row = this.#rows.get(topic.text);
    if (row !== undefined && topic.account === mainAccount) this.#attach(row, topic);
    else if (row === undefined && this.#rows.size < this.#max && isNamed(topic)) this.#add(topic);
  }

  /** A topic, whose plan has retired, is forgotten. */
  onForgotten({ row, published, passed }: Topic): void {
    if (row === null) return;
    row.kept += published;
    row.keptPassed += passed;
    row.topic = null;
  }

  /** A step of a sweep comes by a topic. */
  visit(topic: Topic): void {
    if (this.#rows.size < this.#max || this.#max === 0 || topic.row !== null) return;
    const busy = topic.published + topic.passed;
    const lately = busy - topic.seenPublished;
    topic.seenPublished = busy;
    const least = this.#least;
    if (least === null || lately <= 2 * (least.rank + 1) || this.#displaced >= displacedTopicsMax) return;
    if (!isNamed(topic)) return;
    this.#displaced++;
    this.#remove(least);
    // what it was published before is with the others, where it was shown
    const row = this.#add(topic, least.slot);
    row.kept = -topic.published;
    row.keptPassed = -topic.passed;
    row.rank = lately;
    this.#least = this.#findLeast();
  }

  /** All topics were visited. */
  endSweep(): void {
    this.#displaced = 0;
    for (const row of this.#rows.values()) {
      const count = countOf(row) + row.keptPassed + (row.topic?.passed ?? 0);
      row.rank = row.rank / 2 + (count - row.seen);
      row.seen = count;
    }
    this.#least = this.#rows.size < this.#max ? null : this.#findLeast();
  }

  /** @param total all that was published; @returns the rows, and what is left */
  report(total: number): { readonly topics: readonly CountedTopic[]; readonly others: number } {
    let others = total - this.#gone;
    const topics: CountedTopic[] = [];
    for (const row of this.#rows.values()) {
      const published = countOf(row);
      others -= published;
      topics.push({ topic: readableText(row.name), published, slot: row.slot });
    }
    return { topics, others };
  }

  #add(topic: Topic, slot = this.#rows.size): TopicRow {
    const row = { name: topic.text, slot, live: true, kept: 0, keptPassed: 0, topic, seen: 0, rank: 0 };
    this.times?.clear(slot);
    this.#rows.set(row.name, row);
    topic.row = row;
    return row;
  }

  #attach(row: TopicRow, topic: Topic): void {
    // one that is about to be forgotten may still have it
    if (row.topic !== null) return;
    row.topic = topic;
    topic.row = row;
  }

  #remove(row: TopicRow): void {
    this.#gone += countOf(row);
    row.live = false;
    this.#rows.delete(row.name);
    if (row.topic !== null) row.topic.row = null;
  }

  #findLeast(): TopicRow | null {
    let least: TopicRow | null = null;
    for (const row of this.#rows.values()) if (least === null || row.rank < least.rank) least = row;
    return least;
  }
}

function countOf({ kept, topic }: TopicRow): number {
  return kept + (topic === null ? 0 : topic.published);
}

/** Addresses, what stands for many subjects, and what the broker tells of itself are nobody's to watch. */
function isNamed({ account, text, kind, inbox, endpoint }: Topic): boolean {
  return (
    account === mainAccount &&
    text.length <= countedTopicNameMax &&
    kind !== 'shared' &&
    inbox === null &&
    endpoint === null
  );
}
