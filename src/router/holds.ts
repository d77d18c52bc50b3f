import { mainAccount } from '../base/account.js';
import { type Fullness, fullness } from '../base/fullness.js';
import { HeldTime, type HoldBudget } from '../base/heldTime.js';
import { blockWindowMs, heldSweepMs, heldTopicsMax, holdSliceMs, lagBudget } from '../base/limits.js';
import { subjectMatches } from '../protocol/subject.js';
import type { Topic } from './topic.js';

/** What becomes of a publish: it goes, its publisher waits (or parks while its topic gets another owner) or is refused, or it goes to all but a group that drops what comes. */
export type Hold = 'goes' | 'waits' | 'parks' | 'refuses' | 'drops';

/** For how long publishers wait. */
type Patience = 'none' | 'limited' | 'unlimited';

const patienceFor: Readonly<Record<Fullness, Patience>> = {
  [fullness.ready]: 'none',
  [fullness.dropping]: 'none',
  [fullness.full]: 'unlimited',
  [fullness.working]: 'limited',
  [fullness.overworked]: 'limited',
  [fullness.blocked]: 'limited',
  [fullness.workingHere]: 'unlimited',
  [fullness.overworkedHere]: 'unlimited',
  [fullness.held]: 'unlimited',
  [fullness.behind]: 'unlimited',
};

/** The same of those that have work in flight: what holds the others up may be that very work, which they finish only when they go on. */
const busyHolds: Readonly<Partial<Record<Fullness, Hold>>> = {
  [fullness.working]: 'goes',
  [fullness.workingHere]: 'goes',
  [fullness.overworked]: 'refuses',
  [fullness.overworkedHere]: 'refuses',
};

/** What publishers wait for within a budget: one that asked for it, or one that is behind for a moment. */
type Kind = 'blocked' | 'lagging';
type HeldTimes = { [K in Kind]: HeldTime | null };

/** For how long the publishers of a topic have been held up. */
interface HeldTopic extends HeldTimes {
  /** Whether those that block it know that nobody waits for them any more. */
  told: boolean;
}

/** One that waits. */
interface Wait {
  readonly kind: Kind;
  readonly topic: HeldTopic;
  readonly startMs: number;
  /** Up to when it has been charged. */
  chargedMs: number;
  /** Whether it is there until it may go on, and does not only look in now and then. */
  readonly stays: boolean;
}

/** A publisher that may have to wait: a connection, or a thread of the user's. */
export class Waiter implements HeldTimes {
  blocked: HeldTime | null = null;
  lagging: HeldTime | null = null;
  wait: Wait | null = null;
  /** Whether it has work of a group in flight that it has not acknowledged. */
  busy = false;
}

/** Where holds find topics that exist. */
interface Topics {
  find(subject: string): Topic | null;
}

/** The pattern by which a subject has an owner; the subject itself where it has none by a pattern. */
export type PatternOf = (subject: string) => string;

/** Told that a topic's publishers have waited as long as they may for those that block it. */
export type OnSpent = (topic: Topic) => void;

/**
 * Which topics' publishers wait on this thread, and for how long they may. The budget belongs to who is held up, the topic and
 * the publisher: so it is the same however many hold, come and go, or take turns over topics (docs/decisions/0020 and 0021).
 */
export class Holds {
  /** Holds there are, and publishers that wait; while it is 0, nobody has to ask. */
  active = 0;
  /** When somebody who waits has waited long enough, unless they are let go before; infinite when nobody is. */
  dueMs = Number.POSITIVE_INFINITY;
  blockMaxMs = 0;
  onSpent: OnSpent = () => {};
  readonly #self: number;
  readonly #topics: () => Topics;
  readonly #patternOf: PatternOf;
  readonly #now: () => number;
  /** Subjects that endpoints have announced: kept here, since a topic may be forgotten meanwhile. */
  readonly #bySubject = new Map<string, Map<number, Fullness>>();
  /** Patterns of subjects whose streams' journals are behind, and how many such subjects each has. */
  readonly #behind = new Map<string, number>();
  /** The pattern that each of these subjects was counted under. */
  readonly #behindBy = new Map<string, string>();
  /** Subscription subjects at which somebody lags, with the endpoints where. */
  readonly #lagging = new Map<string, Set<number>>();
  /** Moves whenever these change: topics look again when they are next asked about. */
  #lagVersion = 0;
  #waiting = 0;
  /** Patterns that are being given to another owner. */
  readonly #parked = new Set<string>();
  #nextSweepMs = 0;
  /** By subject, those held up last at the end. */
  readonly #heldTopics = new Map<string, HeldTopic>();

  /** @param topics the table of this thread's topics, which is made later than this */
  constructor(self: number, topics: () => Topics, patternOf: PatternOf, now: () => number = () => performance.now()) {
    this.#self = self;
    this.#topics = topics;
    this.#patternOf = patternOf;
    this.#now = now;
  }

  /** What becomes of a publish to a topic, which is fresh. Only to be asked while any hold is active. */
  ask(topic: Topic, waiter: Waiter, stays: boolean): Hold {
    const nowMs = this.#now();
    this.#charge(waiter, nowMs);
    // what holds up has subjects of the main account
    if (topic.account !== mainAccount) return this.#leave(waiter, 'goes');
    if (this.isParked(topic)) return this.#leave(waiter, 'parks');
    if (this.#isBehind(topic)) return this.#leave(waiter, 'waits');
    const busyHold = waiter.busy ? busyHolds[topic.fullness] : undefined;
    if (busyHold !== undefined) return this.#leave(waiter, busyHold);
    const patience = patienceFor[topic.fullness];
    if (patience === 'unlimited') return this.#leave(waiter, 'waits');
    if (patience === 'limited' && this.#waits('blocked', topic, waiter, stays, nowMs)) return 'waits';
    if (this.#isLagging(topic) && this.#waits('lagging', topic, waiter, stays, nowMs)) return 'waits';
    return this.#leave(waiter, topic.fullness === fullness.dropping ? 'drops' : 'goes');
  }

  /** Whoever publishes to what a pattern takes waits for a moment, whatever it may or must: nobody is charged for it. */
  park(pattern: string): void {
    this.#parked.add(pattern);
    this.#count();
  }

  unpark(pattern: string): void {
    this.#parked.delete(pattern);
    this.#count();
  }

  /** Whether a topic's pattern is being given to another owner. */
  isParked({ account, text, inbox }: Topic): boolean {
    if (account !== mainAccount) return false;
    for (const pattern of this.#parked)
      if (inbox === null ? subjectMatches(pattern, text) : inbox.overlaps(pattern)) return true;
    return false;
  }

  /** Whether a stream takes the topic whose journal is behind with anything that the same pattern takes: a publisher may never name one subject twice. */
  #isBehind({ captured, text }: Topic): boolean {
    return captured && this.#behind.size > 0 && this.#behind.has(this.#patternOf(text));
  }

  #setBehind(subject: string, isBehind: boolean): void {
    const by = this.#behindBy.get(subject);
    if (isBehind === (by !== undefined)) return;
    const pattern = by ?? this.#patternOf(subject);
    const count = (this.#behind.get(pattern) ?? 0) + (isBehind ? 1 : -1);
    if (isBehind) this.#behindBy.set(subject, pattern);
    else this.#behindBy.delete(subject);
    if (count > 0) this.#behind.set(pattern, count);
    else this.#behind.delete(pattern);
  }

  /** A publisher has gone. */
  forget(waiter: Waiter): void {
    this.#leave(waiter, 'goes');
  }

  /** An endpoint says how its subscribers of a subject are. */
  setFull(subject: string, endpoint: number, state: Fullness): void {
    let states = this.#bySubject.get(subject);
    if (state !== fullness.ready) {
      states ??= new Map();
      states.set(endpoint, state);
      this.#bySubject.set(subject, states);
    } else if (states !== undefined) {
      states.delete(endpoint);
      if (states.size === 0) this.#bySubject.delete(subject);
    }
    this.#setBehind(subject, states !== undefined && includes(states, fullness.behind));
    this.#count();
    const held = patienceFor[state] === 'limited' ? this.#heldTopics.get(subject) : undefined;
    if (held !== undefined) held.told = false;
    const topic = this.#topics().find(subject);
    if (topic === null) return;
    topic.endpointsFull = this.#bySubject.get(subject) ?? null;
    this.refresh(topic);
  }

  /** An endpoint says whether somebody there who takes a subscription subject lags. */
  setLagging(subject: string, endpoint: number, lags: boolean): void {
    let endpoints = this.#lagging.get(subject);
    if (lags) {
      endpoints ??= new Set();
      endpoints.add(endpoint);
      this.#lagging.set(subject, endpoints);
    } else if (endpoints?.delete(endpoint) && endpoints.size === 0) this.#lagging.delete(subject);
    this.#lagVersion++;
    this.#count();
  }

  /** A topic has been made. */
  begin(topic: Topic): void {
    topic.endpointsFull = topic.account === mainAccount ? (this.#bySubject.get(topic.text) ?? null) : null;
  }

  /** What is known of a topic's interest, or of who is full, has changed. */
  refresh(topic: Topic): void {
    const states = topic.endpointsFull;
    topic.lagVersion = -1;
    let greatest: Fullness = fullness.ready;
    if (states !== null) {
      for (const state of states.values()) if (state > greatest) greatest = state;
      if (greatest === fullness.full && !this.#allFull(topic, states))
        greatest = includes(states, fullness.dropping) ? fullness.dropping : fullness.ready;
    }
    topic.fullness = greatest;
  }

  /** An endpoint is gone. */
  dropEndpoint(endpoint: number): void {
    for (const [subject, states] of this.#bySubject)
      if (states.has(endpoint)) this.setFull(subject, endpoint, fullness.ready);
    for (const [subject, endpoints] of this.#lagging)
      if (endpoints.has(endpoint)) this.setLagging(subject, endpoint, false);
  }

  /** Tells an endpoint that has just come what this thread's has announced so far. */
  replay(announcer: {
    topicFull(subject: string, state: Fullness): void;
    lagging(subject: string, lags: boolean): void;
  }): void {
    for (const [subject, states] of this.#bySubject) {
      const state = states.get(this.#self);
      if (state !== undefined) announcer.topicFull(subject, state);
    }
    for (const [subject, endpoints] of this.#lagging) if (endpoints.has(this.#self)) announcer.lagging(subject, true);
  }

  /** Forgets topics that nobody has been held up on for a window. Called often, it looks now and then. */
  sweep(nowMs = this.#now()): void {
    if (nowMs < this.#nextSweepMs) return;
    this.#nextSweepMs = nowMs + heldSweepMs;
    for (const [subject, held] of this.#heldTopics)
      if (heldMs(held.blocked, nowMs) + heldMs(held.lagging, nowMs) === 0) this.#heldTopics.delete(subject);
  }

  #count(): void {
    this.active = this.#bySubject.size + this.#lagging.size + this.#waiting + this.#parked.size;
  }

  #allFull(topic: Topic, states: ReadonlyMap<number, Fullness>): boolean {
    const isFull = (endpoint: number): boolean => states.get(endpoint) === fullness.full;
    return (
      (!topic.wantedHere || isFull(this.#self)) &&
      topic.remotes.every(isFull) &&
      topic.queues.every((queue) => queue.counts.every((count, endpoint) => count === 0 || isFull(endpoint)))
    );
  }

  #isLagging(topic: Topic): boolean {
    if (topic.lagVersion !== this.#lagVersion) {
      topic.lagVersion = this.#lagVersion;
      topic.lagging = this.#lagging.size > 0 && topic.entries.some(({ subject }) => this.#lagging.has(subject));
    }
    return topic.lagging;
  }

  /** Whether a publisher waits, now that there is somebody to wait for: as long as topic and publisher have patience left. */
  #waits(kind: Kind, topic: Topic, waiter: Waiter, stays: boolean, nowMs: number): boolean {
    const held = this.#heldTopic(topic.text);
    const { maxMs, windowMs } = this.#budgetOf(kind);
    const used = Math.max(heldMs(held[kind], nowMs), heldMs(waiter[kind], nowMs));
    let leftMs = maxMs >= windowMs ? Number.POSITIVE_INFINITY : maxMs - used;
    if (leftMs <= 0) {
      if (kind === 'blocked') this.#tell(topic, held);
      return false;
    }
    const { wait } = waiter;
    const goesOn = wait !== null && wait.kind === kind && (wait.topic === held || kind === 'lagging');
    // whoever is behind for a moment is waited for in short pieces, so that nobody waits for long at a time
    if (kind === 'lagging') leftMs = Math.min(leftMs, holdSliceMs - (goesOn ? nowMs - wait.startMs : 0));
    if (leftMs <= 0) return false;
    if (!goesOn || wait.topic !== held)
      this.#setWait(waiter, { kind, topic: held, startMs: goesOn ? wait.startMs : nowMs, chargedMs: nowMs, stays });
    this.dueMs = Math.min(this.dueMs, nowMs + leftMs);
    return true;
  }

  #budgetOf(kind: Kind): HoldBudget {
    return kind === 'lagging' ? lagBudget : { maxMs: this.blockMaxMs, windowMs: blockWindowMs };
  }

  #leave(waiter: Waiter, hold: Hold): Hold {
    if (waiter.wait !== null) this.#setWait(waiter, null);
    return hold;
  }

  #setWait(waiter: Waiter, wait: Wait | null): void {
    if (waiter.wait?.stays) this.#waiting--;
    if (wait?.stays) this.#waiting++;
    waiter.wait = wait;
    this.#count();
  }

  /** Charges the time since it was last looked at to who waits, and to its topic. */
  #charge(waiter: Waiter, nowMs: number): void {
    const { wait } = waiter;
    if (wait === null) return;
    const fromMs = wait.stays ? wait.chargedMs : Math.max(wait.chargedMs, nowMs - holdSliceMs);
    wait.chargedMs = nowMs;
    for (const times of [waiter, wait.topic]) {
      times[wait.kind] ??= new HeldTime(this.#budgetOf(wait.kind).windowMs);
      times[wait.kind]?.add(fromMs, nowMs);
    }
  }

  #heldTopic(subject: string): HeldTopic {
    let held = this.#heldTopics.get(subject);
    if (held !== undefined) return held;
    if (this.#heldTopics.size >= heldTopicsMax) this.#heldTopics.delete(this.#heldTopics.keys().next().value as string);
    held = { blocked: null, lagging: null, told: false };
    this.#heldTopics.set(subject, held);
    return held;
  }

  #tell(topic: Topic, held: HeldTopic): void {
    if (held.told) return;
    held.told = true;
    this.onSpent(topic);
  }
}

function heldMs(time: HeldTime | null, nowMs: number): number {
  return time === null ? 0 : time.inWindow(nowMs);
}

function includes(states: ReadonlyMap<number, Fullness>, sought: Fullness): boolean {
  for (const state of states.values()) if (state === sought) return true;
  return false;
}
