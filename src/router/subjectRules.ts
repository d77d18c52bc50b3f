import { isWildcardSubject, subjectsOverlap } from '../protocol/subject.js';
import { SubjectTree } from './subjectTree.js';
import { noHome, type Topic } from './topic.js';

/** What the broker's options say of subjects, literal ones and patterns. */
export class SubjectRules {
  /** What may be published to in strict mode; null when topics come into being on first use. */
  #declared: SubjectTree<string> | null = null;
  /** What refuses what is published while it is full. */
  #refusing: SubjectTree<string> | null = null;
  /** Whose last message their owners keep; null when there are none. */
  readonly #keptLast: SubjectTree<string> | null;

  constructor(keptLast: readonly string[]) {
    this.#keptLast = keptLast.length === 0 ? null : treeOf(keptLast);
  }

  /** @param patterns null outside of strict mode */
  setDeclared(patterns: readonly string[] | null): void {
    this.#declared = patterns === null ? null : treeOf(patterns);
  }

  setRefusing(patterns: readonly string[]): void {
    this.#refusing = patterns.length === 0 ? null : treeOf(patterns);
  }

  /** Whether anything is said of any subject. */
  get any(): boolean {
    return this.#declared !== null || this.#refusing !== null || this.#keptLast !== null;
  }

  isDeclared(subject: string): boolean {
    return this.#declared === null || taking(this.#declared, subject).length > 0;
  }

  refuses(subject: string): boolean {
    return this.#refusing !== null && taking(this.#refusing, subject).length > 0;
  }

  /** Whether anything's last message is kept. */
  get keepAny(): boolean {
    return this.#keptLast !== null;
  }

  /** Whether a topic's last message is kept. An address is one only for what names it: each is used once, and `>` would keep them all. */
  keepLast({ text, kind, home }: Topic): boolean {
    if (this.#keptLast === null || kind !== 'literal') return false;
    return taking(this.#keptLast, text).some((pattern) => home === noHome || !beginsWithWildcard(pattern));
  }

  /** Whether the last message of something that a pattern takes is kept. */
  keepLastOf(pattern: string): boolean {
    let keeps = false;
    this.#keptLast?.forEach((kept) => {
      if (subjectsOverlap(kept, pattern)) keeps = true;
    });
    return keeps;
  }

  /** Whether what keeps its last message or refuses what is published to it is, by its name, among those that `overlaps` says yes to. */
  name(overlaps: (pattern: string) => boolean): boolean {
    let named = false;
    this.#refusing?.forEach((pattern) => {
      if (overlaps(pattern)) named = true;
    });
    this.#keptLast?.forEach((pattern) => {
      if (!beginsWithWildcard(pattern) && overlaps(pattern)) named = true;
    });
    return named;
  }
}

function treeOf(patterns: readonly string[]): SubjectTree<string> {
  const tree = new SubjectTree<string>();
  for (const pattern of patterns) tree.add(pattern, isWildcardSubject(pattern), pattern);
  return tree;
}

function taking(patterns: SubjectTree<string>, subject: string): string[] {
  const found: string[] = [];
  patterns.match(subject, found);
  return found;
}

function beginsWithWildcard(pattern: string): boolean {
  return pattern[0] === '>' || pattern === '*' || pattern.startsWith('*.');
}
