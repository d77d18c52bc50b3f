import { latin1Bytes, latin1String } from '../base/bytes.js';
import { dot, star } from '../protocol/ascii.js';
import { hasStarToken } from '../protocol/subject.js';

/**
 * A node of the tree of wildcard patterns. Its first token is how its parent knows it (a key of `tokens`, or `star`); `label` holds the
 * tokens after that one up to where patterns differ or one of them ends: so a pattern makes two nodes at most, however long it is.
 */
export class PatternNode<T> {
  /** Tokens joined by dots; '' when the node is one token long. */
  label: string;
  /** Whether a token of the label is `*`. */
  starred: boolean;
  /** The only named child, as most have, and its token; or all of them, when there are more or have been. */
  onlyToken = '';
  only: PatternNode<T> | null = null;
  tokens: Map<string, PatternNode<T>> | null = null;
  star: PatternNode<T> | null = null;
  /** The entry of the pattern that ends here. */
  entry: T | null = null;
  /** The entry of the pattern that ends in `>` behind this node. */
  rest: T | null = null;

  constructor(label: string) {
    this.label = ownText(label);
    this.starred = hasStarToken(label);
  }

  child(token: string): PatternNode<T> | null {
    return token === '*' ? this.star : this.named(token);
  }

  named(token: string): PatternNode<T> | null {
    if (this.only !== null) return this.onlyToken === token ? this.only : null;
    return this.tokens === null ? null : (this.tokens.get(token) ?? null);
  }

  get hasNamed(): boolean {
    return this.only !== null || this.tokens !== null;
  }

  putChild(token: string, node: PatternNode<T>): void {
    if (token === '*') this.star = node;
    else if (!this.hasNamed) {
      this.onlyToken = ownText(token);
      this.only = node;
    } else {
      this.tokens ??= new Map([[this.onlyToken, this.only as PatternNode<T>]]);
      this.only = null;
      this.tokens.set(ownText(token), node);
    }
  }

  dropChild(token: string): void {
    if (token === '*') this.star = null;
    else if (this.only !== null) this.only = null;
    else if (this.tokens?.delete(token) && this.tokens.size === 0) this.tokens = null;
  }

  get empty(): boolean {
    return this.entry === null && this.rest === null && !this.hasNamed && this.star === null;
  }

  /** Whether a pattern goes on with the whole label behind the dot at `at`. */
  isOn(pattern: string, at: number, end: number): boolean {
    const labelEnd = at + this.label.length;
    if (this.label === '') return true;
    return labelEnd <= end && pattern.startsWith(this.label, at) && (labelEnd === end || pattern[labelEnd] === '.');
  }

  /** How much of the label a pattern has, behind the dot at `at`: the length of the tokens that are the same. */
  sharedLength(pattern: string, at: number, end: number): number {
    const { label } = this;
    let shared = 0;
    for (let i = 0; ; i++) {
      const labelEnds = i === label.length || label.charCodeAt(i) === dot;
      const patternEnds = at + i >= end || pattern.charCodeAt(at + i) === dot;
      if (labelEnds && patternEnds) shared = i;
      if (i === label.length || at + i >= end || label.charCodeAt(i) !== pattern.charCodeAt(at + i)) return shared;
    }
  }

  /** Ends the label after its first `length` bytes; all else moves to a new child. */
  split(length: number): void {
    const { label } = this;
    const tokenStart = length === 0 ? 0 : length + 1;
    const tokenEnd = endOfToken(label, tokenStart);
    const lower = new PatternNode<T>(label.slice(tokenEnd + 1));
    lower.#take(this);
    this.label = ownText(label.slice(0, length));
    this.starred = hasStarToken(this.label);
    this.only = null;
    this.tokens = null;
    this.star = null;
    this.entry = null;
    this.rest = null;
    this.putChild(label.slice(tokenStart, tokenEnd), lower);
  }

  /** Becomes one with its only child, when no pattern ends between the two. */
  mergeOnly(): void {
    if (this.entry !== null || this.rest !== null) return;
    const named = this.only === null ? (this.tokens?.size ?? 0) : 1;
    if (named + (this.star === null ? 0 : 1) !== 1) return;
    const [token, child] = this.#onlyChild();
    this.label = ownText([this.label, token, child.label].filter((part) => part !== '').join('.'));
    this.starred = hasStarToken(this.label);
    this.#take(child);
  }

  #onlyChild(): [string, PatternNode<T>] {
    if (this.only !== null) return [this.onlyToken, this.only];
    for (const named of this.tokens ?? []) return named;
    return ['*', this.star as PatternNode<T>];
  }

  #take(other: PatternNode<T>): void {
    this.onlyToken = other.onlyToken;
    this.only = other.only;
    this.tokens = other.tokens;
    this.star = other.star;
    this.entry = other.entry;
    this.rest = other.rest;
  }

  /**
   * Where a literal subject goes on behind this node, when `at` is where it goes on behind the node's first token; -1 when the label does
   * not take it. A subject that has ended goes on behind its length.
   */
  take(subject: string, at: number): number {
    const { label } = this;
    if (label === '') return at;
    if (this.starred) return takeStarred(label, subject, at);
    const end = at + label.length;
    if (end > subject.length || !subject.startsWith(label, at)) return -1;
    return end === subject.length || subject.charCodeAt(end) === dot ? end + 1 : -1;
  }
}

/** The same for a label with `*` in it, token by token. */
function takeStarred(label: string, subject: string, at: number): number {
  let position = at;
  for (let i = 0; i <= label.length; ) {
    if (position > subject.length) return -1;
    const end = endOfToken(subject, position);
    const labelEnd = endOfToken(label, i);
    const any = labelEnd === i + 1 && label.charCodeAt(i) === star;
    if (!any && (labelEnd - i !== end - position || !sameBytes(label, i, labelEnd, subject, position))) return -1;
    i = labelEnd + 1;
    position = end + 1;
  }
  return position;
}

function sameBytes(text: string, start: number, end: number, other: string, at: number): boolean {
  for (let i = start; i < end; i++) if (text.charCodeAt(i) !== other.charCodeAt(at + i - start)) return false;
  return true;
}

/** Where the token that begins at `start` ends. */
export function endOfToken(subject: string, start: number): number {
  const end = subject.indexOf('.', start);
  return end < 0 ? subject.length : end;
}

/** A copy of its own: a slice would keep the whole text alive that it was cut from, long after that one's subscription. */
function ownText(text: string): string {
  return latin1String(latin1Bytes(text), 0, text.length);
}
