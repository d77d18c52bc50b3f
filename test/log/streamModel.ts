import type { NoteKind } from '../../src/log/storage.js';

/** What one operation on a stream does. */
export type Operation =
  | { readonly kind: 'append'; readonly sequence: number; readonly text: string }
  | { readonly kind: 'skip'; readonly sequence: number }
  | { readonly kind: 'remove'; readonly sequence: number }
  | { readonly kind: 'note'; readonly key: number; readonly note: NoteKind; readonly text: string };

/** What was noted of each key: its last whole note, and the changes behind it. */
export type NoteMap = Map<number, string>;

/** A whole note takes the place of what was noted before, a change adds to it. */
export function noteIn(notes: NoteMap, key: number, kind: NoteKind, text: string): void {
  if (kind === 'end') notes.delete(key);
  else notes.set(key, kind === 'whole' ? text : `${notes.get(key)}${text}`);
}

/** The records of a stream, its notes, and what comes next. */
export class StreamState {
  readonly records: Map<number, string>;
  readonly notes: NoteMap;
  next: number;

  constructor(next: number, records = new Map<number, string>(), notes: NoteMap = new Map()) {
    this.next = next;
    this.records = records;
    this.notes = notes;
  }

  apply(operation: Operation): void {
    const { kind } = operation;
    if (kind === 'append') {
      this.records.set(operation.sequence, operation.text);
      this.next = operation.sequence + 1;
    } else if (kind === 'skip') this.next = operation.sequence;
    else if (kind === 'remove') this.records.delete(operation.sequence);
    else noteIn(this.notes, operation.key, operation.note, operation.text);
  }

  equals(other: StreamState): boolean {
    return this.next === other.next && isSame(this.records, other.records) && isSame(this.notes, other.notes);
  }

  copy(): StreamState {
    return new StreamState(this.next, new Map(this.records), new Map(this.notes));
  }
}

function isSame(some: ReadonlyMap<number, string>, others: ReadonlyMap<number, string>): boolean {
  if (some.size !== others.size) return false;
  for (const [number, text] of some) if (others.get(number) !== text) return false;
  return true;
}

interface Begun {
  readonly operation: Operation;
  /** Whether a crash may leave it without the next one. */
  readonly mayBeLast: boolean;
}

/** What was asked of a stream: what lasts of it, and what a crash may take back from its end. */
export class StreamModel {
  /** Of a crash before which nothing more was committed. */
  readonly #committed: StreamState;
  readonly #uncommitted: Begun[] = [];
  /** All there is now. */
  readonly latest: StreamState;
  /** Position of what is `#committed`. */
  #done: number;

  constructor(position: number, state: StreamState) {
    this.#done = position;
    this.#committed = state.copy();
    this.latest = state.copy();
  }

  /** What is acknowledged, and the disk has it with that write. */
  readonly #acknowledged: { position: number; write: number }[] = [];

  /** @param mayBeLast false: together with the next one */
  begin(operation: Operation, mayBeLast = true): void {
    this.latest.apply(operation);
    this.#uncommitted.push({ operation, mayBeLast });
  }

  /** So many operations are acknowledged. */
  commit(position: number): void {
    while (this.#done < position) {
      this.#committed.apply(this.#uncommitted.shift()!.operation);
      this.#done++;
    }
  }

  /** So many operations are acknowledged, and last once the disk has all writes up to that one. */
  acknowledge(position: number, write: number): void {
    this.#acknowledged.push({ position, write });
  }

  /** The disk has all writes up to that one. */
  settle(write: number): void {
    while (this.#acknowledged.length > 0 && this.#acknowledged[0]!.write <= write)
      this.commit(this.#acknowledged.shift()!.position);
  }

  /** Whether that can be left by a crash: all that was acknowledged, and perhaps operations that followed, without a hole. */
  allows(found: StreamState): boolean {
    if (this.#committed.equals(found)) return true;
    const state = this.#committed.copy();
    for (const { operation, mayBeLast } of this.#uncommitted) {
      state.apply(operation);
      if (mayBeLast && state.equals(found)) return true;
    }
    return false;
  }

  /** Whether a sequence has had a text: as acknowledged, or later. */
  hasHad(sequence: number, text: string): boolean {
    return this.latest.records.get(sequence) === text || this.#committed.records.get(sequence) === text;
  }

  get committedState(): StreamState {
    return this.#committed;
  }
}
