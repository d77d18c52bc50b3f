import { firstTokenHidden } from '../protocol/subject.js';
import { endOfToken, PatternNode } from './patternNode.js';
import { SubjectWalk } from './subjectWalk.js';

/**
 * Entries by subscription subject, and all entries whose subject takes a given literal subject. Literals lie in a map;
 * only patterns with wildcards are walked, so that the cost of a match does not depend on the number of literals.
 * Subjects are latin1, one character a byte.
 */
export class SubjectTree<T> {
  readonly #literals = new Map<string, T>();
  readonly #root = new PatternNode<T>('');
  #wildcards = 0;

  get size(): number {
    return this.#literals.size + this.#wildcards;
  }

  get(subject: string, wildcard: boolean): T | null {
    if (!wildcard) return this.#literals.get(subject) ?? null;
    const path = this.#pathOf(subject);
    if (path === null) return null;
    const last = path[path.length - 1];
    return hasRest(subject) ? last.rest : last.entry;
  }

  /** Adds the entry of a subject that has none. */
  add(subject: string, wildcard: boolean, entry: T): void {
    if (!wildcard) {
      this.#literals.set(subject, entry);
      return;
    }
    this.#wildcards++;
    const node = this.#obtain(subject);
    if (hasRest(subject)) node.rest = entry;
    else node.entry = entry;
  }

  /** Removes the entry of a subject, and every node that only it needed. */
  remove(subject: string, wildcard: boolean): void {
    if (!wildcard) {
      this.#literals.delete(subject);
      return;
    }
    const path = this.#pathOf(subject);
    if (path === null) return;
    const last = path[path.length - 1];
    if (hasRest(subject)) last.rest = null;
    else last.entry = null;
    this.#wildcards--;
    this.#tidy(subject, path);
  }

  /** Visits every entry, patterns included, in no particular order. The tree must not change meanwhile. */
  forEach(visit: (entry: T) => void): void {
    for (const entry of this.#literals.values()) visit(entry);
    const nodes: PatternNode<T>[] = [this.#root];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (node.entry !== null) visit(node.entry);
      if (node.rest !== null) visit(node.rest);
      if (node.star !== null) nodes.push(node.star);
      if (node.only !== null) nodes.push(node.only);
      if (node.tokens !== null) for (const child of node.tokens.values()) nodes.push(child);
    }
  }

  /**
   * Appends to `found` the entries of all subjects that take the literal `subject`.
   *
   * @returns what it cost, in nodes visited (comparing a long stretch of one counts as several)
   */
  match(subject: string, found: T[]): number {
    const walk = this.walk(subject, found);
    if (walk === null) return 1;
    walk.step(Number.MAX_SAFE_INTEGER);
    return 1 + walk.visits;
  }

  /** The same, as far as whoever walks wants to go at a time; null when all has been found already. */
  walk(subject: string, found: T[]): SubjectWalk<T> | null {
    const literal = this.#literals.get(subject);
    if (literal !== undefined) found.push(literal);
    return this.#wildcards === 0 ? null : new SubjectWalk(this.#root, subject, found);
  }

  /**
   * Whether a pattern takes some of the subjects that are one token longer than `prefix`, but not all of them: it names the last token. Where
   * many might, true without a look at each.
   */
  tellsApart(prefix: string): boolean {
    const tokens = prefix.split('.');
    const root = this.#root;
    const named = root.named(tokens[0]);
    if (named !== null && namesLast(named, tokens, 1)) return true;
    return root.star !== null && !firstTokenHidden(tokens[0]) && namesLast(root.star, tokens, 1);
  }

  /** Whether a pattern takes some subject that goes on behind `prefix`, which ends with a dot. */
  takesBehind(prefix: string): boolean {
    const tokens = prefix.slice(0, -1).split('.');
    const { star, rest } = this.#root;
    const named = this.#root.named(tokens[0]);
    if (named !== null && goesBehind(named, tokens, 1)) return true;
    if (firstTokenHidden(tokens[0])) return false;
    return rest !== null || (star !== null && goesBehind(star, tokens, 1));
  }

  /** Whether a pattern may take subjects that begin with a token. */
  mayBegin(token: string): boolean {
    const { star, rest } = this.#root;
    return rest !== null || star !== null || this.#root.named(token) !== null;
  }

  /** The nodes from the root to where a pattern ends; null when no pattern does. */
  #pathOf(subject: string): PatternNode<T>[] | null {
    const end = pathEnd(subject);
    const path = [this.#root];
    for (let at = 0; at < end; ) {
      const tokenEnd = Math.min(endOfToken(subject, at), end);
      const node = path[path.length - 1].child(subject.slice(at, tokenEnd));
      if (node === null || !node.isOn(subject, tokenEnd + 1, end)) return null;
      path.push(node);
      at = behind(node, tokenEnd);
    }
    return path;
  }

  /** The node at which a pattern ends, made when there is none. */
  #obtain(subject: string): PatternNode<T> {
    const end = pathEnd(subject);
    let node = this.#root;
    for (let at = 0; at < end; ) {
      const tokenEnd = Math.min(endOfToken(subject, at), end);
      const token = subject.slice(at, tokenEnd);
      let next = node.child(token);
      if (next === null) {
        next = new PatternNode<T>(subject.slice(tokenEnd + 1, end));
        node.putChild(token, next);
      }
      if (!next.isOn(subject, tokenEnd + 1, end)) next.split(next.sharedLength(subject, tokenEnd + 1, end));
      node = next;
      at = behind(node, tokenEnd);
    }
    return node;
  }

  /** The last node of a path has lost an entry: it goes when it is empty, and what has one child only becomes one with it. */
  #tidy(subject: string, path: PatternNode<T>[]): void {
    const last = path.pop() as PatternNode<T>;
    const parent = path.pop();
    if (parent === undefined) return;
    if (last.empty) parent.dropChild(firstTokenOf(last, subject));
    else last.mergeOnly();
    if (path.length > 0) parent.mergeOnly();
  }
}

/** Children of a node that are looked at for one at which a pattern ends. */
const looksMax = 64;

/** Whether a pattern below a node takes the tokens from `at` on and one more, which it names. */
function namesLast<T>(node: PatternNode<T>, tokens: readonly string[], at: number): boolean {
  let next = at;
  const label = node.label === '' ? [] : node.label.split('.');
  for (const [i, token] of label.entries()) {
    if (next === tokens.length) return i === label.length - 1 && token !== '*' && node.entry !== null;
    if (token !== '*' && token !== tokens[next]) return false;
    next++;
  }
  if (next > tokens.length) return false;
  if (next === tokens.length) return endsInChild(node);
  const named = node.named(tokens[next]);
  if (named !== null && namesLast(named, tokens, next + 1)) return true;
  return node.star !== null && namesLast(node.star, tokens, next + 1);
}

/** Whether a pattern at a node or below takes subjects that have the tokens from `at` on, and more. */
function goesBehind<T>(node: PatternNode<T>, tokens: readonly string[], at: number): boolean {
  let next = at;
  for (const token of node.label === '' ? [] : node.label.split('.')) {
    if (next === tokens.length) return true;
    if (token !== '*' && token !== tokens[next]) return false;
    next++;
  }
  if (node.rest !== null) return true;
  if (next === tokens.length) return node.hasNamed || node.star !== null;
  const named = node.named(tokens[next]);
  if (named !== null && goesBehind(named, tokens, next + 1)) return true;
  return node.star !== null && goesBehind(node.star, tokens, next + 1);
}

function endsInChild<T>({ only, tokens }: PatternNode<T>): boolean {
  if (only !== null) return endsAt(only);
  if (tokens === null) return false;
  if (tokens.size > looksMax) return true;
  for (const child of tokens.values()) if (endsAt(child)) return true;
  return false;
}

function endsAt<T>({ label, entry }: PatternNode<T>): boolean {
  return label === '' && entry !== null;
}

function hasRest(pattern: string): boolean {
  return pattern === '>' || pattern.endsWith('.>');
}

/** Where the tokens of a pattern end that name nodes: a `>` at the end is none. */
function pathEnd(pattern: string): number {
  return hasRest(pattern) ? pattern.length - 2 : pattern.length;
}

/** Where a path goes on behind a node whose first token ends at `tokenEnd`. */
function behind(node: PatternNode<unknown>, tokenEnd: number): number {
  return tokenEnd + 1 + (node.label === '' ? 0 : node.label.length + 1);
}

/** The token that a node, the last of a pattern's path, begins with. */
function firstTokenOf(node: PatternNode<unknown>, pattern: string): string {
  const end = pathEnd(pattern) - (node.label === '' ? 0 : node.label.length + 1);
  return pattern.slice(pattern.lastIndexOf('.', end - 1) + 1, end);
}
