import { handoverWaitMs } from '../base/limits.js';
import type { Role } from '../base/role.js';
import { type HandoverStep, handoverStep } from '../exchange/roles.js';
import type { Router } from './router.js';
import { noOwner } from './routes.js';

/** A pattern has not got another owner, or not everybody has said so in time. */
export class OwnerChangeError extends Error {
  /** Whether the pattern has the new owner all the same. */
  readonly changed: boolean;

  constructor(what: string, changed: boolean) {
    super(what);
    this.name = 'OwnerChangeError';
    this.changed = changed;
  }
}

/** How all threads, the decider's own among them, are told of a step. */
export type AnnounceStep = (step: HandoverStep, number: number, pattern: string, owner: number) => void;

interface Change {
  readonly pattern: string;
  readonly owner: number;
  readonly resolve: () => void;
  readonly reject: (error: OwnerChangeError) => void;
}

interface Round {
  readonly change: Change;
  readonly step: HandoverStep;
  /** Shards that have not done the step. */
  readonly awaited: Set<number>;
  /** Since when they are waited for. */
  readonly startMs: number;
}

/** Decides which pattern gets another owner next: one at a time, on one thread of the broker. */
export class OwnerChanges implements Role {
  readonly #shards: number;
  readonly #router: Router;
  readonly #announce: AnnounceStep;
  readonly #now: () => number;
  readonly #waiting: Change[] = [];
  #round: Round | null = null;
  #number = 0;

  constructor(shards: number, router: Router, announce: AnnounceStep, now: () => number = () => performance.now()) {
    this.#shards = shards;
    this.#router = router;
    this.#announce = announce;
    this.#now = now;
  }

  /**
   * Gives a pattern an owner, another one, or none. Whoever hears of it publishes to the new one.
   *
   * @param owner a shard, or `noOwner`: each of the pattern's subjects has its own again
   * @throws rejects with OwnerChangeError when the pattern overlaps with another one that has an owner or whose last messages are kept, when it
   * has no owner that it could lose, or when a shard does not answer for `handoverWaitMs`: everybody has been let go then, and `changed` says who the owner is
   */
  change(pattern: string, owner: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ pattern, owner, resolve, reject });
      if (this.#round === null) this.#next();
    });
  }

  /** A shard has done a step. */
  onDone(shard: number, step: HandoverStep, number: number): void {
    const round = this.#round;
    if (round === null || number !== this.#number || step !== round.step) return;
    round.awaited.delete(shard);
    if (round.awaited.size > 0) return;
    if (step === handoverStep.park) this.#begin(round.change, handoverStep.switch);
    else this.#end(round.change, null);
  }

  /** Gives up a round that takes too long. */
  doWork(): boolean {
    const round = this.#round;
    if (round === null || this.#now() - round.startMs < handoverWaitMs) return false;
    this.#end(round.change, lateError(round));
    return true;
  }

  #next(): void {
    for (let change = this.#waiting.shift(); change !== undefined; change = this.#waiting.shift()) {
      const refusal = this.#refusalOf(change);
      if (refusal === null) {
        this.#number++;
        this.#begin(change, handoverStep.park);
        return;
      }
      change.reject(new OwnerChangeError(refusal, false));
    }
  }

  #refusalOf({ pattern, owner }: Change): string | null {
    const { routes } = this.#router;
    if (owner === noOwner) return routes.get(pattern) === noOwner ? `${pattern} has no owner` : null;
    const other = routes.overlapping(pattern);
    if (other !== null) return `${pattern} overlaps with ${other}, which has an owner`;
    return this.#router.keepsLastOf(pattern) ? `${pattern} overlaps with subjects whose last messages are kept` : null;
  }

  #begin(change: Change, step: HandoverStep): void {
    const awaited = new Set(Array.from({ length: this.#shards }, (_, shard) => shard));
    this.#round = { change, step, awaited, startMs: this.#now() };
    this.#announce(step, this.#number, change.pattern, change.owner);
  }

  #end(change: Change, error: OwnerChangeError | null): void {
    this.#round = null;
    this.#announce(handoverStep.release, this.#number, change.pattern, change.owner);
    if (error === null) change.resolve();
    else change.reject(error);
    this.#next();
  }
}

function lateError({ change: { pattern, owner }, step, awaited }: Round): OwnerChangeError {
  const changed = step === handoverStep.switch;
  const shards = `shard ${[...awaited].join(', ')} did not answer within ${handoverWaitMs} ms`;
  const what = changed
    ? `has ${owner === noOwner ? 'no owner any more' : `shard ${owner} as its owner`}, but`
    : 'keeps its owner:';
  return new OwnerChangeError(`${pattern} ${what} ${shards}`, changed);
}
