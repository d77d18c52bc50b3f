import { streamStepMessages } from '../base/limits.js';
import type { StreamConsumers } from './consumer/streamConsumers.js';
import type { StreamContents } from './contents.js';
import type { StreamSearch } from './search.js';
import type { Steps } from './steps.js';
import { SubjectFilter } from './subjectFilter.js';

/**
 * What a purge removes: the messages of some subjects below a sequence, which is given to none after it. So whoever carries it out once more
 * removes nothing that came later.
 */
export interface PurgeOrder {
  /** Which subjects: a pattern. */
  readonly filter: string;
  readonly below: number;
  /** The next message gets this sequence, or a higher one: `below`, or one beyond it. */
  readonly next: number;
}

/** Removes many messages of a stream, as clients ask for it. */
export class StreamPurges {
  readonly #contents: StreamContents;
  readonly #search: StreamSearch;
  readonly #consumers: StreamConsumers;
  readonly #onDone: () => void;

  /** @param onDone told at the end of each purge */
  constructor(contents: StreamContents, search: StreamSearch, consumers: StreamConsumers, onDone: () => void) {
    this.#contents = contents;
    this.#search = search;
    this.#consumers = consumers;
    this.#onDone = onDone;
  }

  /**
   * All messages below a sequence; when that is beyond the next one, that sequence is the next.
   *
   * @param sequence at most `sequenceStartMax`, or the next one
   */
  below(sequence: number): PurgeOrder {
    return this.#order('>', sequence, sequence);
  }

  /** All but the newest messages. */
  toNewest(keep: number): PurgeOrder {
    return this.subjects('>', this.#contents.messages.newest(keep));
  }

  /** The messages of some subjects below a sequence. */
  subjects(filter: string, sequence: number): PurgeOrder {
    return this.#order(filter, sequence, 0);
  }

  #order(filter: string, sequence: number, next: number): PurgeOrder {
    const below = Math.min(sequence, this.#contents.storage.nextSequence);
    return { filter, below, next: Math.max(below, next) };
  }

  /** All but the newest messages of some subjects together. */
  *subjectsToNewest(filter: string, keep: number): Steps<PurgeOrder> {
    const taken = new SubjectFilter(filter);
    let last = 0;
    for (let left = (yield* this.#search.countOf(taken, 0)) - keep; left > 0; left--) {
      const next = yield* this.#search.nextOf(taken, last + 1);
      if (next === 0) break;
      last = next;
      if (left % streamStepMessages === 0) yield;
    }
    return this.subjects(filter, last + 1);
  }

  /** The messages that are to be removed, when they are so few that they are removed at once: by `remove`. */
  *few({ filter, below }: PurgeOrder): Steps<number[] | null> {
    const taken = new SubjectFilter(filter);
    const countMax = Math.min(streamStepMessages, this.#contents.storage.togetherMax - 1);
    const found: number[] = [];
    for (let at = yield* this.#search.nextOf(taken, 0); at !== 0 && at < below; ) {
      if (found.length === countMax) return null;
      found.push(at);
      at = yield* this.#search.nextOf(taken, at + 1);
    }
    return found;
  }

  /** Removes few messages at once, as far as they are still there: a crash leaves all of them or none. Returns how many there were. */
  *remove(few: readonly number[], order: PurgeOrder): Steps<number> {
    const contents = this.#contents;
    const there = few.filter((sequence) => contents.has(sequence));
    contents.storage.together(there.length + 1);
    for (const sequence of there) contents.remove(sequence);
    this.#skipTo(order.next);
    yield* this.#end(order);
    return there.length;
  }

  /** Removes what is ordered, in steps; returns how many messages there were. */
  *carryOut(order: PurgeOrder): Steps<number> {
    const { filter, below, next } = order;
    const taken = new SubjectFilter(filter);
    let removed = 0;
    if (taken.isAll && below === this.#contents.storage.nextSequence) this.#consumers.beginPurge();
    for (let at = yield* this.#search.nextOf(taken, 0); at !== 0 && at < below; ) {
      this.#contents.remove(at);
      if (++removed % streamStepMessages === 0) yield;
      at = yield* this.#search.nextOf(taken, at + 1);
    }
    this.#skipTo(next);
    yield* this.#end(order);
    return removed;
  }

  #skipTo(next: number): void {
    const { storage } = this.#contents;
    if (next > storage.nextSequence) storage.skipTo(next);
  }

  *#end({ filter }: PurgeOrder): Steps {
    const left = this.#consumers.size === 0 ? 0 : yield* this.#search.nextOf(new SubjectFilter(filter), 0);
    this.#consumers.endPurge(filter, left || this.#contents.storage.nextSequence);
    this.#onDone();
  }
}
