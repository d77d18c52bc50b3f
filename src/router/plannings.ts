import { planningsOpenMax, planUnits, searchNodesAtOnce, thingsPlannedAtOnce } from '../base/limits.js';
import type { Role } from '../base/role.js';
import { complete, type Sliced, sliceThings } from '../base/slices.js';
import { cost, type Work } from '../base/work.js';
import type { Interest, InterestEntry } from './interest.js';
import type { InterestSearch } from './interestSearch.js';
import type { QueueRoute } from './queueRoute.js';
import type { Topic, TopicPlan } from './topic.js';

/** What is known of a topic's interest, made of the entries that take it. */
export interface TopicDraft {
  readonly entries: readonly InterestEntry[];
  readonly queues: readonly QueueRoute[];
  /** Null where nothing is planned, or nothing of this thread takes it. */
  readonly plan: TopicPlan | null;
}

/** The router, which knows what a topic is to know. */
export interface PlanningHost {
  readonly interest: Interest;
  readonly work: Work;
  isFresh(topic: Topic): boolean;
  freshen(topic: Topic): void;
  makeRoutes(entries: readonly InterestEntry[]): Sliced<QueueRoute[]>;
  /** Has a topic know that these are the entries that take it now. */
  learn(topic: Topic, entries: readonly InterestEntry[]): void;
  /** Whether these are the entries that the topic knows, so that all holds that follows from them: then it is fresh. */
  keeps(topic: Topic, entries: readonly InterestEntry[]): boolean;
  /** Has the topic know all that from now on. */
  adopt(topic: Topic, draft: TopicDraft): void;
}

/** How a gateway delivers what some entries take; null where nothing of it does. */
export type MakePlan = (topic: Topic, entries: readonly InterestEntry[]) => Sliced<TopicPlan | null>;

/** For so many turns what has changed since a topic was planned is planned at once. */
const doneTurns = 8;

/** A topic that is being planned. */
interface Open {
  readonly topic: Topic;
  readonly planning: Sliced<void>;
}

/** Others may change a topic's interest as often as they like: after so many beginnings it is planned at once. */
const beginningsMax = 3;

/**
 * Topics that so many subscriptions or groups take that they are not planned at once: a slice in every turn. Whoever publishes to one waits
 * meanwhile, and so does the lane in which a message of it comes; once planned, it costs nothing more (docs/decisions/0037).
 */
export class Plannings implements Role {
  /** Set by the gateway of the thread. */
  makePlan: MakePlan | null = null;
  readonly #host: PlanningHost;
  /** First come first; some of them are under way, and take turns. */
  readonly #open: Open[] = [];
  readonly #waiting = new Set<Topic>();
  /** Those that were planned just now, with the turn: who waited for one is not to wait again for what has changed since. */
  readonly #done = new Map<Topic, number>();

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
    if (work.unlimited || topic.kind === 'invalid' || this.#done.has(topic)) {
      this.#host.freshen(topic);
      return true;
    }
    if (this.#waiting.has(topic)) return false;
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

  doWork(): boolean {
    const { work } = this.#host;
    for (const [topic, turn] of this.#done) if (turn + doneTurns <= work.turn) this.#done.delete(topic);
    if (this.#waiting.size === 0) return false;
    const limit = work.units + planUnits;
    while (work.units < limit && this.#waiting.size > 0) {
      this.#openMore();
      const first = this.#open.shift() as Open;
      if (this.#advance(first.planning, Math.min(limit, work.units + planUnits / planningsOpenMax))) {
        this.#waiting.delete(first.topic);
        this.#done.set(first.topic, work.turn);
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
    for (let beginnings = 0; beginnings < beginningsMax && this.#isWanted(topic); beginnings++) {
      const draft = yield* this.#draft(topic, search);
      if (draft === null || !this.#isWanted(topic)) continue;
      this.#host.adopt(topic, draft);
    }
    if (this.#isWanted(topic)) this.#adoptAtOnce(topic, search.entries());
    interest.close(search);
  }

  #adoptAtOnce(topic: Topic, entries: readonly InterestEntry[]): void {
    const plan = this.makePlan === null ? null : complete(this.makePlan(topic, entries));
    this.#host.adopt(topic, { entries, queues: complete(this.#host.makeRoutes(entries)), plan });
  }

  /** Somebody may have needed it at once meanwhile, or the table may have forgotten it. */
  #isWanted(topic: Topic): boolean {
    return topic.live && !this.#host.isFresh(topic);
  }

  *#search(search: InterestSearch): Sliced<void> {
    const { work } = this.#host;
    let visits = 0;
    while (!search.step(sliceThings)) {
      work.units += (search.visits - visits) * cost.node;
      visits = search.visits;
      yield;
    }
  }

  /** Null when interest has changed before it was done. */
  *#draft(topic: Topic, search: InterestSearch): Sliced<TopicDraft | null> {
    const entries = search.entries();
    if (this.#host.keeps(topic, entries)) return null;
    const queues = yield* this.#whileCurrent(topic, search, this.#host.makeRoutes(entries));
    if (queues === null) return null;
    if (this.makePlan === null) return { entries, queues, plan: null };
    const made = yield* this.#whileCurrent(topic, search, boxed(this.makePlan(topic, entries)));
    return made === null ? null : { entries, queues, plan: made.plan };
  }

  *#whileCurrent<T>(topic: Topic, search: InterestSearch, making: Sliced<T>): Sliced<T | null> {
    for (;;) {
      const step = making.next();
      if (step.done === true) return step.value;
      this.#host.work.units += sliceThings * cost.planned;
      yield;
      if (search.stale || !this.#isWanted(topic)) return null;
    }
  }
}

function* boxed(making: Sliced<TopicPlan | null>): Sliced<{ plan: TopicPlan | null }> {
  return { plan: yield* making };
}

/** Whether all that is known here of who takes a topic can be planned at once. */
function isFew(entries: readonly InterestEntry[]): boolean {
  if (entries.length > thingsPlannedAtOnce) return false;
  let things = 0;
  for (const { local, queues } of entries) things += 1 + local.length + (queues === null ? 0 : queues.size);
  return things <= thingsPlannedAtOnce;
}
