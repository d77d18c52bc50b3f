import { streamStepMessages } from '../base/limits.js';
import type { StreamContents } from './contents.js';
import { MessageEntry } from './messageLeaf.js';
import type { Steps } from './steps.js';
import type { SubjectFilter } from './subjectFilter.js';
import type { StoredSubject } from './subjectIndex.js';

/** Finds messages of a stream: by subject, behind or before a sequence, by time. */
export class StreamSearch {
  readonly #contents: StreamContents;
  readonly #entry = new MessageEntry();

  constructor(contents: StreamContents) {
    this.#contents = contents;
  }

  /** The subjects that a filter takes of which there are messages. */
  *matching(filter: SubjectFilter): Steps<StoredSubject[]> {
    const { subjects } = this.#contents;
    if (filter.isLiteral) {
      const subject = subjects.find(filter.text);
      return subject === null ? [] : [subject];
    }
    const found: StoredSubject[] = [];
    let looked = 0;
    for (const subject of subjects.all) {
      if (filter.takes(subject.text)) found.push(subject);
      if (++looked % streamStepMessages === 0) yield;
    }
    return found;
  }

  /** The last message whose subject a filter takes; 0 when there is none. */
  lastOf(filter: SubjectFilter): number {
    const { subjects } = this.#contents;
    if (filter.isLiteral) return subjects.find(filter.text)?.last ?? 0;
    let last = 0;
    for (const subject of subjects.all) if (subject.last > last && filter.takes(subject.text)) last = subject.last;
    return last;
  }

  /** The first message at a sequence or behind it whose subject a filter takes; 0 when there is none. */
  *nextOf(filter: SubjectFilter, sequence: number): Steps<number> {
    if (filter.isLiteral) return yield* this.#nextOfSubject(filter.text, sequence);
    const entry = new MessageEntry();
    const verdicts = new Map<number, boolean>();
    let at = sequence;
    for (let looked = 1; this.#contents.messages.findFrom(at, entry); looked++) {
      if (filter.isAll || this.#takes(filter, entry.subject, verdicts)) return entry.sequence;
      at = entry.sequence + 1;
      if (looked % streamStepMessages !== 0) continue;
      yield;
      // numbers of subjects may have been given out anew
      verdicts.clear();
    }
    return 0;
  }

  /** How many messages there are at a sequence or behind it whose subjects a filter takes. */
  *countOf(filter: SubjectFilter, sequence: number): Steps<number> {
    const { messages } = this.#contents;
    if (filter.isAll) return messages.countFrom(sequence);
    let count = 0;
    const entry = new MessageEntry();
    for (const subject of yield* this.matching(filter)) {
      for (let at = subject.last, looked = 1; at !== 0 && at >= sequence; at = entry.previous, looked++) {
        if (!messages.find(at, entry)) break;
        count++;
        if (looked % streamStepMessages === 0) yield;
      }
    }
    return count;
  }

  /** The last message of a subject that is not behind a sequence; 0 when there is none. */
  *lastUpTo({ last }: StoredSubject, sequence: number): Steps<number> {
    const entry = new MessageEntry();
    let at = last;
    for (let looked = 1; at > sequence; looked++) {
      at = this.#contents.messages.find(at, entry) ? entry.previous : 0;
      if (looked % streamStepMessages === 0) yield;
    }
    return at;
  }

  #takes(filter: SubjectFilter, subject: number, verdicts: Map<number, boolean>): boolean {
    const known = verdicts.get(subject);
    if (known !== undefined) return known;
    const takes = filter.takes(this.#contents.subjects.byNumber(subject).text);
    verdicts.set(subject, takes);
    return takes;
  }

  *#nextOfSubject(text: string, sequence: number): Steps<number> {
    const { messages, subjects } = this.#contents;
    const entry = new MessageEntry();
    // most often one of the same subject has been asked for before
    const subject = subjects.find(text);
    if (messages.find(sequence - 1, entry) && entry.subject === subject?.number) return entry.next;
    let at = subject?.first ?? 0;
    for (let looked = 1; at !== 0 && at < sequence; looked++) {
      // who was removed meanwhile has no successor any more
      at = messages.find(at, entry) ? entry.next : (subjects.find(text)?.first ?? 0);
      if (looked % streamStepMessages === 0) yield;
    }
    return at;
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
      at++;
      if (gaps.length % streamStepMessages === 0) yield;
    }
    for (; at <= contents.lastSequence && contents.count > 0; at++) gaps.push(at);
    return gaps;
  }
}
