import { assert } from '../base/assert.js';
import type { PieceReader, PieceWriter } from '../base/pieces.js';
import { begun, CopyOnWrite } from './copyOnWrite.js';
import type { OpenColumns } from './messageColumns.js';
import { leafMessages, type MessageEntry, MessageLeaf } from './messageLeaf.js';
import { WordPages } from './wordPages.js';

const leavesAStep = 16;

/** A search for messages of one subject, or of some, leaf by leaf. */
export class MessageSearch {
  /** Where it goes on: from this sequence on, or before it; 0 when nothing is left. */
  at: number;
  /** The sequence that was found; 0 as long as none was. */
  found = 0;

  constructor(at: number) {
    this.at = at;
  }

  get goesOn(): boolean {
    return this.found === 0 && this.at > 0;
  }
}

/**
 * The messages that a stream has, by sequence and by time. All but the last leaf are packed: how many bytes a message takes depends on
 * how much it differs from those beside it; see docs/decisions/0047.
 */
export class MessageIndex {
  size = 0;
  /** What leaves take beside their pages. */
  #leavesBytes = 0;
  readonly #pages = new WordPages();
  /** None is empty, and no two beside each other could be one. */
  readonly #leaves: MessageLeaf[] = [];
  /** How often it was laid out, and where that is under way. */
  #round = 0;
  #saving: CopyOnWrite<MessageLeaf> | null = null;

  get memoryBytes(): number {
    return this.#leavesBytes + this.#pages.memoryBytes;
  }

  /** The first message's sequence; 0 when there is none. */
  get first(): number {
    return this.size === 0 ? 0 : this.#leaves[0].first;
  }

  /** @param sequence behind all that are here, as is the time */
  add(sequence: number, timeUs: number, bytes: number, subject: number): void {
    const leaf = this.#openLeaf();
    this.#saving?.beforeChange(leaf);
    this.#leavesBytes -= leaf.memoryBytes;
    leaf.add(sequence, timeUs, bytes, subject);
    this.#leavesBytes += leaf.memoryBytes;
    this.size++;
  }

  /** Adds messages of one subject that follow each other from a sequence on; `sizes` is what each of them counts. */
  addRun(sequence: number, timeUs: number, sizes: Int32Array, count: number, subject: number): void {
    for (let from = 0; from < count; ) {
      const leaf = this.#openLeaf();
      this.#saving?.beforeChange(leaf);
      this.#leavesBytes -= leaf.memoryBytes;
      from += leaf.addRun(sequence, timeUs, sizes, from, count, subject);
      this.#leavesBytes += leaf.memoryBytes;
    }
    this.size += count;
  }

  has(sequence: number): boolean {
    const leaf = this.#leaves[this.#leafOf(sequence)];
    const place = leaf?.placeFrom(sequence) ?? 0;
    return leaf !== undefined && place < leaf.count && leaf.sequence(place) === sequence;
  }

  /** Shows a message; returns whether it is there. */
  find(sequence: number, entry: MessageEntry): boolean {
    return this.findFrom(sequence, entry) && entry.sequence === sequence;
  }

  /** Shows the first message that is at a sequence or behind it; returns whether there is one. */
  findFrom(sequence: number, entry: MessageEntry): boolean {
    const index = this.#leafOf(sequence);
    return this.#showFrom(index, this.#leaves[index]?.placeFrom(sequence) ?? 0, entry);
  }

  /** Finds the next messages at a sequence or behind it, and before another one, in order. @returns how many, fewer than there is room for when there are no more */
  collect(from: number, end: number, into: Float64Array): number {
    let count = 0;
    for (let index = this.#leafOf(from); index < this.#leaves.length && count < into.length; index++) {
      const leaf = this.#leaves[index];
      if (leaf.live === 0) continue;
      if (leaf.first >= end) break;
      count = leaf.collect(from, end, into, count);
    }
    return count;
  }

  /** Shows the first message that was stored at that time or later; returns whether there is one. */
  findSince(timeUs: number, entry: MessageEntry): boolean {
    let low = 0;
    let high = this.#leaves.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#leaves[middle].lastTimeUs < timeUs) low = middle + 1;
      else high = middle;
    }
    return this.#showFrom(low, this.#leaves[low]?.placeSince(timeUs) ?? 0, entry);
  }

  /** The sequence of the message that `count` messages are behind or at; 0 when there are fewer. */
  newest(count: number): number {
    assert(count > 0, 'the newest is the first');
    let left = count;
    for (let i = this.#leaves.length - 1; i >= 0; i--) {
      const leaf = this.#leaves[i];
      if (leaf.live >= left) return leaf.newest(left);
      left -= leaf.live;
    }
    return 0;
  }

  /** How many messages are at a sequence or behind it. */
  countFrom(sequence: number): number {
    let count = 0;
    for (let i = this.#leaves.length - 1; i >= 0; i--) {
      const leaf = this.#leaves[i];
      if (leaf.first < sequence) return count + leaf.countFrom(leaf.placeFrom(sequence));
      count += leaf.live;
    }
    return count;
  }

  /** Looks through one leaf for the next message whose subject is taken. */
  search(search: MessageSearch, takes: (subject: number) => boolean): void {
    this.#searchLeaf(search, (leaf, place) => leaf.findFrom(place, takes));
  }

  /** How many messages of one leaf, before a sequence, have subjects that are taken; goes on to the next. */
  count(search: MessageSearch, takes: (subject: number) => boolean, end = Number.POSITIVE_INFINITY): number {
    const index = this.#leafOf(search.at);
    const leaf = this.#leaves[index];
    const placeEnd = leaf === undefined || leaf.lastSequence < end ? Number.POSITIVE_INFINITY : leaf.placeFrom(end);
    const count = leaf?.countTaken(leaf.placeFrom(search.at), placeEnd, takes) ?? 0;
    search.at = this.#leaves[index + 1]?.first ?? 0;
    return count;
  }

  /** Looks through one leaf for the next message of a subject. */
  searchSubject(search: MessageSearch, subject: number): void {
    this.#searchLeaf(search, (leaf, place) => leaf.findSubject(subject, place));
  }

  /** Looks through one leaf for the last message of a subject before a sequence. */
  searchBack(search: MessageSearch, subject: number): void {
    const leaf = this.#leaves[this.#leafOf(search.at - 1)];
    if (leaf === undefined || leaf.first >= search.at) {
      search.at = 0;
      return;
    }
    const place = leaf.findSubjectBefore(subject, leaf.placeFrom(search.at));
    search.found = place < 0 ? 0 : leaf.sequence(place);
    search.at = place < 0 ? leaf.first : search.found;
  }

  /** Removes a message that is there, and shows what it was, but for its time. */
  remove(sequence: number, entry: MessageEntry): void {
    const index = this.#leafOf(sequence);
    const leaf = this.#leaves[index];
    const place = leaf.placeFrom(sequence);
    leaf.showTimeless(place, entry);
    assert(entry.sequence === sequence, 'only what is there is removed');
    this.#saving?.beforeChange(leaf);
    this.#leavesBytes -= leaf.memoryBytes;
    leaf.remove(place);
    this.#leavesBytes += leaf.memoryBytes;
    this.size--;
    this.#tidy(index);
  }

  /** Lays out all that is here now, in steps, while messages come and go. Steps that were begun are ended. */
  save(target: PieceWriter): Generator<void> {
    const round = ++this.#round;
    const saving = new CopyOnWrite<MessageLeaf>(
      (leaf, to) => leaf.save(to),
      (leaf) => leaf.round < round,
      (leaf) => {
        leaf.round = round;
      },
    );
    this.#saving = saving;
    return begun(this.#saveSteps(this.#leaves.slice(), saving, target));
  }

  *#saveSteps(leaves: readonly MessageLeaf[], saving: CopyOnWrite<MessageLeaf>, target: PieceWriter): Generator<void> {
    try {
      yield;
      target.number(leaves.length);
      for (const [i, leaf] of leaves.entries()) {
        saving.layOut(leaf, target);
        if (i % leavesAStep === 0) yield;
      }
    } finally {
      if (this.#saving === saving) this.#saving = null;
    }
  }

  /** Takes over what was laid out; it is empty. */
  restore(source: PieceReader): void {
    for (let left = source.number(); left > 0; left--) {
      const leaf = MessageLeaf.restored(source, this.#pages);
      this.#leaves.push(leaf);
      this.size += leaf.live;
      this.#leavesBytes += leaf.memoryBytes;
    }
  }

  /** The leaf that a message is added to. */
  #openLeaf(): MessageLeaf {
    const last = this.#leaves.at(-1);
    if (last?.isOpen && !last.full) return last;
    // where most of it is gone what is left is written closer
    const isSparse = last !== undefined && last.live <= leafMessages / 2;
    const columns = last?.isOpen && !isSparse ? this.#pack(last) : undefined;
    const open = isSparse ? last.joined(null) : new MessageLeaf(columns);
    this.#replace(this.#leaves.length - (isSparse ? 1 : 0), 1, open);
    return open;
  }

  /** Packs a leaf; returns what it was filled in, for the next one. */
  #pack(leaf: MessageLeaf): OpenColumns {
    this.#leavesBytes -= leaf.memoryBytes;
    const columns = leaf.pack(this.#pages);
    this.#leavesBytes += leaf.memoryBytes;
    return columns;
  }

  #replace(index: number, count: number, ...leaves: MessageLeaf[]): void {
    for (const leaf of leaves) {
      this.#leavesBytes += leaf.memoryBytes;
      leaf.round = this.#round;
    }
    for (const leaf of this.#leaves.splice(index, count, ...leaves)) {
      this.#leavesBytes -= leaf.memoryBytes;
      leaf.release(this.#pages);
    }
  }

  #searchLeaf(search: MessageSearch, find: (leaf: MessageLeaf, place: number) => number): void {
    const index = this.#leafOf(search.at);
    const leaf = this.#leaves[index];
    if (leaf === undefined) {
      search.at = 0;
      return;
    }
    const place = find(leaf, leaf.placeFrom(search.at));
    search.found = place < leaf.count ? leaf.sequence(place) : 0;
    search.at = search.found || (this.#leaves[index + 1]?.first ?? 0);
  }

  #showFrom(index: number, place: number, entry: MessageEntry): boolean {
    const leaf = this.#leaves[index];
    if (leaf === undefined) return false;
    if (place < leaf.count) {
      leaf.show(place, entry);
      return true;
    }
    const next = this.#leaves[index + 1];
    next?.show(next.placeFrom(0), entry);
    return next !== undefined;
  }

  /** The last leaf that begins at the sequence or before it; 0 when none does. */
  #leafOf(sequence: number): number {
    let low = 0;
    let high = this.#leaves.length - 1;
    // most often it is about what was stored last, or first
    if (high > 0 && this.#leaves[high].first <= sequence) return high;
    if (high > 0 && this.#leaves[1].first > sequence) return 0;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#leaves[middle].first <= sequence) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #tidy(index: number): void {
    const { live } = this.#leaves[index];
    if (live === 0) this.#replace(index, 1);
    else if (live <= leafMessages / 2) this.#joinWithNext(index) || this.#joinWithNext(index - 1);
  }

  #joinWithNext(index: number): boolean {
    const [leaf, next] = [this.#leaves[index], this.#leaves[index + 1]];
    if (leaf === undefined || next === undefined || leaf.live + next.live > leafMessages) return false;
    const joined = leaf.joined(next);
    if (index + 2 < this.#leaves.length) joined.pack(this.#pages);
    this.#replace(index, 2, joined);
    return true;
  }
}
