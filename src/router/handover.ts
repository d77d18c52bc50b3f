import type { Role } from '../base/role.js';
import type { Exchange } from '../exchange/exchange.js';
import { type HandoverStep, handoverStep } from '../exchange/roles.js';
import type { Router } from './router.js';
import { noOwner } from './routes.js';
import type { Topic } from './topic.js';

/** How much was deferred by some moment; for whoever has made it. */
export type DeferralMark = readonly number[];

/** What was put in order to be delivered later. */
export interface Deferrals {
  /** How much it is by now. */
  mark(): DeferralMark;
  /** Whether all of it that was there at a mark has been delivered. */
  hasPassed(mark: DeferralMark): boolean;
}

/** What a handover needs of the thread around it. */
export interface HandoverHost {
  /** What is in order here and is delivered later. */
  readonly deferral: Deferrals;
  /** Hands over what this thread's shard has of a pattern that another owns now. */
  onMoved(pattern: string): void;
  /** Publishers go on that waited. */
  onReleased(): void;
  /** A step is done here. Never at a thread without a shard: nobody waits for that. */
  onDone(step: HandoverStep, number: number): void;
}

/** A step under way. */
interface Pending {
  readonly step: HandoverStep;
  readonly number: number;
  readonly pattern: string;
  /** How far this thread had published when it was begun; null as long as that is not known. */
  marks: Int32Array | null;
  /** How much was deferred here when that was in order; null as long as it is not. */
  deferred: DeferralMark | null;
}

/**
 * One thread's part in giving a pattern to another owner (docs/decisions/0035). Shards hold the pattern until what was published to it is in
 * order, then change the owner, then let go. A user's thread, which nobody waits for, does all that when it hears of the new owner: until
 * then the owner of before hands on what it sends.
 */
export class Handover implements Role {
  readonly #isShard: boolean;
  readonly #router: Router;
  readonly #exchange: Exchange<Topic>;
  readonly #host: HandoverHost;
  #pending: Pending | null = null;
  /** Patterns for which publishers wait, and those that are let go with the step under way. */
  readonly #held = new Set<string>();
  readonly #letting = new Set<string>();
  /** Patterns of which this thread may have what another owns now. */
  readonly #toMove = new Set<string>();

  constructor(isShard: boolean, router: Router, exchange: Exchange<Topic>, host: HandoverHost) {
    this.#isShard = isShard;
    this.#router = router;
    this.#exchange = exchange;
    this.#host = host;
  }

  onStep(step: HandoverStep, number: number, pattern: string, owner: number): void {
    if (step === handoverStep.switch) this.#switch(number, pattern, owner);
    else if (!this.#isShard) return;
    if (step === handoverStep.release) this.#release(pattern);
    else this.#begin({ step, number, pattern, marks: null, deferred: null });
  }

  #switch(number: number, pattern: string, owner: number): void {
    const before = this.#router.routes.get(pattern);
    this.#router.setOwner(pattern, owner);
    if (this.#isShard) this.#toMove.add(pattern);
    this.#exchange.alignDeliveries(number, (shard) => (owner === noOwner ? shard !== before : shard === owner));
  }

  /** Tells a thread that has just come what has owners of its own; one shard does. */
  replay(announcer: { handover(step: HandoverStep, number: number, pattern: string, owner: number): void }): void {
    for (const { pattern, owner } of this.#router.routes.all)
      announcer.handover(handoverStep.switch, 0, pattern, owner);
  }

  /** Returns whether a step is under way. */
  doWork(): boolean {
    const pending = this.#pending;
    if (pending === null) return false;
    if (pending.marks === null) this.#mark(pending);
    else if (this.#exchange.isSequenced(pending.marks) && this.#isPassed(pending) && this.#isQuiet)
      this.#finish(pending);
    return this.#pending !== null;
  }

  /** Whether what was in order here when the step's publishes were has been delivered. */
  #isPassed(pending: Pending): boolean {
    pending.deferred ??= this.#host.deferral.mark();
    return this.#host.deferral.hasPassed(pending.deferred);
  }

  /** Whether all that was sequenced here can be seen, and all that was delivered before a change has been taken. */
  get #isQuiet(): boolean {
    return !this.#exchange.congested && (this.#exchange.aligned || !this.#isShard);
  }

  #begin(step: Pending): void {
    this.#pending = step;
    this.#held.add(step.pattern);
    this.#router.holds.park(step.pattern);
    if (this.#isShard) {
      this.#exchange.holdUsers(true);
      // a late shard may hear of the end of one change and of the beginning of the next at once
      this.#letting.delete(step.pattern);
    } else this.#letting.add(step.pattern);
  }

  /** In the turn after a step was heard of: what was published and delivered before can be seen when this one ends. */
  #mark(pending: Pending): void {
    for (const pattern of this.#toMove) this.#host.onMoved(pattern);
    this.#toMove.clear();
    pending.marks = this.#exchange.markPublished();
  }

  #finish({ step, number }: Pending): void {
    this.#pending = null;
    if (this.#isShard) this.#host.onDone(step, number);
    this.#letGo();
  }

  #release(pattern: string): void {
    this.#letting.add(pattern);
    // no owner has changed, and nobody waits for this thread any more
    if (this.#pending?.step === handoverStep.park) this.#pending = null;
    if (this.#pending === null) this.#letGo();
  }

  #letGo(): void {
    if (this.#letting.size === 0) return;
    for (const pattern of this.#letting) {
      this.#held.delete(pattern);
      this.#router.holds.unpark(pattern);
    }
    this.#letting.clear();
    this.#exchange.holdUsers(this.#isShard && this.#held.size > 0);
    this.#host.onReleased();
  }
}
