import { streamStepMessages } from '../base/limits.js';
import type { StreamContents } from './contents.js';
import { MessageSearch } from './messageIndex.js';
import { MessageEntry } from './messageLeaf.js';
import type { Steps } from './steps.js';
import type { SubjectFilter } from './subjectFilter.js';

/** A subject of which a stream has messages, as it was when somebody asked. */
export interface StoredSubject {
  readonly text: string;
  readonly count: number;
}

/** Finds messages of a stream: by subject, behind or before a sequence, by time. */
export class StreamSearch {
  /** Subjects that publishes have had looked at, and nobody has charged yet. */
  looked = 0;
  readonly #contents: StreamContents;
  readonly #entry = new MessageEntry();

  constructor(contents: StreamContents) {
    this.#contents = contents;
  }

  /** The subjects that a filter takes of which there are messages. */
  *matching(filter: SubjectFilter): Steps<StoredSubject[]> {
    const { subjects } = this.#contents;
    if (filter.isLiteral) {
      const number = subjects.find(filter.text);
      return number < 0 ? [] : [{ text: filter.text, count: subjects.count(number) }];
    }
    const found: StoredSubject[] = [];
    for (let number = 0; number < subjects.end; number++) {
      const text = subjects.has(number) ? subjects.text(number) : null;
      if (text !== null && filter.takes(text)) found.push({ text, count: subjects.count(number) });
      if (number % streamStepMessages === 0) yield;
    }
    return found;
  }

  /** The last message whose subject a filter takes; 0 when there is none. */
  *lastOf(filter: SubjectFilter): Steps<number> {
    if (filter.isLiteral) return this.#lastOf(filter.text);
    let last = 0;
    // what was the last one may be gone by the end
    do last = yield* this.#lastTaken(filter);
    while (last !== 0 && !this.#contents.has(last));
    return last;
  }

  /** The last message of each subject that a filter takes. */
  *lastsOf(filter: SubjectFilter): Steps<number[]> {
    const { subjects } = this.#contents;
    const lasts: number[] = [];
    for (let number = 0; number < subjects.end; number++) {
      if (subjects.has(number) && filter.takes(subjects.text(number))) lasts.push(subjects.last(number));
      if (number % streamStepMessages === 0) yield;
    }
    return lasts;
  }

  /** The same at one go, for a publish that asks: all subjects that were looked at are counted in `looked`. */
  lastNow(filter: SubjectFilter): number {
    if (filter.isLiteral) return this.#lastOf(filter.text);
    this.looked += this.#contents.subjects.end;
    const steps = this.#lastTaken(filter);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  *#lastTaken(filter: SubjectFilter): Steps<number> {
    const { subjects } = this.#contents;
    let last = 0;
    for (let number = 0; number < subjects.end; number++) {
      const isLater = subjects.has(number) && subjects.last(number) > last;
      if (isLater && filter.takes(subjects.text(number))) last = subjects.last(number);
      if (number % streamStepMessages === 0) yield;
    }
    return last;
  }

  #lastOf(text: string): number {
    const { subjects } = this.#contents;
    const number = subjects.find(text);
    return number < 0 ? 0 : subjects.last(number);
  }

  /** The first message at a sequence or behind it whose subject a filter takes; 0 when there is none. */
  *nextOf(filter: SubjectFilter, sequence: number): Steps<number> {
    const contents = this.#contents;
    if (filter.isAll) return contents.messages.findFrom(sequence, this.#entry) ? this.#entry.sequence : 0;
    return yield* contents.nextTaken(sequence, filter.isLiteral ? filter.text : null, (text) => filter.takes(text));
  }

  /** How many messages there are at a sequence or behind it whose subjects a filter takes. */
  *countOf(filter: SubjectFilter, sequence: number): Steps<number> {
    const { messages } = this.#contents;
    if (filter.isAll) return messages.countFrom(sequence);
    if (sequence <= messages.first) {
      const subjects = yield* this.matching(filter);
      return subjects.reduce((sum, { count }) => sum + count, 0);
    }
    let count = 0;
    const search = new MessageSearch(sequence);
    while (search.at > 0) {
      count += messages.count(
        search,
        this.#contents.taking((text) => filter.takes(text)),
      );
      yield;
    }
    return count;
  }

  /** The last message of a subject that is not behind a sequence; 0 when there is none. */
  *lastUpTo(text: string, sequence: number): Steps<number> {
    const { messages, subjects } = this.#contents;
    const search = new MessageSearch(sequence + 1);
    while (search.goesOn) {
      const number = subjects.find(text);
      if (number < 0 || search.at <= subjects.first(number)) return 0;
      if (search.at > subjects.last(number)) return subjects.last(number);
      messages.searchBack(search, number);
      if (search.goesOn) yield;
    }
    return search.found;
  }

  /** The message before one of the same subject, if that is the last of several; else 0. */
  *before(sequence: number): Steps<number> {
    const { messages, subjects } = this.#contents;
    const entry = this.#entry;
    if (!messages.find(sequence, entry)) return 0;
    const { subject } = entry;
    if (subjects.last(subject) !== sequence || subjects.count(subject) === 1) return 0;
    return yield* this.lastUpTo(subjects.text(subject), sequence - 1);
  }

  /** The sequence of the first message that was stored at that time or later; 0 when there is none. */
  firstSince(timeUs: number): number {
    return this.#contents.messages.findSince(timeUs, this.#entry) ? this.#entry.sequence : 0;
  }

  /** Sequences between the first and the last that no message has, in order. */
  *gaps(): Steps<number[]> {
    const contents = this.#contents;
    const gaps: number[] = [];
    const entry = new MessageEntry();
    let at = contents.firstSequence;
    while (contents.messages.findFrom(at, entry)) {
      for (; at < entry.sequence; at++) gaps.push(at);
      if (at++ % streamStepMessages === 0) yield;
    }
    for (; at <= contents.lastSequence && contents.count > 0; at++) gaps.push(at);
    return gaps;
  }
}
