/** What one operation on a stream does. */
export type Operation =
  | { readonly kind: 'append'; readonly sequence: number; readonly text: string }
  | { readonly kind: 'skip'; readonly sequence: number }
  | { readonly kind: 'remove'; readonly sequence: number };

/** The records of a stream, and what comes next. */
export class StreamState {
  readonly records: Map<number, string>;
  next: number;

  constructor(next: number, records = new Map<number, string>()) {
    this.next = next;
    this.records = records;
  }

  apply(operation: Operation): void {
    const { kind, sequence } = operation;
    if (kind === 'append') {
      this.records.set(sequence, operation.text);
      this.next = sequence + 1;
    } else if (kind === 'skip') this.next = sequence;
    else this.records.delete(sequence);
  }

  equals(other: StreamState): boolean {
    if (this.next !== other.next || this.records.size !== other.records.size) return false;
    for (const [sequence, text] of this.records) if (other.records.get(sequence) !== text) return false;
    return true;
  }
}

/** What was asked of a stream: what lasts of it, and what a crash may take back from its end. */
export class StreamModel {
  /** Of a crash before which nothing more was committed. */
  readonly #committed: StreamState;
  readonly #uncommitted: Operation[] = [];
  /** All there is now. */
  readonly latest: StreamState;
  /** Position of what is `#committed`. */
  #done: number;

  constructor(position: number, next: number, records: Iterable<readonly [number, string]> = []) {
    this.#done = position;
    this.#committed = new StreamState(next);
    this.latest = new StreamState(next);
    for (const [sequence, text] of records) {
      this.#committed.records.set(sequence, text);
      this.latest.records.set(sequence, text);
    }
  }

  /** What is acknowledged, and the disk has it with that write. */
  readonly #acknowledged: { position: number; write: number }[] = [];

  begin(operation: Operation): void {
    this.latest.apply(operation);
    this.#uncommitted.push(operation);
  }

  /** So many operations are acknowledged. */
  commit(position: number): void {
    while (this.#done < position) {
      this.#committed.apply(this.#uncommitted.shift()!);
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
    const state = new StreamState(this.#committed.next);
    for (const [sequence, text] of this.#committed.records) state.records.set(sequence, text);
    for (const operation of this.#uncommitted) {
      state.apply(operation);
      if (state.equals(found)) return true;
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
