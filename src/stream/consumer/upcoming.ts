import { assert } from '../../base/assert.js';
import type { Counted, FilteredMessages } from '../filteredMessages.js';
import type { Steps } from '../steps.js';
import type { Stream } from '../stream.js';

/** Messages that are looked for at a time. */
const aheadMax = 256;
const nothing = new Float64Array(0);

/**
 * What a consumer has not delivered yet: which message is next, and how many there are. Only what lasts is delivered and counted.
 */
export class Upcoming {
  /**
   * All before it were delivered, or are not to be. While there are last messages of subjects to begin with it moves by one for each of them, as
   * nats-server's does; they may lie anywhere behind it.
   */
  next: number;
  readonly #stream: Stream;
  #messages: FilteredMessages;
  /** The last messages of subjects to begin with, the next one at the end; and the last of them. */
  #lasts: number[] = [];
  #upTo = 0;
  /** What was found from `next` on. */
  #ahead = nothing;
  #aheadAt = 0;
  /** Before it there is nothing that was not found. */
  #searched = 0;
  #aheadEnd = 0;
  /** Messages from `next` on; with those that are to begin with. */
  readonly #counted: Counted;
  /** Moves with what is looked for. */
  #version = 0;

  /** @param lasts the last messages of subjects to begin with, in order; null for none */
  constructor(stream: Stream, filters: readonly string[], next: number, lasts: readonly number[] | null) {
    this.#stream = stream;
    this.#messages = stream.filtered(filters);
    this.next = next;
    this.#counted = { at: next, count: 0 };
    if (lasts === null || lasts.length === 0) return;
    this.#lasts = [...lasts].reverse();
    this.#upTo = this.#lasts[0];
    this.#counted.at = this.#upTo + 1;
    this.#counted.count = this.#lasts.length;
  }

  /** What is left of the last messages to begin with, in order. */
  get lasts(): readonly number[] {
    return [...this.#lasts].reverse();
  }

  /** How many messages there are, as far as was counted. */
  get count(): number {
    return this.#counted.count;
  }

  takes(subject: string): boolean {
    return this.#messages.takes(subject);
  }

  /** Whether all of its stream. */
  get isAll(): boolean {
    return this.#messages.isAll;
  }

  /** Whether something may have come since it was counted. */
  get mayHaveMore(): boolean {
    return this.#counted.at < this.#stream.storage.committedNext;
  }

  /** Counts what has come since, so that `count` is exact. */
  *recount(): Steps {
    const { storage } = this.#stream;
    while (this.mayHaveMore) yield* this.#messages.count(this.#counted, storage.committedNext);
  }

  /** The next of those that were found; 0 when it has to be looked for. */
  get found(): number {
    if (this.#lasts.length > 0 || this.#aheadAt >= this.#aheadEnd) return 0;
    const sequence = this.#ahead[this.#aheadAt];
    return sequence >= this.next && this.#stream.has(sequence) ? sequence : 0;
  }

  /** How many of those that were found follow each other from `sequence` on, the next one; so many at most. */
  countFound(sequence: number, max: number): number {
    // those to begin with lie anywhere
    if (this.#lasts.length > 0) return 1;
    const last = Math.min(this.#aheadEnd - this.#aheadAt, max);
    let count = 1;
    while (count < last && this.#ahead[this.#aheadAt + count] === sequence + count) count++;
    return count;
  }

  /** The sequence behind those that were found. */
  get foundEnd(): number {
    return this.#aheadEnd === 0 ? 0 : this.#ahead[this.#aheadEnd - 1] + 1;
  }

  /** The next message, which stays that until `took`; 0 when there is none. */
  *find(): Steps<number> {
    const last = this.#lasts.at(-1);
    if (last !== undefined) return last;
    for (;;) {
      while (this.#aheadAt < this.#aheadEnd) {
        const sequence = this.#ahead[this.#aheadAt];
        if (sequence >= this.next && this.#stream.has(sequence)) return sequence;
        this.#aheadAt++;
      }
      const end = this.#stream.storage.committedNext;
      // most of many consumers wait
      if (this.#ahead === nothing) this.#ahead = new Float64Array(aheadMax);
      const from = Math.max(this.next, this.#searched);
      const version = this.#version;
      const found = from >= end ? 0 : yield* this.#messages.next(from, end, this.#ahead);
      // something else is looked for meanwhile
      if (this.#version !== version) continue;
      this.#aheadAt = 0;
      this.#aheadEnd = found;
      if (found > 0) continue;
      this.#searched = Math.max(this.#searched, end);
      return 0;
    }
  }

  #passLast(): void {
    this.#lasts.pop();
    this.next = this.#lasts.length === 0 ? this.#upTo + 1 : this.next + 1;
  }

  /** The next message was delivered. */
  took(sequence: number): void {
    this.#counted.count--;
    if (this.#lasts.length > 0) this.#passLast();
    else {
      this.#aheadAt++;
      this.next = sequence + 1;
    }
  }

  /** The same of messages that follow each other: `countFound` said so. */
  tookRun(first: number, count: number): void {
    if (this.#lasts.length > 0) {
      this.took(first);
      return;
    }
    this.#counted.count -= count;
    this.#aheadAt += count;
    this.next = first + count;
  }

  /** One of the last messages to begin with was acknowledged that lies behind `next`. */
  passTo(next: number): void {
    assert(this.#lasts.length > 0, 'only last messages of subjects are delivered before their turn');
    this.next = next;
  }

  /** A message goes that was not delivered. */
  onRemoved(sequence: number, takes: () => boolean): void {
    if (this.#lasts.length > 0 && sequence <= this.#upTo) {
      this.#dropLast(sequence);
      return;
    }
    if (sequence >= this.from && sequence < this.#counted.at && takes()) this.#counted.count--;
  }

  /** One of those to begin with goes. */
  #dropLast(sequence: number): void {
    const at = this.#lasts.indexOf(sequence);
    if (at < 0) return;
    this.#lasts.splice(at, 1);
    this.#counted.count--;
    this.#searched = this.#upTo + 1;
  }

  /** From where on it looks for messages, behind those to begin with. */
  get from(): number {
    return Math.max(this.next, this.#upTo + 1);
  }

  /** Goes on at another message, or with other filters. */
  moveTo(next: number, filters: readonly string[]): void {
    this.#version++;
    this.#messages = this.#stream.filtered(filters);
    this.next = next;
    this.#lasts = [];
    this.#upTo = 0;
    this.#aheadAt = this.#aheadEnd = this.#searched = 0;
    this.#counted.at = next;
    this.#counted.count = 0;
  }

  /** The consumer's filters are others. */
  filterBy(filters: readonly string[]): void {
    if (this.#lasts.length === 0) {
      this.moveTo(this.next, filters);
      return;
    }
    this.#version++;
    this.#messages = this.#stream.filtered(filters);
    this.#lasts = this.#lasts.filter((sequence) => this.#messages.takes(this.#stream.subjectOf(sequence)));
    this.#searched = this.#upTo + 1;
    this.#counted.at = this.#upTo + 1;
    this.#counted.count = this.#lasts.length;
  }

  /** All before a message have gone, or are not its business any more. */
  skipTo(next: number): void {
    if (next <= this.next) return;
    this.#version++;
    this.next = next;
    this.#counted.at = Math.max(this.#counted.at, next);
  }
}
