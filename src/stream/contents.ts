import { assert } from '../base/assert.js';
import type { Storage } from '../log/storage.js';
import { MessageIndex } from './messageIndex.js';
import { MessageEntry } from './messageLeaf.js';
import type { StreamLimits } from './streamLimits.js';
import { type StoredSubject, SubjectIndex } from './subjectIndex.js';

/** The messages of a stream: where they are stored, and what is known of them. */
export class StreamContents {
  readonly storage: Storage;
  /** By sequence, and by subject; they are changed here alone. */
  messages = new MessageIndex();
  subjects = new SubjectIndex();
  /** What the messages count, in bytes. */
  bytes = 0;
  /** When the last message was stored; 0 when none was. */
  lastTimeUs = 0;
  readonly #entry = new MessageEntry();
  readonly #removed = new MessageEntry();

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
    return this.messages.memoryBytes + this.subjects.memoryBytes;
  }

  has(sequence: number): boolean {
    return this.messages.find(sequence, this.#entry);
  }

  /** What a message that is there counts, in bytes. */
  bytesOf(sequence: number): number {
    assert(this.messages.find(sequence, this.#entry), 'a subject names messages that are there');
    return this.#entry.bytes;
  }

  /** Enters a message that is stored; its subject is known from then on. */
  enter(text: string, sequence: number, timeUs: number, bytes: number): StoredSubject {
    const subject = this.subjects.obtain(text);
    this.messages.add(this.#next(subject, sequence, timeUs, bytes));
    this.#count(subject, sequence, 1, bytes);
    return subject;
  }

  /** Enters messages of one subject that are stored, one behind the other from a sequence on; `sizes` is what each of them counts. */
  enterRun(text: string, sequence: number, timeUs: number, sizes: Int32Array, count: number): void {
    const subject = this.subjects.obtain(text);
    this.messages.addRun(this.#next(subject, sequence, timeUs, sizes[0]), sizes, count);
    let bytes = 0;
    for (let i = 0; i < count; i++) bytes += sizes[i];
    this.#count(subject, sequence, count, bytes);
  }

  #next(subject: StoredSubject, sequence: number, timeUs: number, bytes: number): MessageEntry {
    const entry = this.#entry;
    entry.sequence = sequence;
    entry.timeUs = timeUs;
    entry.bytes = bytes;
    entry.subject = subject.number;
    entry.previous = subject.last;
    this.lastTimeUs = timeUs;
    return entry;
  }

  #count(subject: StoredSubject, first: number, count: number, bytes: number): void {
    if (subject.count === 0) subject.first = first;
    subject.count += count;
    subject.last = first + count - 1;
    this.bytes += bytes;
  }

  /** Removes a message that is there. */
  remove(sequence: number, erase = false): void {
    const entry = this.#removed;
    assert(this.messages.find(sequence, entry), 'only what is there is removed');
    const subject = this.subjects.byNumber(entry.subject);
    if (subject.first === sequence) subject.first = entry.next;
    if (subject.last === sequence) subject.last = entry.previous;
    this.messages.remove(sequence);
    this.bytes -= entry.bytes;
    if (--subject.count === 0) this.subjects.remove(subject);
    this.storage.remove(sequence, erase);
  }

  /** Removes the first messages of a subject that has more than so many. */
  trimSubject(subject: StoredSubject, countMax: number): void {
    while (subject.count > countMax) this.remove(subject.first);
  }

  /** Removes what is over these limits, at most so many messages; returns whether there is more. */
  trim({ messagesMax, bytesMax }: StreamLimits, removedMax: number): boolean {
    for (let left = removedMax; this.count > messagesMax || this.bytes > bytesMax; left--) {
      if (left === 0) return true;
      this.remove(this.messages.first);
    }
    return false;
  }

  /** Removes what was stored at a time or before it, at most so many messages; returns whether there is more. */
  removeUpTo(timeUs: number, removedMax: number): boolean {
    for (let left = removedMax; this.count > 0 && this.firstTimeUs <= timeUs; left--) {
      if (left === 0) return true;
      this.remove(this.messages.first);
    }
    return false;
  }

  /** Nobody asks for anything any more: gives its memory back. */
  end(): void {
    this.messages = new MessageIndex();
    this.subjects = new SubjectIndex();
  }
}
