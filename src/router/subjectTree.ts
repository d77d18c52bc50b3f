import { firstTokenHidden } from '../protocol/subject.js';
import { endOfToken, PatternNode } from './patternNode.js';

/** Bytes of a long label whose comparison counts as much as a visit to one node. */
const bytesPerVisit = 64;

/** Room that stays for the visits of the next match. */
const keptVisits = 1024;

/**
 * Entries by subscription subject, and all entries whose subject takes a given literal subject. Literals lie in a map;
 * only patterns with wildcards are walked, so that the cost of a match does not depend on the number of literals.
 * Subjects are latin1, one character a byte.
 */
export class SubjectTree<T> {
  readonly #literals = new Map<string, T>();
  readonly #root = new PatternNode<T>('');
  #wildcards = 0;
  /** Nodes that a match visits, and where the subject goes on behind each of them; between matches they hold nothing that may go. */
  readonly #nodes: PatternNode<T>[] = [];
  readonly #positions: number[] = [];

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
    const literal = this.#literals.get(subject);
    if (literal !== undefined) found.push(literal);
    return this.#wildcards === 0 ? 1 : 1 + this.#matchPatterns(subject, found);
  }

  /** Breadth first: no recursion, however deep a subject is, and nodes in turn mostly look for the same token. */
  #matchPatterns(subject: string, found: T[]): number {
    const nodes = this.#nodes;
    const positions = this.#positions;
    let count = this.#beginMatch(subject, found);
    let visits = 0;
    let start = 0;
    let end = 0;
    let token = '';
    for (let i = 0; i < count; i++) {
      const node = nodes[i];
      const at = node.label === '' ? positions[i] : node.take(subject, positions[i]);
      visits += 1 + ((node.label.length / bytesPerVisit) | 0);
      if (at < 0) continue;
      if (at > subject.length) {
        if (node.entry !== null) found.push(node.entry);
        continue;
      }
      if (node.rest !== null) found.push(node.rest);
      if (node.star === null && !node.hasNamed) continue;
      if (at !== start) {
        start = at;
        end = endOfToken(subject, start);
        token = subject.slice(start, end);
      }
      const named = node.named(token);
      if (named !== null) {
        nodes[count] = named;
        positions[count++] = end + 1;
      }
      if (node.star !== null) {
        nodes[count] = node.star;
        positions[count++] = end + 1;
      }
    }
    nodes.fill(this.#root, 0, count);
    if (count > keptVisits) this.#shrink();
    return visits + 1;
  }

  /** The root is another matter: its wildcards do not take every first token. Returns how many nodes there are to visit. */
  #beginMatch(subject: string, found: T[]): number {
    const root = this.#root;
    const end = endOfToken(subject, 0);
    const token = subject.slice(0, end);
    let count = 0;
    const visitLater = (node: PatternNode<T>) => {
      this.#nodes[count] = node;
      this.#positions[count++] = end + 1;
    };
    const named = root.named(token);
    if (named !== null) visitLater(named);
    if (firstTokenHidden(token)) return count;
    if (root.rest !== null) found.push(root.rest);
    if (root.star !== null) visitLater(root.star);
    return count;
  }

  #shrink(): void {
    this.#nodes.length = 0;
    this.#positions.length = 0;
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
