import { subjectMatches } from '../protocol/subject.js';
import type { InterestEntry } from './interestEntry.js';
import type { SubjectWalk } from './subjectWalk.js';

/** Looks for who wants a subject, a slice at a time, while interest goes on changing. */
export class InterestSearch {
  readonly account: number;
  readonly #subject: string;
  /** Null when there is nothing left to be visited. */
  #walk: SubjectWalk<InterestEntry> | null;
  /** What it has cost, in nodes. */
  visits = 1;
  #entries: InterestEntry[];
  /** Entries that take it, or did, and have changed since somebody last looked. */
  #changed = new Set<InterestEntry>();

  /** @param walk null where nobody has wanted anything with a wildcard */
  constructor(account: number, subject: string, walk: SubjectWalk<InterestEntry> | null, entries: InterestEntry[]) {
    this.account = account;
    this.#subject = subject;
    this.#walk = walk;
    this.#entries = entries;
  }

  /** Visits up to so many nodes of the tree more; returns whether the search is done. */
  step(nodes: number): boolean {
    if (this.#walk === null) return true;
    const done = this.#walk.step(nodes);
    this.visits = this.#walk.visits;
    // it remembers every node
    if (done) this.#walk = null;
    return done;
  }

  /** The interest in a subscription subject has changed. */
  note(entry: InterestEntry): void {
    if (entry.account === this.account && subjectMatches(entry.subject, this.#subject)) this.#changed.add(entry);
  }

  /** Whether `entries` would tell something else than when it was last asked. */
  get stale(): boolean {
    return this.#changed.size > 0;
  }

  /** Who wants the subject now, once the search is done. */
  entries(): readonly InterestEntry[] {
    if (!this.stale) return this.#entries;
    const changed = this.takeChanged();
    this.#entries = this.#entries.filter((entry) => !changed.has(entry));
    for (const entry of changed) if (!entry.empty) this.#entries.push(entry);
    return this.#entries;
  }

  /** The entries that have changed since somebody last looked: those that are empty have gone, and are never used again. */
  takeChanged(): ReadonlySet<InterestEntry> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }
}
