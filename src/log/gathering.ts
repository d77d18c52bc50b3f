import { JournalMemory } from '../base/kernel.js';
import { Span } from '../base/span.js';
import { paged } from './blockLayout.js';
import { BlockWriter } from './blockWriter.js';
import { EntryWalk } from './entryWalk.js';

/** Records of several blocks, one behind the other, with where each lay. */
export class Gathering {
  readonly walk = new EntryWalk();
  readonly #writer: BlockWriter;
  /** Positions of the blocks, and where the records of each end. */
  readonly #positions: number[] = [];
  readonly #ends: number[] = [];

  /** @param capacityBytes what the records of one block, or of several, may take */
  constructor(capacityBytes: number) {
    const memory = new JournalMemory(paged(capacityBytes));
    this.#writer = new BlockWriter(memory, new Span(memory.bytes), 0, paged(capacityBytes));
    this.#writer.clear();
  }

  get isEmpty(): boolean {
    return this.#positions.length === 0;
  }

  /** What the records take, and somewhat more. */
  get bytes(): number {
    return this.#writer.usedBytes;
  }

  /** Takes the record that a walk has come to in the block at a position. */
  add(walk: EntryWalk, position: number): void {
    this.#writer.copy(walk);
    if (this.#positions.at(-1) !== position) this.#positions.push(position);
    this.#ends[this.#positions.length - 1] = this.#writer.usedBytes;
  }

  /** Forgets what came last if it lay in the block at a position. */
  takeBack(position: number): void {
    if (this.#positions.at(-1) !== position) return;
    this.#positions.pop();
    this.#ends.length = this.#positions.length;
    const end = this.#ends.at(-1);
    if (end === undefined) this.#writer.clear();
    else this.#writer.usedBytes = end;
  }

  /** Shows each record with `walk`, in the order in which they came, and where it lay; then nothing is gathered. */
  drain(show: (position: number) => void): void {
    const { walk } = this;
    this.#writer.show(walk);
    for (let block = 0; walk.next(); ) {
      while (walk.offset >= this.#ends[block]) block++;
      show(this.#positions[block]);
    }
    this.#writer.clear();
    this.#positions.length = 0;
    this.#ends.length = 0;
  }
}
