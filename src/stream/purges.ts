import { streamStepMessages } from '../base/limits.js';
import type { StreamContents } from './contents.js';
import type { StreamSearch } from './search.js';
import type { Steps } from './steps.js';
import type { SubjectFilter } from './subjectFilter.js';

/** Removes many messages of a stream, as clients ask for it. */
export class StreamPurges {
  readonly #contents: StreamContents;
  readonly #search: StreamSearch;
  readonly #onDone: () => void;

  /** @param onDone told at the end of each purge */
  constructor(contents: StreamContents, search: StreamSearch, onDone: () => void) {
    this.#contents = contents;
    this.#search = search;
    this.#onDone = onDone;
  }

  /**
   * Removes all messages below a sequence; when that is beyond the next one, that sequence is the next. Returns how many there were.
   *
   * @param sequence at most `sequenceStartMax`, or the next one
   */
  *below(sequence: number): Steps<number> {
    const contents = this.#contents;
    const { storage } = contents;
    let removed = 0;
    const end = Math.min(sequence, storage.nextSequence);
    while (contents.count > 0 && contents.messages.first < end) {
      contents.remove(contents.messages.first);
      if (++removed % streamStepMessages === 0) yield;
    }
    if (sequence > storage.nextSequence) storage.skipTo(sequence);
    this.#onDone();
    return removed;
  }

  /** Removes all but the newest messages; returns how many there were. */
  *toNewest(keep: number): Steps<number> {
    const first = this.#contents.messages.newest(keep);
    return first === 0 ? 0 : yield* this.below(first);
  }

  /** Removes the messages of some subjects below a sequence; returns how many there were. */
  *subjects(filter: SubjectFilter, sequence: number): Steps<number> {
    const contents = this.#contents;
    const end = Math.min(sequence, contents.storage.nextSequence);
    let removed = 0;
    for (let at = yield* this.#search.nextOf(filter, 0); at !== 0 && at < end; ) {
      contents.remove(at);
      if (++removed % streamStepMessages === 0) yield;
      at = yield* this.#search.nextOf(filter, at + 1);
    }
    this.#onDone();
    return removed;
  }

  /** Removes all but the newest messages of some subjects together; returns how many there were. */
  *subjectsToNewest(filter: SubjectFilter, keep: number): Steps<number> {
    const subjects = yield* this.#search.matching(filter);
    const surplus = subjects.reduce((sum, { count }) => sum + count, 0) - keep;
    let removed = 0;
    for (let at = 0; removed < surplus; removed++) {
      at = yield* this.#search.nextOf(filter, at + 1);
      if (at === 0) break;
      this.#contents.remove(at);
    }
    this.#onDone();
    return removed;
  }
}
