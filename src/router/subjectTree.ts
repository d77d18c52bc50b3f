import { firstTokenHidden } from '../protocol/subject.js';

/** One level of the wildcard patterns: tokens by name, `*`, and the pattern that ends in `>` here. */
class TreeLevel<T> {
  readonly tokens = new Map<string, TreeLevel<T>>();
  star: TreeLevel<T> | null = null;
  /** The entry of the pattern that ends at this level. */
  entry: T | null = null;
  /** The entry of the pattern that ends in `>` below this level. */
  rest: T | null = null;

  get empty(): boolean {
    return this.tokens.size === 0 && this.star === null && this.entry === null && this.rest === null;
  }
}

/**
 * Entries by subscription subject, and all entries whose subject takes a given literal subject. Literals lie in a map;
 * only patterns with wildcards are walked, so that the cost of a match does not depend on the number of literals.
 */
export class SubjectTree<T> {
  readonly #literals = new Map<string, T>();
  readonly #root = new TreeLevel<T>();
  #wildcards = 0;

  get size(): number {
    return this.#literals.size + this.#wildcards;
  }

  get(subject: string, wildcard: boolean): T | null {
    if (!wildcard) return this.#literals.get(subject) ?? null;
    let level: TreeLevel<T> = this.#root;
    for (const token of subject.split('.')) {
      if (token === '>') return level.rest;
      const next = token === '*' ? level.star : level.tokens.get(token);
      if (!next) return null;
      level = next;
    }
    return level.entry;
  }

  /** Adds the entry of a subject that has none. */
  add(subject: string, wildcard: boolean, entry: T): void {
    if (!wildcard) {
      this.#literals.set(subject, entry);
      return;
    }
    this.#wildcards++;
    let level: TreeLevel<T> = this.#root;
    for (const token of subject.split('.')) {
      if (token === '>') {
        level.rest = entry;
        return;
      }
      let next = token === '*' ? level.star : level.tokens.get(token);
      if (!next) {
        next = new TreeLevel<T>();
        if (token === '*') level.star = next;
        else level.tokens.set(token, next);
      }
      level = next;
    }
    level.entry = entry;
  }

  /** Removes the entry of a subject, and every level that only it needed. */
  remove(subject: string, wildcard: boolean): void {
    if (!wildcard) {
      this.#literals.delete(subject);
      return;
    }
    const tokens = subject.split('.');
    const path: TreeLevel<T>[] = [this.#root];
    for (const token of tokens) {
      if (token === '>') break;
      const level = path[path.length - 1];
      const next = token === '*' ? level.star : level.tokens.get(token);
      if (!next) return;
      path.push(next);
    }
    const last = path[path.length - 1];
    if (tokens[tokens.length - 1] === '>') last.rest = null;
    else last.entry = null;
    this.#wildcards--;
    for (let depth = path.length - 1; depth > 0 && path[depth].empty; depth--) {
      const token = tokens[depth - 1];
      if (token === '*') path[depth - 1].star = null;
      else path[depth - 1].tokens.delete(token);
    }
  }

  /** Visits every entry, patterns included, in no particular order. The tree must not change meanwhile. */
  forEach(visit: (entry: T) => void): void {
    for (const entry of this.#literals.values()) visit(entry);
    const levels: TreeLevel<T>[] = [this.#root];
    for (let level = levels.pop(); level !== undefined; level = levels.pop()) {
      if (level.entry !== null) visit(level.entry);
      if (level.rest !== null) visit(level.rest);
      if (level.star !== null) levels.push(level.star);
      levels.push(...level.tokens.values());
    }
  }

  /** Appends to `found` the entries of all subjects that take the literal `subject`. */
  match(subject: string, found: T[]): void {
    const literal = this.#literals.get(subject);
    if (literal !== undefined) found.push(literal);
    if (this.#wildcards === 0) return;
    const tokens = subject.split('.');
    // levels reached by the tokens so far, breadth first: no recursion, however deep a subject is
    let levels: TreeLevel<T>[] = [this.#root];
    for (let i = 0; i < tokens.length && levels.length > 0; i++) {
      const wildcardsAllowed = i > 0 || !firstTokenHidden(tokens[0]);
      const next: TreeLevel<T>[] = [];
      for (const level of levels) {
        if (wildcardsAllowed && level.rest !== null) found.push(level.rest);
        const child = level.tokens.get(tokens[i]);
        if (child) next.push(child);
        if (wildcardsAllowed && level.star !== null) next.push(level.star);
      }
      levels = next;
    }
    for (const level of levels) if (level.entry !== null) found.push(level.entry);
  }
}
