import type { PieceReader, PieceWriter } from '../base/pieces.js';

/** Consecutive records of a stream that lie in one block. */
interface Run {
  first: number;
  count: number;
  /** The block's position in the journal; below zero while it has none: then `-1 - ordinal`. */
  block: number;
  blockBytes: number;
  /** Where the first record begins in its block. */
  offset: number;
}

const runBytes = 8 + 4 + 8 + 4 + 4;
const runsMin = 4;
/** Of a run that is laid out. */
const rowNumbers = 5;
const runsAStep = 1024;

/** Where the records of one stream lie: a run for each block that has some, in the order of their sequences. */
export class BlockIndex {
  #from = 0;
  #to = 0;
  #firsts = new Float64Array(runsMin);
  #counts = new Uint32Array(runsMin);
  #blocks = new Float64Array(runsMin);
  #lengths = new Uint32Array(runsMin);
  #offsets = new Uint32Array(runsMin);
  readonly #isDead: (run: number) => boolean;

  /** @param isDead whether no record of a run is there any more */
  constructor(isDead: (run: number) => boolean) {
    this.#isDead = isDead;
  }

  get memoryBytes(): number {
    return this.#firsts.length * runBytes;
  }

  /** Runs are numbered from `from` to `to` (exclusive). */
  get from(): number {
    return this.#from;
  }

  get to(): number {
    return this.#to;
  }

  first(run: number): number {
    return this.#firsts[run];
  }

  /** The sequence behind a run's last one. */
  end(run: number): number {
    return this.#firsts[run] + this.#counts[run];
  }

  block(run: number): number {
    return this.#blocks[run];
  }

  blockBytes(run: number): number {
    return this.#lengths[run];
  }

  offset(run: number): number {
    return this.#offsets[run];
  }

  /** Adds records, one behind the other, behind all that are here. */
  add(sequence: number, count: number, block: number, blockBytes: number, offset: number): void {
    const last = this.#to - 1;
    if (last >= this.#from && this.#blocks[last] === block && this.end(last) === sequence) {
      this.#counts[last] += count;
      return;
    }
    if (this.#to === this.#firsts.length) this.#makeRoom();
    this.#set(this.#to++, { first: sequence, count, block, blockBytes, offset });
  }

  /** The run that a sequence lies in; -1 when it lies in none. */
  find(sequence: number): number {
    const run = this.findFrom(sequence);
    return run < this.#to && this.#firsts[run] <= sequence ? run : -1;
  }

  /** The first run that does not end before a sequence or at it; `to` when there is none. */
  findFrom(sequence: number): number {
    let low = this.#from;
    let high = this.#to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.end(middle) > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Adds a record that may be in front of others, and is not here. */
  insert(sequence: number, block: number, blockBytes: number, offset: number): void {
    const at = this.findFrom(sequence);
    const before = at - 1;
    if (before >= this.#from && this.#blocks[before] === block && this.end(before) === sequence) {
      this.#counts[before]++;
      return;
    }
    if (this.#to === this.#firsts.length) {
      this.#makeRoom();
      this.insert(sequence, block, blockBytes, offset);
      return;
    }
    for (const column of [this.#firsts, this.#counts, this.#blocks, this.#lengths, this.#offsets])
      column.copyWithin(at + 1, at, this.#to);
    this.#to++;
    this.#set(at, { first: sequence, count: 1, block, blockBytes, offset });
  }

  /** The records of a run lie elsewhere. */
  move(run: number, block: number, blockBytes: number, offset: number): void {
    this.#blocks[run] = block;
    this.#lengths[run] = blockBytes;
    this.#offsets[run] = offset;
  }

  /** A run and the one before it are one, if they lie in one block and follow each other: in order, as the caller knows. What is left of the one before is empty. */
  join(run: number): void {
    const before = run - 1;
    if (this.#blocks[before] !== this.#blocks[run] || this.end(before) !== this.#firsts[run]) return;
    this.#firsts[run] = this.#firsts[before];
    this.#offsets[run] = this.#offsets[before];
    this.#counts[run] += this.#counts[before];
    this.#counts[before] = 0;
  }

  /** The block of an ordinal has its place: calls `placed` for each of the last runs, which were not moved, that lie in it. */
  place(ordinal: number, position: number, blockBytes: number, placed: (run: number) => void): void {
    const block = -1 - ordinal;
    for (let run = this.#to - 1; run >= this.#from && this.#blocks[run] <= block; run--) {
      if (this.#blocks[run] < block) continue;
      this.#blocks[run] = position;
      this.#lengths[run] = blockBytes;
      placed(run);
    }
  }

  /** Forgets the first run. */
  dropFirst(): void {
    this.#from++;
  }

  /** Lays out the runs of records below a sequence that lie in files, in steps: each as it is when it is its turn. */
  *save(target: PieceWriter, end: number): Generator<void> {
    let rows = new Float64Array(rowNumbers * runsAStep);
    let used = 0;
    for (let at = 0; at < end; ) {
      const run = this.#nextPlaced(at);
      if (run === this.#to || this.#firsts[run] >= end) break;
      at = this.end(run);
      const count = Math.min(at, end) - this.#firsts[run];
      rows.set([this.#firsts[run], count, this.#blocks[run], this.#lengths[run], this.#offsets[run]], used);
      used += rowNumbers;
      if (used < rows.length) continue;
      target.array(rows);
      rows = new Float64Array(rowNumbers * runsAStep);
      used = 0;
      yield;
    }
    target.array(rows.subarray(0, used));
    if (used > 0) target.array(new Float64Array(0));
  }

  /** The first run from a sequence on that has records, in a file; `to` when there is none. */
  #nextPlaced(sequence: number): number {
    let run = this.findFrom(sequence);
    while (run < this.#to && (this.#blocks[run] < 0 || this.#isDead(run))) run++;
    return run;
  }

  /** Takes over what was laid out; it is empty. */
  restore(source: PieceReader): void {
    for (let rows = source.doubles(); rows.length > 0; rows = source.doubles()) {
      this.#makeRoomFor(this.#to + rows.length / rowNumbers);
      for (let i = 0; i < rows.length; i += rowNumbers) {
        const at = this.#to++;
        this.#firsts[at] = rows[i];
        this.#counts[at] = rows[i + 1];
        this.#blocks[at] = rows[i + 2];
        this.#lengths[at] = rows[i + 3];
        this.#offsets[at] = rows[i + 4];
      }
    }
  }

  #set(at: number, run: Run): void {
    this.#firsts[at] = run.first;
    this.#counts[at] = run.count;
    this.#blocks[at] = run.block;
    this.#lengths[at] = run.blockBytes;
    this.#offsets[at] = run.offset;
  }

  /** Makes room for more: of what dropped and dead runs take, and twice as much when that is less than half. */
  #makeRoom(): void {
    this.#closeGaps();
    const { length } = this.#firsts;
    if (length === 0 || this.#to > length / 2) this.#makeRoomFor(length + 1);
  }

  /** Makes room for so many runs in all, and for some more. */
  #makeRoomFor(runs: number): void {
    const { length } = this.#firsts;
    if (runs <= length) return;
    const size = Math.max(runsMin, runs, 2 * length);
    this.#firsts = this.#moved(this.#firsts, new Float64Array(size));
    this.#counts = this.#moved(this.#counts, new Uint32Array(size));
    this.#blocks = this.#moved(this.#blocks, new Float64Array(size));
    this.#lengths = this.#moved(this.#lengths, new Uint32Array(size));
    this.#offsets = this.#moved(this.#offsets, new Uint32Array(size));
  }

  /** Moves the runs that have records to the front. */
  #closeGaps(): void {
    let to = 0;
    for (let run = this.#from; run < this.#to; run++) {
      if (this.#isDead(run)) continue;
      this.#firsts[to] = this.#firsts[run];
      this.#counts[to] = this.#counts[run];
      this.#blocks[to] = this.#blocks[run];
      this.#lengths[to] = this.#lengths[run];
      this.#offsets[to++] = this.#offsets[run];
    }
    this.#from = 0;
    this.#to = to;
  }

  #moved<T extends Float64Array | Uint32Array>(from: T, to: T): T {
    to.set(from.subarray(0, this.#to));
    return to;
  }
}
