import { firstTokenHidden } from '../protocol/subject.js';
import { endOfToken, type PatternNode } from './patternNode.js';

/** Bytes of a long label whose comparison counts as much as a visit to one node. */
const bytesPerVisit = 64;

/**
 * One search of the tree of patterns for those that take a literal subject. Breadth first: no recursion, however deep a subject is, and nodes
 * in turn mostly look for the same token. It can be left and gone on with while patterns come and go: what is there all the time is found
 * just once, since a node that is split or becomes one with its child keeps, for who is on the way to it, all that was behind it.
 */
export class SubjectWalk<T> {
  readonly found: T[];
  /** What it has cost, in nodes visited (comparing a long stretch of one counts as several). */
  visits = 1;
  readonly #subject: string;
  /** Nodes that are to be visited, and where the subject goes on behind the first token of each. */
  readonly #nodes: PatternNode<T>[] = [];
  readonly #positions: number[] = [];
  #next = 0;

  constructor(root: PatternNode<T>, subject: string, found: T[]) {
    this.#subject = subject;
    this.found = found;
    this.#begin(root);
  }

  /** The root is another matter: its wildcards do not take every first token. */
  #begin(root: PatternNode<T>): void {
    const end = endOfToken(this.#subject, 0);
    const token = this.#subject.slice(0, end);
    const named = root.named(token);
    if (named !== null) this.#visitLater(named, end + 1);
    if (firstTokenHidden(token)) return;
    if (root.rest !== null) this.found.push(root.rest);
    if (root.star !== null) this.#visitLater(root.star, end + 1);
  }

  #visitLater(node: PatternNode<T>, position: number): void {
    this.#nodes.push(node);
    this.#positions.push(position);
  }

  /** Visits up to so many nodes more; returns whether there are none left. */
  step(nodes: number): boolean {
    const subject = this.#subject;
    const last = this.#next + nodes;
    let start = 0;
    let end = 0;
    let token = '';
    for (; this.#next < this.#nodes.length; this.#next++) {
      if (this.#next >= last) return false;
      const node = this.#nodes[this.#next];
      const position = this.#positions[this.#next];
      const at = node.label === '' ? position : node.take(subject, position);
      this.visits += 1 + ((node.label.length / bytesPerVisit) | 0);
      if (at < 0) continue;
      if (at > subject.length) {
        if (node.entry !== null) this.found.push(node.entry);
        continue;
      }
      if (node.rest !== null) this.found.push(node.rest);
      if (node.star === null && !node.hasNamed) continue;
      if (at !== start) {
        start = at;
        end = endOfToken(subject, start);
        token = subject.slice(start, end);
      }
      const named = node.named(token);
      if (named !== null) this.#visitLater(named, end + 1);
      if (node.star !== null) this.#visitLater(node.star, end + 1);
    }
    return true;
  }
}
