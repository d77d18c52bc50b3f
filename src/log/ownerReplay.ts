import type { RecordRows } from './recordRows.js';
import type { RecordOwner } from './storage.js';

/** Tells the owner of a stream what a journal has of it, while that is read: what is there, and what is gone again. */
export class OwnerReplay {
  readonly #owner: RecordOwner;
  /** Of what is before this sequence the owner knows. */
  #next: number;
  /** Whether the owner would have to be told of a record that it should know already. */
  #isLost = false;

  /** @param next sequence of the first record that the owner does not know of */
  constructor(owner: RecordOwner, next: number) {
    this.#owner = owner;
    this.#next = next;
  }

  records(rows: RecordRows): void {
    const from = Math.max(0, this.#next - rows.first);
    if (from >= rows.count) return;
    this.#next = rows.end;
    this.#owner.recoverRows(rows, from);
  }

  /** A record lies here that has come from a file which may be gone. */
  copy(sequence: number): void {
    if (!this.#owner.has(sequence)) this.#isLost = true;
  }

  removed(first: number, last: number): void {
    for (let sequence = first; sequence <= last; sequence++)
      if (this.#owner.has(sequence)) this.#owner.forget(sequence);
  }

  /** All was read, and so many records are there: returns whether the owner knows of all of them. */
  knowsAll(records: number): boolean {
    return !this.#isLost && this.#owner.messages === records;
  }
}
