import { assert } from '../base/assert.js';

/** A subject of which a stream has messages. */
export interface StoredSubject {
  readonly text: string;
  /** By which messages name it. */
  readonly number: number;
  /** Its messages, and the first and last of them. */
  count: number;
  first: number;
  last: number;
}

/** What a subject takes beside its text, about, in bytes. */
const subjectBytes = 160;

/** The subjects of a stream's messages: one byte of the subject a character. */
export class SubjectIndex {
  memoryBytes = 0;
  readonly #byText = new Map<string, StoredSubject>();
  readonly #byNumber: (StoredSubject | null)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#byText.size;
  }

  get all(): IterableIterator<StoredSubject> {
    return this.#byText.values();
  }

  find(text: string): StoredSubject | null {
    return this.#byText.get(text) ?? null;
  }

  byNumber(number: number): StoredSubject {
    const subject = this.#byNumber[number];
    assert(subject !== null, 'a message has a subject');
    return subject;
  }

  /** The subject of a message that is to be stored next. */
  obtain(text: string): StoredSubject {
    return this.#byText.get(text) ?? this.#add(text);
  }

  /** No message of it is left. */
  remove({ text, number, count }: StoredSubject): void {
    assert(count === 0, 'only what has no messages is forgotten');
    this.#byText.delete(text);
    this.#byNumber[number] = null;
    this.#free.push(number);
    this.memoryBytes -= text.length + subjectBytes;
  }

  #add(text: string): StoredSubject {
    const number = this.#free.pop() ?? this.#byNumber.push(null) - 1;
    const subject = { text, number, count: 0, first: 0, last: 0 };
    this.#byText.set(text, subject);
    this.#byNumber[number] = subject;
    this.memoryBytes += text.length + subjectBytes;
    return subject;
  }
}
