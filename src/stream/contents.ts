import { assert } from '../base/assert.js';
import { streamStepMessages } from '../base/limits.js';
import type { PieceReader, PieceWriter } from '../base/pieces.js';
import type { PublishedSubject } from '../base/publishedSubject.js';
import type { RecordView, Storage } from '../log/storage.js';
import { inTurn } from './copyOnWrite.js';
import { Lifetimes } from './lifetimes.js';
import { MessageIndex, MessageSearch } from './messageIndex.js';
import { MessageEntry } from './messageLeaf.js';
import type { Steps } from './steps.js';
import type { StreamLimits } from './streamLimits.js';
import { SubjectHistories } from './subjectHistories.js';
import { SubjectIndex } from './subjectIndex.js';

/** The messages of a stream: where they are stored, and what is known of them. */
export class StreamContents {
  readonly storage: Storage;
  /** By sequence, and by subject; they are changed here alone. */
  messages = new MessageIndex();
  subjects = new SubjectIndex();
  /** Of those that say themselves how long they live. */
  lifetimes = new Lifetimes();
  /** What the messages count, in bytes. */
  bytes = 0;
  /** When the last message was stored; 0 when none was. */
  lastTimeUs = 0;
  /** Hears of each message that is removed, while it is there, and of its subject's number. */
  onRemoved: ((sequence: number, subject: number) => void) | null = null;
  /** Of a stream whose subjects give up their first messages; null where there is no need. */
  #histories: SubjectHistories | null = null;
  readonly #entry = new MessageEntry();
  /** All messages before it last: they are not looked at again for their age. */
  #lastingEnd = 0;
  readonly #isThere = (sequence: number): boolean => this.has(sequence);
  #hasLostLasts = false;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** Messages that are there. */
  get count(): number {
    return this.messages.size;
  }

  get lastSequence(): number {
    return this.storage.nextSequence - 1;
  }

  /** Of the first message, or of the next one when there is none; 0 when there never was one. */
  get firstSequence(): number {
    if (this.count > 0) return this.messages.first;
    return this.lastSequence === 0 ? 0 : this.storage.nextSequence;
  }

  /** When the first message was stored; 0 when there is none. */
  get firstTimeUs(): number {
    return this.messages.findFrom(0, this.#entry) ? this.#entry.timeUs : 0;
  }

  /** What is known of the messages takes so much memory, in bytes. */
  get memoryBytes(): number {
    const { messages, subjects, lifetimes } = this;
    return messages.memoryBytes + subjects.memoryBytes + lifetimes.memoryBytes + (this.#histories?.memoryBytes ?? 0);
  }

  has(sequence: number): boolean {
    return this.messages.has(sequence);
  }

  /**
   * The first message at a sequence or behind it whose subject is taken; 0 when there is none.
   *
   * @param literal the only subject that is taken; null when there may be several
   */
  *nextTaken(sequence: number, literal: string | null, takes: (subject: string) => boolean): Steps<number> {
    const search = new MessageSearch(sequence);
    for (;;) {
      if (literal === null) this.messages.search(search, this.taking(takes));
      else this.#searchLiteral(search, literal);
      if (!search.goesOn) return search.found;
      yield;
    }
  }

  /** A step of the search for a subject. */
  #searchLiteral(search: MessageSearch, text: string): void {
    const { messages, subjects } = this;
    const number = subjects.find(text);
    if (number < 0 || search.at > subjects.last(number)) {
      search.at = 0;
      return;
    }
    search.at = Math.max(search.at, subjects.first(number));
    messages.searchSubject(search, number);
  }

  /** Which numbers are those of subjects that are taken: until the end of a step, then they may be given out anew. */
  taking(takes: (subject: string) => boolean): (subject: number) => boolean {
    const verdicts = new Map<number, boolean>();
    return (subject) => {
      const known = verdicts.get(subject);
      if (known !== undefined) return known;
      const verdict = takes(this.subjects.text(subject));
      verdicts.set(subject, verdict);
      return verdict;
    };
  }

  /** What a message that is there counts, in bytes. */
  bytesOf(sequence: number): number {
    assert(this.messages.find(sequence, this.#entry), 'only of what is there is known what it counts');
    return this.#entry.bytes;
  }

  /** Number of the subject of a message that is there. */
  subjectOf(sequence: number): number {
    assert(this.messages.find(sequence, this.#entry), 'only what is there has a subject');
    return this.#entry.subject;
  }

  /** Enters a message that was stored before. */
  enter({ span, subjectStart, subjectEnd, sequence, timeUs }: RecordView, bytes: number): void {
    this.#enter(this.subjects.addBytes(span.bytes, subjectStart, subjectEnd, sequence), sequence, timeUs, bytes);
  }

  /** The same for one whose subject was added in a batch. */
  enterKnown(subject: number, { sequence, timeUs }: RecordView, bytes: number): void {
    this.#enter(subject, sequence, timeUs, bytes);
  }

  /** Enters a message that is stored; returns the number of its subject. */
  enterPublished(published: PublishedSubject, sequence: number, timeUs: number, bytes: number): number {
    return this.#enter(this.subjects.addPublished(published, sequence, 1), sequence, timeUs, bytes);
  }

  #enter(subject: number, sequence: number, timeUs: number, bytes: number): number {
    this.messages.add(sequence, timeUs, bytes, subject);
    this.#histories?.add(subject, sequence);
    this.lastTimeUs = timeUs;
    this.bytes += bytes;
    return subject;
  }

  /** Enters messages of one subject that are stored, one behind the other from a sequence on; `sizes` is what each of them counts. */
  enterRun(published: PublishedSubject, sequence: number, timeUs: number, sizes: Int32Array, count: number): void {
    const subject = this.subjects.addPublished(published, sequence, count);
    this.messages.addRun(sequence, timeUs, sizes, count, subject);
    for (let i = 0; i < count; i++) {
      this.#histories?.add(subject, sequence + i);
      this.bytes += sizes[i];
    }
    this.lastTimeUs = timeUs;
  }

  /** The same for messages of which each has a subject of its own: that of the first is `subjects[from]`. */
  enterTogether(
    subjects: readonly PublishedSubject[],
    from: number,
    sequence: number,
    timeUs: number,
    sizes: Int32Array,
    count: number,
  ): void {
    for (let i = 0; i < count; i++) this.enterPublished(subjects[from + i], sequence + i, timeUs, sizes[i]);
  }

  /**
   * Removes a message that is there.
   *
   * @param before the message of its subject before it, for the last of several, when that was looked for: it takes time where they are far apart
   */
  remove(sequence: number, erase = false, before = 0): void {
    if (this.onRemoved !== null) this.onRemoved(sequence, this.subjectOf(sequence));
    const subject = this.#take(sequence);
    if (this.subjects.has(subject) && this.subjects.last(subject) === sequence)
      this.subjects.setLast(subject, before > 0 && this.has(before) ? before : this.#lastBefore(subject, sequence));
    this.storage.remove(sequence, erase);
  }

  /** A message is gone from where they are stored. The last one of its subject may be another one then: `findLasts`. */
  forget(sequence: number): void {
    const subject = this.#take(sequence);
    if (this.subjects.has(subject) && this.subjects.last(subject) === sequence) this.#hasLostLasts = true;
  }

  /** Forgets a message; returns the number of its subject, which may have been forgotten with it. */
  #take(sequence: number): number {
    const { messages, subjects } = this;
    const entry = this.#entry;
    messages.remove(sequence, entry);
    const { subject, bytes } = entry;
    this.bytes -= bytes;
    this.#histories?.remove(subject, sequence);
    if (subjects.first(subject) === sequence) subjects.setFirst(subject, sequence + 1);
    subjects.remove(subject);
    return subject;
  }

  /** Finds the last message of each subject that has lost it: in one pass, since they may be many and far behind. */
  findLasts(): void {
    if (!this.#hasLostLasts) return;
    this.#hasLostLasts = false;
    const { messages, subjects } = this;
    const lost = new Set<number>();
    for (let subject = 0; subject < subjects.end; subject++)
      if (subjects.has(subject) && !this.has(subjects.last(subject))) lost.add(subject);
    const entry = new MessageEntry();
    for (let at = 0; lost.size > 0 && messages.findFrom(at, entry); at = entry.sequence + 1)
      if (lost.has(entry.subject)) subjects.setLast(entry.subject, entry.sequence);
  }

  #lastBefore(subject: number, sequence: number): number {
    const search = new MessageSearch(sequence);
    while (search.goesOn) this.messages.searchBack(search, subject);
    return search.found;
  }

  /** The first message of a subject. */
  firstOf(subject: number): number {
    const count = this.subjects.count(subject);
    if (count === 1) return this.subjects.last(subject);
    return this.#histories?.first(subject, count) || this.#searchFirst(subject);
  }

  #searchFirst(subject: number): number {
    const search = new MessageSearch(this.subjects.first(subject));
    while (search.goesOn) this.messages.searchSubject(search, subject);
    assert(search.found > 0, 'a subject has the messages that it counts');
    this.subjects.setFirst(subject, search.found);
    return search.found;
  }

  /** Whether the first messages of subjects are to be found at once. Messages that are here already are learnt by `trimSubjects`. */
  keepHistories(keep: boolean): void {
    if (!keep) this.#histories = null;
    else this.#histories ??= new SubjectHistories();
  }

  /** Removes the first messages of a subject that has more than so many. */
  trimSubject(subject: number, countMax: number): void {
    while (this.subjects.count(subject) > countMax) this.remove(this.firstOf(subject));
  }

  /** The same for all subjects. */
  *trimSubjects(countMax: number): Steps {
    const entry = new MessageEntry();
    for (let at = 0, looked = 1; this.messages.findFrom(at, entry); looked++) {
      const { subject, sequence } = entry;
      this.#histories?.insert(subject, sequence);
      if (this.subjects.count(subject) > countMax) this.remove(sequence);
      at = sequence + 1;
      if (looked % streamStepMessages === 0) yield;
    }
  }

  /** Removes what is over these limits, at most so many messages; returns whether there is more. */
  trim({ messagesMax, bytesMax, discardsOld }: StreamLimits, removedMax: number): boolean {
    if (!discardsOld) return false;
    for (let left = removedMax; this.count > messagesMax || this.bytes > bytesMax; left--) {
      if (left === 0) return true;
      this.remove(this.messages.first);
    }
    return false;
  }

  /** Removes what was stored at a time or before it, but for what lasts, and looks at so many messages at most; returns whether there is more. */
  removeUpTo(timeUs: number, countMax: number): boolean {
    const entry = this.#entry;
    for (let left = countMax; this.messages.findFrom(this.#lastingEnd, entry) && entry.timeUs <= timeUs; left--) {
      if (left === 0) return true;
      const { sequence } = entry;
      if (this.lifetimes.lasts(sequence)) this.#lastingEnd = sequence + 1;
      else this.remove(sequence);
    }
    return false;
  }

  /** A message that was entered goes at a time of its own; with an infinite one it lasts, whatever the stream's limit of age is. */
  setLifetime(sequence: number, expiresUs: number): void {
    this.lifetimes.add(sequence, expiresUs, this.#isThere);
  }

  /** Removes what goes at a time or before it, at most so many messages; returns whether there may be more. */
  removeDue(nowUs: number, countMax: number): boolean {
    for (let left = countMax; left > 0; left--) {
      const sequence = this.lifetimes.takeDue(nowUs);
      if (sequence === 0) return false;
      if (this.has(sequence)) this.remove(sequence);
    }
    return true;
  }

  /** Lays out what is known of the messages now, in steps, while they come and go. Steps that were begun are ended. */
  save(target: PieceWriter): Generator<void> {
    const { messages, subjects, lifetimes } = this;
    return inTurn(
      target,
      [this.bytes, this.lastTimeUs],
      messages.save(target),
      subjects.save(target),
      lifetimes.save(target),
    );
  }

  /** Takes over what was laid out: nothing is known yet. */
  restore(source: PieceReader): void {
    this.bytes = source.number();
    this.lastTimeUs = source.number();
    this.messages.restore(source);
    this.subjects.restore(source);
    this.lifetimes.restore(source);
  }

  /** Whether there may be a subject with more messages than so many, or one whose messages have to be learnt. */
  needsTrim(countMax: number): boolean {
    if (this.#histories !== null) return true;
    for (let subject = 0; subject < this.subjects.end; subject++)
      if (this.subjects.count(subject) > countMax) return true;
    return false;
  }

  /** Nobody asks for anything any more: gives its memory back. */
  end(): void {
    this.messages = new MessageIndex();
    this.subjects = new SubjectIndex();
    this.lifetimes = new Lifetimes();
    this.#histories = null;
  }
}
