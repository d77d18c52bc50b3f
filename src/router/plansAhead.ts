import { planAheadMaxMs } from '../base/limits.js';
import type { Plannings } from './plannings.js';
import type { Topic } from './topic.js';

/** The ways to other threads. */
export interface PlanningVoice {
  /** Has all other shards' threads plan a topic; returns how many there are. */
  ask(number: number, subject: string, account: number): number;
  answer(endpoint: number, number: number): void;
}

interface Question {
  readonly number: number;
  readonly sinceMs: number;
  /** Threads that have not answered. */
  left: number;
}

interface Asker {
  readonly endpoint: number;
  readonly number: number;
}

/**
 * Has a topic that very many take planned on all threads before a message of it sets out, so that no lane waits for it with all that stands behind it: only
 * its publisher does (docs/decisions/0037).
 */
export class PlansAhead {
  readonly #plannings: Plannings;
  readonly #voice: PlanningVoice;
  readonly #now: () => number;
  /** What this thread has asked the others, by topic, the oldest first. */
  readonly #questions = new Map<Topic, Question>();
  /** Who waits for this thread. */
  readonly #askers = new Map<Topic, Asker[]>();
  #number = 0;

  constructor(plannings: Plannings, voice: PlanningVoice, now: () => number = () => performance.now()) {
    this.#plannings = plannings;
    this.#voice = voice;
    this.#now = now;
    plannings.onPlanned = (topic) => this.#answer(topic);
  }

  /** Asks for a topic that is not planned here, unless that has been asked. */
  ask(topic: Topic): void {
    if (this.#questions.has(topic)) return;
    const sinceMs = this.#now();
    for (const [asked, question] of this.#questions) if (this.#isOver(question, sinceMs)) this.#questions.delete(asked);
    const number = ++this.#number;
    const left = this.#voice.ask(number, topic.text, topic.account);
    this.#questions.set(topic, { number, sinceMs, left });
  }

  /** Whether there are topics whose publishers may wait for others. */
  get asking(): boolean {
    return this.#questions.size > 0;
  }

  /** Whether publishers of a topic that is fresh here wait for others: for so long at most as anybody may need. */
  has(topic: Topic): boolean {
    if (this.#questions.size === 0) return false;
    const question = this.#questions.get(topic);
    if (question === undefined) return false;
    if (question.left > 0 && !this.#isOver(question, this.#now())) return true;
    this.#questions.delete(topic);
    return false;
  }

  onMade(number: number): void {
    for (const question of this.#questions.values()) if (question.number === number) question.left--;
  }

  /** Another thread is about to publish to a topic. */
  onAsked(endpoint: number, number: number, topic: Topic): void {
    if (this.#plannings.begin(topic)) {
      this.#voice.answer(endpoint, number);
      return;
    }
    // once it is planned here, others may not be done
    this.ask(topic);
    const askers = this.#askers.get(topic);
    if (askers === undefined) this.#askers.set(topic, [{ endpoint, number }]);
    else askers.push({ endpoint, number });
  }

  #answer(topic: Topic): void {
    for (const { endpoint, number } of this.#askers.get(topic) ?? []) this.#voice.answer(endpoint, number);
    this.#askers.delete(topic);
  }

  #isOver({ sinceMs }: Question, nowMs: number): boolean {
    return nowMs - sinceMs > planAheadMaxMs;
  }
}
