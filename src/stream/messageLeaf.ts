import type { PieceReader, PieceWriter } from '../base/pieces.js';
import { type MessageColumns, OpenColumns, PackedColumns } from './messageColumns.js';
import type { WordPages } from './wordPages.js';

/** Messages of a leaf at most. */
export const leafMessages = 1024;

/** What a leaf takes beside its columns, about, in bytes. */
const leafBytes = 200;

/** A stored message as the index has it. Filled anew for each that is asked for. */
export class MessageEntry {
  sequence = 0;
  timeUs = 0;
  /** What it counts for a stream's `max_bytes`. */
  bytes = 0;
  /** Number of its subject in the stream. */
  subject = 0;
}

/** Some messages that follow each other, in the order of their sequences. Removed ones keep their places, marked. */
export class MessageLeaf {
  /** Places that are taken. */
  count = 0;
  /** Messages that are there. */
  live = 0;
  /** The sequence of the first one. */
  first = 0;
  /** When the index was laid out last that it is in, or came into: it is as it was then. */
  round = 0;
  #from = 0;
  #columns: MessageColumns;
  /** A bit for each place behind `#from` whose message is gone; null when none is. */
  #removed: Uint32Array | null = null;

  /** @param columns what another one was filled in that is packed */
  constructor(columns: MessageColumns = new OpenColumns()) {
    this.#columns = columns;
  }

  get full(): boolean {
    return this.count === leafMessages;
  }

  /** Whether messages can be added, as long as it is not full. */
  get isOpen(): boolean {
    return this.#columns instanceof OpenColumns;
  }

  get memoryBytes(): number {
    return leafBytes + this.#columns.memoryBytes + (this.#removed?.byteLength ?? 0);
  }

  /** The sequence of the last place, whether its message is there or not. */
  get lastSequence(): number {
    return this.#columns.sequence(this.count - 1);
  }

  get lastTimeUs(): number {
    return this.#columns.timeUs(this.count - 1);
  }

  /** Adds a message behind all that are here: it is open, and not full. */
  add(sequence: number, timeUs: number, bytes: number, subject: number): void {
    if (this.live++ === 0) {
      this.first = sequence;
      this.#from = this.count;
    }
    (this.#columns as OpenColumns).set(this.count++, sequence, timeUs, bytes, subject);
  }

  /** Adds messages `from` to `to` (exclusive) of a run that begins with a sequence, as far as there is room; returns how many. */
  addRun(first: number, timeUs: number, sizes: Int32Array, from: number, to: number, subject: number): number {
    const added = Math.min(to - from, leafMessages - this.count);
    for (let i = from; i < from + added; i++) this.add(first + i, timeUs, sizes[i], subject);
    return added;
  }

  /** Nothing more is added; returns what it was filled in. */
  pack(pages: WordPages): OpenColumns {
    const open = this.#columns as OpenColumns;
    this.#columns = PackedColumns.of(open, this.count, pages);
    return open;
  }

  /** The first place at a sequence or behind it whose message is there; `count` when there is none. */
  placeFrom(sequence: number): number {
    if (sequence <= this.first) return this.#from;
    const columns = this.#columns;
    // without gaps it is where it would be
    const guess = sequence - columns.sequence(0);
    if (guess < this.count && columns.sequence(guess) === sequence) return this.#liveFrom(guess);
    return this.#liveFrom(this.#lowerBound((place) => columns.sequence(place) < sequence));
  }

  /** The first place whose message is there and was stored at that time or later; `count` when there is none. */
  placeSince(timeUs: number): number {
    const columns = this.#columns;
    return this.#liveFrom(this.#lowerBound((place) => columns.timeUs(place) < timeUs));
  }

  sequence(place: number): number {
    return this.#columns.sequence(place);
  }

  /** Adds to `into`, which has `count` already, the messages at a sequence or behind it, and before another one. @returns how many there are then */
  collect(from: number, end: number, into: Float64Array, count: number): number {
    let next = count;
    for (let at = this.placeFrom(from); at < this.count && next < into.length; at = this.#liveFrom(at + 1)) {
      const sequence = this.#columns.sequence(at);
      if (sequence >= end) break;
      into[next++] = sequence;
    }
    return next;
  }

  show(place: number, entry: MessageEntry): void {
    this.showTimeless(place, entry);
    entry.timeUs = this.#columns.timeUs(place);
  }

  /** Shows a message but for its time, which takes longer to find than all else. */
  showTimeless(place: number, entry: MessageEntry): void {
    const columns = this.#columns;
    entry.sequence = columns.sequence(place);
    entry.bytes = columns.bytes(place);
    entry.subject = columns.subject(place);
  }

  /** The first place from one on that has a message whose subject is taken; `count` when there is none. */
  findFrom(place: number, takes: (subject: number) => boolean): number {
    for (let at = this.#liveFrom(place); at < this.count; at = this.#liveFrom(at + 1))
      if (takes(this.#columns.subject(at))) return at;
    return this.count;
  }

  /** How many messages from a place on, and before another one, have subjects that are taken. */
  countTaken(place: number, end: number, takes: (subject: number) => boolean): number {
    const last = Math.min(end, this.count);
    let count = 0;
    for (let at = this.findFrom(place, takes); at < last; at = this.findFrom(at + 1, takes)) count++;
    return count;
  }

  /** The first place from one on that has a message of a subject; `count` when there is none. */
  findSubject(subject: number, place: number): number {
    const columns = this.#columns;
    let at = columns.find(subject, Math.max(place, this.#from), this.count);
    while (at < this.count && !this.#isThere(at)) at = columns.find(subject, at + 1, this.count);
    return at;
  }

  /** The last place before one that has a message of a subject; -1 when there is none. */
  findSubjectBefore(subject: number, place: number): number {
    const columns = this.#columns;
    let last = -1;
    for (let at = columns.find(subject, this.#from, place); at < place; at = columns.find(subject, at + 1, place))
      if (this.#isThere(at)) last = at;
    return last;
  }

  /** How many messages are at a place or behind it. */
  countFrom(place: number): number {
    if (place <= this.#from) return this.live;
    if (this.#removed === null) return this.count - place;
    let count = 0;
    for (let at = place; at < this.count; at++) if (this.#isThere(at)) count++;
    return count;
  }

  /** The sequence of the message that `count` messages are behind or at; as many are here. */
  newest(count: number): number {
    for (let at = this.count - 1, left = count; ; at--) if (this.#isThere(at) && --left === 0) return this.sequence(at);
  }

  /** Removes the message at a place, which is there. */
  remove(place: number): void {
    this.live--;
    this.#removed ??= place === this.#from ? null : new Uint32Array(leafMessages / 32);
    if (this.#removed !== null) this.#removed[place >>> 5] |= 1 << (place & 31);
    if (place !== this.#from || this.live === 0) return;
    this.#from = this.#liveFrom(place + 1);
    this.first = this.sequence(this.#from);
  }

  /** A leaf that has what is there of this one and of the next one, which may be null, and to which messages can be added. */
  joined(next: MessageLeaf | null): MessageLeaf {
    const leaf = new MessageLeaf();
    this.#addTo(leaf);
    if (next !== null) next.#addTo(leaf);
    return leaf;
  }

  /** Lays out all that is here. */
  save(target: PieceWriter): void {
    for (const value of [this.count, this.live, this.first, this.#from, this.isOpen ? 1 : 0]) target.number(value);
    target.array(this.#removed ?? new Uint32Array(0));
    this.#columns.save(target, this.count);
  }

  /** Takes over what was laid out. */
  static restored(source: PieceReader, pages: WordPages): MessageLeaf {
    const count = source.number();
    const live = source.number();
    const first = source.number();
    const from = source.number();
    const isOpen = source.number() === 1;
    const removed = source.wordsOrNone();
    const leaf = new MessageLeaf(isOpen ? OpenColumns.restored(source) : PackedColumns.restored(source, pages));
    leaf.count = count;
    leaf.live = live;
    leaf.first = first;
    leaf.#from = from;
    leaf.#removed = removed;
    return leaf;
  }

  /** It is not needed any more. */
  release(pages: WordPages): void {
    if (this.#columns instanceof PackedColumns) this.#columns.release(pages);
  }

  #addTo(leaf: MessageLeaf): void {
    const columns = this.#columns;
    for (let at = this.#from; at < this.count; at = this.#liveFrom(at + 1))
      leaf.add(columns.sequence(at), columns.timeUs(at), columns.bytes(at), columns.subject(at));
  }

  #isThere(place: number): boolean {
    if (place < this.#from) return false;
    const removed = this.#removed;
    return removed === null || (removed[place >>> 5] & (1 << (place & 31))) === 0;
  }

  #liveFrom(place: number): number {
    let at = Math.max(place, this.#from);
    while (at < this.count && !this.#isThere(at)) at++;
    return at;
  }

  /** The first place that is not before what is looked for. */
  #lowerBound(isBefore: (place: number) => boolean): number {
    let low = this.#from;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
