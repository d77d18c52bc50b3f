import { subjectMatches } from '../protocol/subject.js';
import type { InterestEntry } from './interest.js';
import type { SubjectWalk } from './subjectWalk.js';

/** Looks for who wants a subject, a slice at a time, while interest goes on changing. */
export class InterestSearch {
  readonly account: number;
  readonly #subject: string;
  readonly #walk: SubjectWalk<InterestEntry> | null;
  readonly #find: (subject: string) => InterestEntry | null;
  #entries: InterestEntry[];
  /** Subscription subjects that take it whose interest has changed since it was last looked at. */
  readonly #changed = new Set<string>();

  /** @param walk null where nobody has wanted anything with a wildcard */
  constructor(
    account: number,
    subject: string,
    walk: SubjectWalk<InterestEntry> | null,
    entries: InterestEntry[],
    find: (subject: string) => InterestEntry | null,
  ) {
    this.account = account;
    this.#subject = subject;
    this.#walk = walk;
    this.#entries = entries;
    this.#find = find;
  }

  /** Visits up to so many nodes of the tree more; returns whether the search is done. */
  step(nodes: number): boolean {
    return this.#walk === null || this.#walk.step(nodes);
  }

  /** What it has cost, in nodes. */
  get visits(): number {
    return this.#walk === null ? 1 : this.#walk.visits;
  }

  /** The interest in a subscription subject has changed. */
  note({ account, subject }: InterestEntry): void {
    if (account === this.account && subjectMatches(subject, this.#subject)) this.#changed.add(subject);
  }

  /** Whether `entries` would tell something else than when it was last asked. */
  get stale(): boolean {
    return this.#changed.size > 0;
  }

  /** Who wants the subject now, once the search is done. */
  entries(): readonly InterestEntry[] {
    if (!this.stale) return this.#entries;
    this.#entries = this.#entries.filter(({ subject }) => !this.#changed.has(subject));
    for (const subject of this.#changed) {
      const entry = this.#find(subject);
      if (entry !== null) this.#entries.push(entry);
    }
    this.#changed.clear();
    return this.#entries;
  }
}
