import type { PieceReader, PieceWriter } from '../base/pieces.js';
import { BlockIndex } from './blockIndex.js';
import { RemovedSet } from './removedSet.js';

/** Where a run of records lies. */
export class RunPlace {
  first = 0;
  /** The sequence behind its last one. */
  end = 0;
  block = 0;
  blockBytes = 0;
  /** Where its first record begins in the block. */
  offset = 0;
}

/** Where the records of one stream lie in its journal, and which are there. A block without a place of its own is `-1 - ordinal`. */
export class RecordPlaces {
  /** Of the first record; `nextSequence` without one. While the journal is read again, perhaps less. */
  firstSequence = 1;
  nextSequence = 1;
  /** Records that are there. */
  live = 0;
  readonly #index = new BlockIndex((run) => this.#liveIn(run) === 0);
  readonly #removed = new RemovedSet();
  /** Told of records that have come to a block that has its place, or have left it. */
  readonly #count: (position: number, records: number) => void;
  /** First sequences of runs that were copied into blocks which have no place yet. */
  #copied: number[] = [];
  /** The record that was copied last, and the block that it came into. */
  readonly #latestCopy = { block: Number.NaN, sequence: 0 };

  constructor(count: (position: number, records: number) => void) {
    this.#count = count;
  }

  get memoryBytes(): number {
    return this.#index.memoryBytes + this.#removed.memoryBytes;
  }

  /** Records come behind all that are here. */
  append(first: number, count: number, block: number, blockBytes: number, offset: number): void {
    this.#index.add(first, count, block, blockBytes, offset);
    this.nextSequence = first + count;
  }

  skipTo(sequence: number): void {
    if (this.firstSequence === this.nextSequence) this.firstSequence = sequence;
    this.nextSequence = sequence;
  }

  has(sequence: number): boolean {
    return this.#runOf(sequence) >= 0;
  }

  /** Whether a record is there, and in the block at that position. */
  hasIn(sequence: number, position: number): boolean {
    const run = this.#runOf(sequence);
    return run >= 0 && this.#index.block(run) === position;
  }

  /** How many records from one that is there on follow each other in its block, and are there; so many at most. */
  countThere(sequence: number, max: number): number {
    const end = Math.min(this.#index.end(this.#index.find(sequence)), sequence + max);
    return this.#removed.firstIn(sequence, end) - sequence;
  }

  /** Whether a sequence was removed, or is below all that is there. */
  isGone(sequence: number): boolean {
    return sequence < this.firstSequence || this.#removed.has(sequence);
  }

  /** Whether nothing is known of a record, not even that it was removed. */
  isMissing(sequence: number): boolean {
    return !this.#removed.has(sequence) && this.#index.find(sequence) < 0;
  }

  /** The first sequence from one on that a record has; `nextSequence` when there is none. */
  nextThere(sequence: number): number {
    for (let run = this.#index.findFrom(sequence); run < this.#index.to; run++) {
      for (let at = Math.max(sequence, this.#index.first(run)); at < this.#index.end(run); at++)
        if (!this.#removed.has(at)) return at;
    }
    return this.nextSequence;
  }

  /** Shows the run of a record; returns whether the record is there. */
  show(sequence: number, place: RunPlace): boolean {
    const run = this.#runOf(sequence);
    if (run >= 0) this.#show(run, place);
    return run >= 0;
  }

  /** Shows the first run from a sequence on that has records in a file; returns whether there is one. */
  showNext(sequence: number, place: RunPlace): boolean {
    const index = this.#index;
    for (let run = index.findFrom(sequence); run < index.to; run++) {
      if (index.block(run) < 0 || this.#liveIn(run) === 0) continue;
      this.#show(run, place);
      return true;
    }
    return false;
  }

  #show(run: number, place: RunPlace): void {
    const index = this.#index;
    place.first = index.first(run);
    place.end = index.end(run);
    place.block = index.block(run);
    place.blockBytes = index.blockBytes(run);
    place.offset = index.offset(run);
  }

  /** Blocks in files that have records, their lengths, and from which sequence to which (exclusive). */
  forEachBlock(visit: (position: number, lengthBytes: number, first: number, end: number) => void): void {
    const index = this.#index;
    for (let run = index.from; run < index.to; run++)
      if (index.block(run) >= 0 && this.#liveIn(run) > 0)
        visit(index.block(run), index.blockBytes(run), index.first(run), index.end(run));
  }

  /** Removes a record that is there. */
  remove(sequence: number): void {
    this.live--;
    if (sequence === this.firstSequence) this.removeBelow(this.nextThere(sequence + 1));
    else this.#remove(sequence, this.#runOf(sequence));
  }

  /** A record is gone, which may not have been met. */
  forget(sequence: number): void {
    const run = this.#runOf(sequence);
    if (sequence === this.firstSequence) this.removeBelow(sequence + 1);
    else if (run >= 0) this.#remove(sequence, run);
    else if (sequence > this.firstSequence) this.#removed.add(sequence);
  }

  #remove(sequence: number, run: number): void {
    const block = this.#index.block(run);
    this.#removed.add(sequence);
    if (block >= 0) this.#count(block, -1);
  }

  removeBelow(sequence: number): void {
    const index = this.#index;
    while (index.from < index.to && index.end(index.from) <= sequence) {
      this.#uncount(index.from, sequence);
      index.dropFirst();
    }
    if (index.from < index.to && index.first(index.from) < sequence) this.#uncount(index.from, sequence);
    this.#removed.forgetBelow(this.firstSequence, sequence);
    this.firstSequence = Math.max(this.firstSequence, sequence);
  }

  /** What of a run lies below a sequence leaves its file. */
  #uncount(run: number, below: number): void {
    const block = this.#index.block(run);
    if (block < 0) return;
    const records = this.#liveIn(run, Math.min(below, this.#index.end(run)));
    if (records > 0) this.#count(block, -records);
  }

  /** A record was copied from the block at a position to another one. With the first of a run all that is left of it moves: the others follow. */
  moveRun(sequence: number, position: number, block: number, offset: number): void {
    const run = this.#runOf(sequence);
    this.#count(position, -this.#liveIn(run));
    this.#copied.push(this.#index.first(run));
    this.#move(run, block, 0, offset);
  }

  #move(run: number, block: number, blockBytes: number, offset: number): void {
    const index = this.#index;
    index.move(run, block, blockBytes, offset);
    const before = run - 1;
    const latest = this.#latestCopy;
    if (before < index.from || latest.block !== block) return;
    // a run's records lie in order: only what has come whole may be in front of it
    const isOfBefore = latest.sequence >= index.first(before) && latest.sequence < index.first(run);
    if (isOfBefore && this.nextThere(latest.sequence + 1) >= index.first(run)) index.join(run);
  }

  /** A record has come to a block as a copy, in its order. */
  noteCopy(block: number, sequence: number): void {
    this.#latestCopy.block = block;
    this.#latestCopy.sequence = sequence;
  }

  /** A journal that is read again has a copy of a record that is not gone. */
  putCopy(sequence: number, position: number, lengthBytes: number, offset: number): void {
    const run = this.#index.find(sequence);
    const block = run < 0 ? -1 : this.#index.block(run);
    if (block !== position) {
      const records = run < 0 ? 1 : this.#liveIn(run);
      if (block >= 0) this.#count(block, -records);
      if (run < 0) this.#index.insert(sequence, position, lengthBytes, offset);
      else this.#move(run, position, lengthBytes, offset);
      this.#count(position, records);
    }
    this.noteCopy(position, sequence);
    this.nextSequence = Math.max(this.nextSequence, sequence + 1);
  }

  /** The block of an ordinal has its place. */
  place(ordinal: number, position: number, lengthBytes: number): void {
    let records = 0;
    this.#index.place(ordinal, position, lengthBytes, (run) => {
      records += this.#liveIn(run);
    });
    records += this.#placeCopies(ordinal, position, lengthBytes);
    if (records > 0) this.#count(position, records);
  }

  /** Copies in the block of an ordinal have their place: returns how many are there. */
  #placeCopies(ordinal: number, position: number, lengthBytes: number): number {
    const index = this.#index;
    let records = 0;
    this.#copied = this.#copied.filter((first) => {
      const run = index.findFrom(first);
      if (run === index.to) return false;
      if (index.block(run) === -1 - ordinal) {
        records += this.#liveIn(run);
        index.move(run, position, lengthBytes, index.offset(run));
      }
      return index.block(run) < 0;
    });
    return records;
  }

  /** Counts the records that are there, of which nobody has kept account. */
  countLive(): void {
    for (let run = this.#index.from; run < this.#index.to; run++) this.live += this.#liveIn(run);
  }

  /** From the first sequence to the last one that nothing is there of. */
  gaps(): { first: number; last: number } {
    const index = this.#index;
    const gaps = { first: this.nextSequence, last: this.nextSequence - 1 };
    let at = this.firstSequence;
    for (let run = index.from; run < index.to; run++) {
      if (index.first(run) > at) {
        gaps.first = Math.min(gaps.first, at);
        gaps.last = index.first(run) - 1;
      }
      at = index.end(run);
    }
    return at < this.nextSequence ? { first: Math.min(gaps.first, at), last: this.nextSequence - 1 } : gaps;
  }

  /** Lays out where records below a sequence lie that have a place, in steps: what becomes of them meanwhile may be in it or not. */
  *save(target: PieceWriter, next: number): Generator<void> {
    target.number(this.firstSequence);
    target.number(next);
    yield* this.#removed.save(target);
    yield* this.#index.save(target, next);
  }

  /** Becomes what was laid out; `countLive` is to come. */
  restore(source: PieceReader): void {
    this.firstSequence = source.number();
    this.nextSequence = source.number();
    this.#removed.restore(source);
    this.#index.restore(source);
    for (let run = this.#index.from; run < this.#index.to; run++)
      this.#count(this.#index.block(run), this.#liveIn(run));
  }

  /** The run of a record that is there; -1 when none of that sequence is. */
  #runOf(sequence: number): number {
    return this.isGone(sequence) ? -1 : this.#index.find(sequence);
  }

  #liveIn(run: number, end = this.#index.end(run)): number {
    const from = Math.max(this.#index.first(run), this.firstSequence);
    return from >= end ? 0 : end - from - this.#removed.countIn(from, end);
  }
}
