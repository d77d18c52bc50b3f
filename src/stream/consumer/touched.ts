import { NumberList } from '../../base/numberList.js';

/** Messages of a consumer that are otherwise than they were noted last. Most were delivered for the first time, or are done: that costs no entry of a set. */
export class Touched {
  /** All from this one on that are in flight; infinity for none. */
  deliveredFrom = Number.POSITIVE_INFINITY;
  /** Those that are done; one may be here twice. */
  readonly done = new NumberList();
  /** All others, whatever became of them. */
  readonly others = new Set<number>();

  /** Messages from one on are delivered for the first time. */
  deliver(sequence: number): void {
    if (sequence < this.deliveredFrom) this.deliveredFrom = sequence;
  }

  clear(): void {
    this.deliveredFrom = Number.POSITIVE_INFINITY;
    this.done.clear();
    this.others.clear();
  }
}
