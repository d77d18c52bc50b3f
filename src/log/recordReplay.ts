import { EntryKind } from './entryLayout.js';
import type { EntryWalk } from './entryWalk.js';
import type { RecordPlaces } from './recordPlaces.js';
import type { RecordRows } from './recordRows.js';

/** Longest stretch of lost sequences of which each is looked at. */
const lostCountedMax = 65_536;

/** Puts the records of one stream where a journal that is read again has them, and tells whether some are missing. */
export class RecordReplay {
  readonly #places: RecordPlaces;
  readonly #count: (position: number, records: number) => void;
  /** How many records should be there; -1 as long as nothing says that. */
  #expected = -1;
  /** Records of the block that is read, and where that lies. */
  #replayed = 0;
  #replayedAt = -1;

  /** @param count told of records in the block at a position */
  constructor(places: RecordPlaces, count: (position: number, records: number) => void) {
    this.#places = places;
    this.#count = count;
  }

  /** Records in a block of `lengthBytes` at `position`. */
  records(rows: RecordRows, position: number, lengthBytes: number): void {
    const places = this.#places;
    if (this.#expected >= 0) this.#expected += rows.count;
    const first = Math.max(rows.first, places.nextSequence);
    if (first >= rows.end) return;
    const offset = rows.starts[first - rows.first] - rows.blockAt;
    places.append(first, rows.end - first, position, lengthBytes, offset);
    if (position !== this.#replayedAt) this.#countReplayed(position);
    this.#replayed += Math.max(0, rows.end - Math.max(first, places.firstSequence));
  }

  removed(first: number, last: number): void {
    for (let sequence = first; sequence <= last; sequence++) {
      if (this.#expected >= 0) this.#expected--;
      this.#places.forget(sequence);
    }
  }

  /** What the stream was, or sequences that are given to no record. */
  state({ entryKind, first, last, live }: EntryWalk): void {
    const places = this.#places;
    if (last >= places.nextSequence) places.nextSequence = last + 1;
    if (entryKind !== EntryKind.state) return;
    this.#expected = live;
    if (first > places.firstSequence) places.removeBelow(first);
  }

  /** Counts the records that were read of one block, and goes on to the next. */
  #countReplayed(next: number): void {
    if (this.#replayed > 0) this.#count(this.#replayedAt, this.#replayed);
    this.#replayedAt = next;
    this.#replayed = 0;
  }

  /** All was read. Returns between which sequences records are missing beside those that are known to be lost. */
  end(lost: Iterable<{ readonly first: number; readonly last: number }>): { first: number; last: number } | null {
    const places = this.#places;
    this.#countReplayed(-1);
    places.countLive();
    const isShort = places.live < this.#expected && places.live + this.#countLost(lost) < this.#expected;
    return isShort ? places.gaps() : null;
  }

  /** How many records are known to be lost: as far as these can be counted, and what was removed later is not among them. */
  #countLost(lost: Iterable<{ readonly first: number; readonly last: number }>): number {
    let count = 0;
    for (const { first, last } of lost) {
      if (last - first > lostCountedMax) continue;
      for (let at = first; at <= last; at++) if (this.#places.isMissing(at)) count++;
    }
    return count;
  }
}
