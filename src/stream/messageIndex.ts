import { assert } from '../base/assert.js';
import { leafBytes, leafMessages, type MessageEntry, MessageLeaf } from './messageLeaf.js';

/**
 * The messages that a stream has, by sequence and by time, each linked to those of its subject beside it. Takes some 40 bytes a message,
 * twice as many at the worst, whatever has been removed.
 */
export class MessageIndex {
  size = 0;
  readonly #leaves: MessageLeaf[] = [];

  get memoryBytes(): number {
    return this.#leaves.length * leafBytes;
  }

  /** The first message's sequence; 0 when there is none. */
  get first(): number {
    return this.size === 0 ? 0 : this.#leaves[0].sequences[0];
  }

  /** @param entry is behind all that are here, and its `previous` is the last of its subject */
  add(entry: MessageEntry): void {
    this.#openLeaf().add(entry);
    this.size++;
    if (entry.previous !== 0) this.#link(entry.previous, 'next', entry.sequence);
  }

  /** Adds messages of one subject that follow each other: `entry` is the first of them, and `sizes` says what each of them counts. */
  addRun(entry: MessageEntry, sizes: Int32Array, count: number): void {
    for (let from = 0; from < count; ) from += this.#openLeaf().addRun(entry, sizes, from, count);
    this.size += count;
    if (entry.previous !== 0) this.#link(entry.previous, 'next', entry.sequence);
  }

  /** The last leaf, which has room. */
  #openLeaf(): MessageLeaf {
    const last = this.#leaves.at(-1);
    if (last !== undefined && !last.full) return last;
    const leaf = new MessageLeaf();
    this.#leaves.push(leaf);
    return leaf;
  }

  /** Shows a message; returns whether it is there. */
  find(sequence: number, entry: MessageEntry): boolean {
    const leaf = this.#leaves[this.#leafOf(sequence)];
    if (leaf === undefined) return false;
    const place = leaf.placeOf(sequence);
    if (place === leaf.count || leaf.sequences[place] !== sequence) return false;
    leaf.show(place, entry);
    return true;
  }

  /** Shows the first message that is at a sequence or behind it; returns whether there is one. */
  findFrom(sequence: number, entry: MessageEntry): boolean {
    return this.#showFrom(this.#leafOf(sequence), (leaf) => leaf.placeOf(sequence), entry);
  }

  /** Shows the first message that was stored at that time or later; returns whether there is one. */
  findSince(timeUs: number, entry: MessageEntry): boolean {
    let low = 0;
    let high = this.#leaves.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const leaf = this.#leaves[middle];
      if (leaf.times[leaf.count - 1] < timeUs) low = middle + 1;
      else high = middle;
    }
    return this.#showFrom(low, (leaf) => leaf.placeOfTime(timeUs), entry);
  }

  /** The sequence of the message that `count` messages are behind or at; 0 when there are fewer. */
  newest(count: number): number {
    assert(count > 0, 'the newest is the first');
    let left = count;
    for (let i = this.#leaves.length - 1; i >= 0; i--) {
      const leaf = this.#leaves[i];
      if (leaf.count >= left) return leaf.sequences[leaf.count - left];
      left -= leaf.count;
    }
    return 0;
  }

  /** How many messages are at a sequence or behind it. */
  countFrom(sequence: number): number {
    let count = 0;
    for (let i = this.#leaves.length - 1; i >= 0; i--) {
      const leaf = this.#leaves[i];
      if (leaf.sequences[0] < sequence) return count + leaf.count - leaf.placeOf(sequence);
      count += leaf.count;
    }
    return count;
  }

  /** Removes a message that is there; those of its subject beside it are linked to each other. */
  remove(sequence: number): void {
    const index = this.#leafOf(sequence);
    const leaf = this.#leaves[index];
    const place = leaf.placeOf(sequence);
    assert(leaf.sequences[place] === sequence, 'only what is there is removed');
    const [previous, next] = [leaf.previous[place], leaf.next[place]];
    leaf.remove(place);
    this.size--;
    if (previous !== 0) this.#link(previous, 'next', next);
    if (next !== 0) this.#link(next, 'previous', previous);
    this.#tidy(index);
  }

  #showFrom(index: number, placeIn: (leaf: MessageLeaf) => number, entry: MessageEntry): boolean {
    const leaf = this.#leaves[index];
    if (leaf === undefined) return false;
    const place = placeIn(leaf);
    if (place < leaf.count) leaf.show(place, entry);
    else if (index + 1 < this.#leaves.length) this.#leaves[index + 1].show(0, entry);
    else return false;
    return true;
  }

  #link(sequence: number, side: 'previous' | 'next', other: number): void {
    const leaf = this.#leaves[this.#leafOf(sequence)];
    const place = leaf.placeOf(sequence);
    assert(leaf.sequences[place] === sequence, 'links lead to messages');
    leaf[side][place] = other;
  }

  /** The last leaf that begins at the sequence or before it; 0 when none does. */
  #leafOf(sequence: number): number {
    let low = 0;
    let high = this.#leaves.length - 1;
    // most often it is about what was stored last
    if (high > 0 && this.#leaves[high].sequences[0] <= sequence) return high;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#leaves[middle].sequences[0] <= sequence) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** No leaf is empty, and no two beside each other could be one. */
  #tidy(index: number): void {
    const leaf = this.#leaves[index];
    if (leaf.count === 0) this.#leaves.splice(index, 1);
    else if (leaf.count <= leafMessages / 2) this.#joinWithNext(index) || this.#joinWithNext(index - 1);
  }

  #joinWithNext(index: number): boolean {
    const [leaf, next] = [this.#leaves[index], this.#leaves[index + 1]];
    if (leaf === undefined || next === undefined || leaf.count + next.count > leafMessages) return false;
    leaf.join(next);
    this.#leaves.splice(index + 1, 1);
    return true;
  }
}
