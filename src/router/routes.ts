import { assert } from '../base/assert.js';
import { OverlapTree } from '../protocol/overlapTree.js';
import { isWildcardSubject } from '../protocol/subject.js';
import { SubjectTree } from './subjectTree.js';

/** Who puts in order what a pattern takes. */
export interface Route {
  readonly pattern: string;
  /** A shard. */
  readonly owner: number;
}

/** Instead of a shard: a pattern gets no owner, its subjects have those again that they have by themselves. */
export const noOwner = -1;

/**
 * Owners of patterns, which go before the owners that subjects have by themselves. The same on all threads but for the moments in which
 * one changes. A topic asks once in each version.
 */
export class Routes {
  /** Moves whenever an owner changes. */
  version = 0;
  readonly #tree = new SubjectTree<Route>();
  readonly #routes = new Map<string, Route>();
  readonly #overlaps = new OverlapTree(true);

  get all(): Iterable<Route> {
    return this.#routes.values();
  }

  /** A pattern that has an owner already and takes a subject that this one takes, too; null when there is none but itself. */
  overlapping(pattern: string): string | null {
    return this.#overlaps.overlapping(pattern);
  }

  /** @param pattern overlaps with no other: whoever decides has looked */
  set(pattern: string, owner: number): void {
    const wildcard = isWildcardSubject(pattern);
    if (this.#routes.has(pattern)) this.#tree.remove(pattern, wildcard);
    const route = { pattern, owner };
    this.#routes.set(pattern, route);
    this.#tree.add(pattern, wildcard, route);
    this.#overlaps.add(pattern);
    this.version++;
  }

  delete(pattern: string): void {
    assert(this.#routes.delete(pattern), 'only a pattern that has an owner loses it');
    this.#tree.remove(pattern, isWildcardSubject(pattern));
    this.#overlaps.delete(pattern);
    this.version++;
  }

  /** The shard that owns exactly this pattern; `noOwner` when none does. */
  get(pattern: string): number {
    return this.#routes.get(pattern)?.owner ?? noOwner;
  }

  /** The shard that owns a literal subject by a pattern; `noOwner` when none does. */
  ownerOf(subject: string): number {
    return this.find(subject)?.owner ?? noOwner;
  }

  /** The pattern that has an owner and takes a literal subject; null when none does. */
  find(subject: string): Route | null {
    if (this.#routes.size === 0) return null;
    const found: Route[] = [];
    this.#tree.match(subject, found);
    assert(found.length <= 1, 'patterns with owners do not overlap');
    return found.length === 0 ? null : found[0];
  }
}
