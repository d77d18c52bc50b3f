import { firstTokenHidden } from './subject.js';

class Node {
  readonly children = new Map<string, Node>();
  /** What ends here. */
  pattern: string | null = null;
}

/** A place in the tree to go on from, and how many tokens of what is looked for led there. */
interface Place {
  readonly node: Node;
  readonly depth: number;
}

/**
 * Subjects and patterns by their tokens, to find one that has a subject in common with another: what that takes grows with what may meet, and not with
 * all there is.
 */
export class OverlapTree {
  readonly #root = new Node();
  readonly #hides: boolean;

  /** @param hides whether a wildcard takes no first token that begins with `$`, as for subscriptions */
  constructor(hides: boolean) {
    this.#hides = hides;
  }

  add(pattern: string): void {
    let node = this.#root;
    for (const token of pattern.split('.')) {
      let child = node.children.get(token);
      if (child === undefined) {
        child = new Node();
        node.children.set(token, child);
      }
      node = child;
    }
    node.pattern = pattern;
  }

  /** Takes away a pattern that was added. */
  delete(pattern: string): void {
    const tokens = pattern.split('.');
    const path = [this.#root];
    for (const token of tokens) path.push(path.at(-1)!.children.get(token)!);
    path.at(-1)!.pattern = null;
    for (let depth = tokens.length; depth > 0 && isEmpty(path[depth]!); depth--)
      path[depth - 1]!.children.delete(tokens[depth - 1]!);
  }

  /** One that takes a subject which this one takes, too; null when there is none. @param except is not looked for: itself where nothing is said */
  overlapping(pattern: string, except: string = pattern): string | null {
    const tokens = pattern.split('.');
    const places: Place[] = [{ node: this.#root, depth: 0 }];
    for (let place = places.pop(); place !== undefined; place = places.pop()) {
      const { node, depth } = place;
      if (depth === tokens.length) {
        if (node.pattern !== null && node.pattern !== except) return node.pattern;
        if (tokens[depth - 1] === '>') for (const child of node.children.values()) places.push({ node: child, depth });
        continue;
      }
      const token = tokens[depth] as string;
      const rest = node.children.get('>')?.pattern ?? except;
      if (rest !== except && !this.#isHidden(token, depth)) return rest;
      for (const child of this.#meeting(node, token, depth)) places.push({ node: child, depth: depth + 1 });
    }
    return null;
  }

  /** Children that a token meets. */
  *#meeting(node: Node, token: string, depth: number): Iterable<Node> {
    if (token === '*' || token === '>') {
      for (const [name, child] of node.children) if (!this.#isHidden(name, depth)) yield child;
      return;
    }
    const same = node.children.get(token);
    if (same !== undefined) yield same;
    const any = node.children.get('*');
    if (any !== undefined && !this.#isHidden(token, depth)) yield any;
  }

  #isHidden(token: string, depth: number): boolean {
    return this.#hides && depth === 0 && firstTokenHidden(token);
  }
}

function isEmpty({ children, pattern }: Node): boolean {
  return children.size === 0 && pattern === null;
}
