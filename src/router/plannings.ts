import {
  planningsKeptMax,
  planningsOpenMax,
  planUnits,
  searchNodesAtOnce,
  thingsPlannedAtOnce,
} from '../base/limits.js';
import type { Role } from '../base/role.js';
import { complete, type Sliced, sliceThings } from '../base/slices.js';
import { cost, type Work } from '../base/work.js';
import { Crowd, type Planner, thingsOf } from './crowd.js';
import type { Interest } from './interest.js';
import type { InterestEntry } from './interestEntry.js';
import type { InterestSearch } from './interestSearch.js';
import type { QueueInterest } from './queueInterest.js';
import type { QueueRoute } from './queueRoute.js';
import type { Topic, TopicPlan } from './topic.js';
import type { TopicInterest } from './topicInterest.js';
import type { TopicTable } from './topicTable.js';

/** What is known of a topic's interest. */
export interface TopicDraft {
  readonly interest: TopicInterest;
  readonly queues: readonly QueueRoute[];
  /** Null where nothing is planned. */
  readonly plan: TopicPlan | null;
}

/** The router, which knows what a topic is to know. */
export interface PlanningHost {
  readonly interest: Interest;
  readonly work: Work;
  readonly topics: Pick<TopicTable, 'sweep'>;
  isFresh(topic: Topic): boolean;
  freshen(topic: Topic): void;
  makeRoutes(queues: readonly QueueInterest[]): Sliced<QueueRoute[]>;
  /** Has a topic know that these are the entries that take it now. */
  learn(topic: Topic, entries: readonly InterestEntry[]): void;
  /** Whether these are the entries that the topic knows, so that all holds that follows from them: then it is fresh. */
  keeps(topic: Topic, entries: readonly InterestEntry[]): boolean;
  /** What the topic knows holds: it is fresh. */
  settle(topic: Topic): void;
  /** Has the topic know all that from now on. */
  adopt(topic: Topic, draft: TopicDraft): void;
}

/** For so many sweeps of the table of topics behind its last use it is known of a crowd what has changed. */
const keptSweeps = 10;

/** A topic that is being planned. */
interface Open {
  readonly topic: Topic;
  readonly planning: Sliced<void>;
}

/** Others may change a topic's interest as often as they like: so often what has changed is planned over turns, then at once. */
const amendmentsMax = 3;

/**
 * Topics that so many subscriptions or groups take that they are not planned at once: a slice in every turn. Whoever publishes to one waits
 * meanwhile, and so does the lane in which a message of it comes; once planned, it costs nothing more, and what changes costs its part of it (docs/decisions/0037).
 */
export class Plannings implements Role {
  /** Set by the gateway of the thread. */
  planner: Planner | null = null;
  /** Told of each topic that has been waited for and is planned, or is no more. */
  onPlanned: (topic: Topic) => void = () => {};
  readonly #host: PlanningHost;
  /** First come first; some of them are under way, and take turns. */
  readonly #open: Open[] = [];
  readonly #waiting = new Set<Topic>();
  /** Those that were planned, the one longest unused first. */
  readonly #kept = new Map<Topic, Crowd>();

  constructor(host: PlanningHost) {
    this.#host = host;
  }

  /** Topics that wait to be planned, or are planned. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Plans a topic that is not fresh: now, when that costs little, or nobody's share of work is counted; else over the turns to come.
   *
   * @returns whether it is fresh
   */
  plan(topic: Topic): boolean {
    const { work } = this.#host;
    if (work.unlimited || !topic.isTakeable) {
      this.#host.freshen(topic);
      return true;
    }
    if (this.#waiting.has(topic)) return false;
    if (this.refresh(topic)) return true;
    const entries: InterestEntry[] = [];
    const walk = this.#host.interest.walk(topic.text, entries, topic.account);
    const done = walk === null || walk.step(searchNodesAtOnce);
    work.units += (walk === null ? 1 : walk.visits) * cost.node;
    if (done && isFew(entries)) {
      work.units += entries.length;
      this.#host.learn(topic, entries);
      return true;
    }
    this.#waiting.add(topic);
    return false;
  }

  /** Plans a topic over the turns to come, however few take it; returns whether it is fresh already. */
  begin(topic: Topic): boolean {
    if (!topic.isTakeable || !this.#isWanted(topic)) return true;
    this.#waiting.add(topic);
    return false;
  }

  /** Makes a topic fresh for which it is known what has changed since it was planned; returns false when that is not known. */
  refresh(topic: Topic): boolean {
    const crowd = this.#kept.get(topic);
    if (crowd === undefined) return false;
    const { search, told } = crowd;
    if (!search.stale && topic.entries === told?.entries) this.#host.settle(topic);
    else this.#charge(this.#finish(crowd));
    this.#keep(crowd);
    return true;
  }

  doWork(): boolean {
    const { work } = this.#host;
    for (const crowd of this.#kept.values()) {
      if (this.#kept.size <= planningsKeptMax && this.#isUsed(crowd)) break;
      this.#drop(crowd);
    }
    this.#remember();
    if (this.#waiting.size === 0) return false;
    const limit = work.units + planUnits;
    while (work.units < limit && this.#waiting.size > 0) {
      this.#openMore();
      const first = this.#open.shift() as Open;
      if (this.#advance(first.planning, Math.min(limit, work.units + planUnits / planningsOpenMax))) {
        this.#waiting.delete(first.topic);
        this.onPlanned(first.topic);
      } else this.#open.push(first);
    }
    return true;
  }

  #openMore(): void {
    for (const topic of this.#waiting) {
      if (this.#open.length >= planningsOpenMax) return;
      if (!this.#open.some((other) => other.topic === topic)) this.#open.push({ topic, planning: this.#plan(topic) });
    }
  }

  /** Returns whether all of it is done. */
  #advance(planning: Sliced<void>, limit: number): boolean {
    while (this.#host.work.units < limit) if (planning.next().done === true) return true;
    return false;
  }

  *#plan(topic: Topic): Sliced<void> {
    const { interest } = this.#host;
    const search = interest.search(topic.text, topic.account);
    yield* this.#search(search);
    if (!this.#isWanted(topic) || this.#host.keeps(topic, search.entries())) {
      interest.close(search);
      return;
    }
    const crowd = new Crowd(topic, search, this.planner);
    yield* this.#counted(crowd.gather());
    for (let i = 0; search.stale && i < amendmentsMax; i++) yield* this.#counted(crowd.amend());
    const all = crowd.interest();
    const queues = yield* this.#counted(this.#host.makeRoutes(all.queues));
    // somebody may have needed it at once meanwhile, or the table may have forgotten it
    if (!this.#isWanted(topic)) interest.close(search);
    else {
      if (search.stale) this.#charge(this.#finish(crowd));
      else this.#adopt(crowd, all, queues);
      this.#keep(crowd);
    }
  }

  /** What has changed of a crowd is planned, and its topic knows all. */
  *#finish(crowd: Crowd): Sliced<void> {
    yield* crowd.amend();
    const all = crowd.interest();
    this.#adopt(crowd, all, yield* this.#host.makeRoutes(all.queues));
  }

  #adopt(crowd: Crowd, interest: TopicInterest, queues: readonly QueueRoute[]): void {
    crowd.told = interest;
    this.#host.adopt(crowd.topic, { interest, queues, plan: crowd.plan() });
  }

  #keep(crowd: Crowd): void {
    crowd.usedSweep = this.#host.topics.sweep;
    this.#kept.delete(crowd.topic);
    this.#kept.set(crowd.topic, crowd);
  }

  #drop(crowd: Crowd): void {
    this.#kept.delete(crowd.topic);
    this.#host.interest.close(crowd.search);
  }

  #isUsed({ topic, usedSweep }: Crowd): boolean {
    return topic.live && usedSweep + keptSweeps >= this.#host.topics.sweep;
  }

  /** What is planned, and what was planned for others, is not forgotten before it can be used. */
  #remember(): void {
    const { sweep } = this.#host.topics;
    for (const topic of this.#waiting) topic.usedSweep = sweep;
    for (const topic of this.#kept.keys()) topic.usedSweep = sweep;
  }

  #isWanted(topic: Topic): boolean {
    return topic.live && !this.#host.isFresh(topic);
  }

  *#search(search: InterestSearch): Sliced<void> {
    const { work } = this.#host;
    let visits = 0;
    while (!search.step(sliceThings)) {
      work.units += (search.visits - visits) * cost.searched;
      visits = search.visits;
      yield;
    }
  }

  /** Goes on with something, and counts each slice of it. */
  *#counted<T>(making: Sliced<T>): Sliced<T> {
    for (;;) {
      const step = making.next();
      if (step.done === true) return step.value;
      this.#host.work.units += sliceThings * cost.planned;
      yield;
    }
  }

  /** Does all of something at once, which is counted. */
  #charge<T>(making: Sliced<T>): T {
    return complete(this.#counted(making));
  }
}

/** Whether all that is known here of who takes a topic can be planned at once. */
function isFew(entries: readonly InterestEntry[]): boolean {
  let things = 0;
  for (let i = 0; i < entries.length && things <= thingsPlannedAtOnce; i++) things += thingsOf(entries[i]);
  return things <= thingsPlannedAtOnce;
}
