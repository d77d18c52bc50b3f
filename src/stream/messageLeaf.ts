/** Messages of a leaf at most. */
export const leafMessages = 256;

/** Four columns of doubles, then two of words. */
const columnsBytes = leafMessages * (4 * 8 + 2 * 4);

/** What a leaf takes, about, in bytes. */
export const leafBytes = columnsBytes + 400;

/** A stored message as the index has it. Filled anew for each that is asked for. */
export class MessageEntry {
  sequence = 0;
  timeUs = 0;
  /** What it counts for a stream's `max_bytes`. */
  bytes = 0;
  /** Number of its subject in the stream. */
  subject = 0;
  /** The messages of its subject before and behind it; 0 for none. */
  previous = 0;
  next = 0;
}

/** Some messages that follow each other, in the order of their sequences. Removed ones leave no gap. */
export class MessageLeaf {
  count = 0;
  // in one buffer: each of them apart would take as long to get
  readonly #memory = new ArrayBuffer(columnsBytes);
  readonly sequences = this.#doubles(0);
  readonly times = this.#doubles(1);
  readonly previous = this.#doubles(2);
  readonly next = this.#doubles(3);
  readonly bytes = this.#words(8);
  readonly subjects = this.#words(9);

  #doubles(column: number): Float64Array {
    return new Float64Array(this.#memory, column * 8 * leafMessages, leafMessages);
  }

  #words(column: number): Int32Array {
    return new Int32Array(this.#memory, column * 4 * leafMessages, leafMessages);
  }

  get full(): boolean {
    return this.count === leafMessages;
  }

  /** The first place whose sequence is not below; `count` when there is none. */
  placeOf(sequence: number): number {
    // without gaps it is where it would be
    const guess = sequence - this.sequences[0];
    if (guess >= 0 && guess < this.count && this.sequences[guess] === sequence) return guess;
    return lowerBound(this.sequences, this.count, sequence);
  }

  placeOfTime(timeUs: number): number {
    return lowerBound(this.times, this.count, timeUs);
  }

  /** Adds a message, which is behind all others of its subject. */
  add(entry: MessageEntry): void {
    const place = this.count++;
    this.sequences[place] = entry.sequence;
    this.times[place] = entry.timeUs;
    this.bytes[place] = entry.bytes;
    this.subjects[place] = entry.subject;
    this.previous[place] = entry.previous;
    this.next[place] = 0;
  }

  /** Adds messages `from` to `to` (exclusive) of a run that begins with `first`, as far as there is room; returns how many. */
  addRun(first: MessageEntry, sizes: Int32Array, from: number, to: number): number {
    const { count } = this;
    const added = Math.min(to - from, leafMessages - count);
    for (let i = 0; i < added; i++) {
      const sequence = first.sequence + from + i;
      const place = count + i;
      this.sequences[place] = sequence;
      this.times[place] = first.timeUs;
      this.bytes[place] = sizes[from + i];
      this.subjects[place] = first.subject;
      this.previous[place] = from + i === 0 ? first.previous : sequence - 1;
      this.next[place] = from + i === to - 1 ? 0 : sequence + 1;
    }
    this.count += added;
    return added;
  }

  remove(place: number): void {
    const { count } = this;
    for (const column of this.#columns) column.copyWithin(place, place + 1, count);
    this.count--;
  }

  /** Takes over all of the leaf behind this one, which fits. */
  join(other: MessageLeaf): void {
    const columns = this.#columns;
    for (const [i, column] of other.#columns.entries()) columns[i].set(column.subarray(0, other.count), this.count);
    this.count += other.count;
  }

  show(place: number, entry: MessageEntry): void {
    entry.sequence = this.sequences[place];
    entry.timeUs = this.times[place];
    entry.previous = this.previous[place];
    entry.next = this.next[place];
    entry.bytes = this.bytes[place];
    entry.subject = this.subjects[place];
  }

  get #columns(): readonly (Float64Array | Int32Array)[] {
    return [this.sequences, this.times, this.previous, this.next, this.bytes, this.subjects];
  }
}

function lowerBound(values: Float64Array, count: number, wanted: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
