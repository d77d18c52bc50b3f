import { OverlapTree } from '../protocol/overlapTree.js';
import type { StreamContents } from './contents.js';
import { MessageSearch } from './messageIndex.js';
import type { Steps } from './steps.js';
import { SubjectFilter } from './subjectFilter.js';

/** So many filters are asked one by one: that takes less than to go down a tree. */
const listedMax = 8;

/** Where a count of messages has come to. */
export interface Counted {
  /** All before it are counted. */
  at: number;
  count: number;
}

/** The messages of a stream whose subjects one of some filters takes. */
export class FilteredMessages {
  readonly isAll: boolean;
  readonly #contents: StreamContents;
  readonly #filters: readonly SubjectFilter[];
  /** The one subject that is taken; null for patterns and for several. */
  readonly #literal: string | null;
  /** The same, where they are many. */
  readonly #tree: OverlapTree | null = null;
  readonly #takes = (subject: string): boolean => this.takes(subject);

  /** @param filters subjects or patterns, one byte a character, that do not overlap; none for all messages */
  constructor(contents: StreamContents, filters: readonly string[]) {
    this.#contents = contents;
    this.#filters = filters.map((filter) => new SubjectFilter(filter));
    const [first] = this.#filters;
    this.#literal = this.#filters.length === 1 && first.isLiteral ? first.text : null;
    this.isAll = filters.length === 0 || this.#filters.some(({ isAll }) => isAll);
    if (filters.length > listedMax) this.#tree = treeOf(filters);
  }

  takes(subject: string): boolean {
    if (this.isAll) return true;
    if (this.#tree !== null) return this.#tree.overlapping(subject, '') !== null;
    return this.#filters.some((filter) => filter.takes(subject));
  }

  /**
   * Finds the next messages at a sequence or behind it, and before another one.
   *
   * @param into as many as it has room for, in order
   * @returns how many; fewer than there is room for when there are no more
   */
  *next(from: number, end: number, into: Float64Array): Steps<number> {
    if (this.isAll) return this.#contents.messages.collect(from, end, into);
    let count = 0;
    let at = from;
    while (count < into.length) {
      const found = yield* this.#contents.nextTaken(at, this.#literal, this.#takes);
      if (found === 0 || found >= end) break;
      into[count++] = found;
      at = found + 1;
    }
    return count;
  }

  /** Goes on counting up to a sequence. What goes meanwhile is for whoever counts to take off, if it was counted. */
  *count(counted: Counted, end: number): Steps {
    const { messages } = this.#contents;
    if (this.isAll) {
      if (counted.at < end) counted.count += messages.countFrom(counted.at) - messages.countFrom(end);
      counted.at = Math.max(counted.at, end);
      return;
    }
    while (counted.at < end) {
      const search = new MessageSearch(counted.at);
      counted.count += messages.count(search, this.#contents.taking(this.#takes), end);
      counted.at = search.at === 0 ? end : Math.min(end, search.at);
      yield;
    }
  }
}

function treeOf(filters: readonly string[]): OverlapTree {
  const tree = new OverlapTree(false);
  for (const filter of filters) tree.add(filter);
  return tree;
}
