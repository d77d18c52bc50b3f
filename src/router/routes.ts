import { assert } from '../base/assert.js';
import { isWildcardSubject, subjectsOverlap } from '../protocol/subject.js';
import { SubjectTree } from './subjectTree.js';

/** Who puts in order what a pattern takes. */
export interface Route {
  readonly pattern: string;
  /** A shard. */
  readonly owner: number;
}

/**
 * Owners of patterns, which go before the owners that subjects have by themselves. The same on all threads but for the moments in which
 * one changes. A topic asks once in each version.
 */
export class Routes {
  /** Moves whenever an owner changes. */
  version = 0;
  readonly #tree = new SubjectTree<Route>();
  readonly #routes = new Map<string, Route>();

  get all(): Iterable<Route> {
    return this.#routes.values();
  }

  /** A pattern that has an owner already and takes a subject that this one takes, too; null when there is none but itself. */
  overlapping(pattern: string): string | null {
    for (const other of this.#routes.keys()) if (other !== pattern && subjectsOverlap(other, pattern)) return other;
    return null;
  }

  /** @param pattern overlaps with no other: whoever decides has looked */
  set(pattern: string, owner: number): void {
    const wildcard = isWildcardSubject(pattern);
    if (this.#routes.has(pattern)) this.#tree.remove(pattern, wildcard);
    const route = { pattern, owner };
    this.#routes.set(pattern, route);
    this.#tree.add(pattern, wildcard, route);
    this.version++;
  }

  /** The shard that owns a literal subject by a pattern; -1 when none does. */
  ownerOf(subject: string): number {
    if (this.#routes.size === 0) return -1;
    const found: Route[] = [];
    this.#tree.match(subject, found);
    assert(found.length <= 1, 'patterns with owners do not overlap');
    return found.length === 0 ? -1 : found[0].owner;
  }
}
