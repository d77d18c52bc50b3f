import { assert } from '../base/assert.js';
import { memoryBlockBytes, memoryBlockBytesMin, memoryMessageBytesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import type { Place } from '../base/span.js';
import { MemoryBlock, recordBytes } from './memoryBlock.js';
import {
  type RecordOwner,
  type RecordRun,
  RecordView,
  type Storage,
  type StorageEvents,
  type Storages,
} from './storage.js';

/** Records in memory: whatever is stored lasts at once, as long as the process does. */
export class MemoryStorage implements Storage {
  nextSequence: number;
  position = 0;
  readonly intake = 'open';
  readonly togetherMax = Number.POSITIVE_INFINITY;
  readonly messageBytesMax = memoryMessageBytesMax;
  readonly noteBytesMax = Number.POSITIVE_INFINITY;
  keptBytes = 0;
  syncMs = 0;
  events: StorageEvents | null = null;
  owner: RecordOwner | null = null;
  memoryBytes = 0;
  /** In the order of their sequences; the last one is filled. */
  readonly #blocks: MemoryBlock[] = [];
  readonly #record = new RecordView();

  constructor(nextSequence: number) {
    this.nextSequence = nextSequence;
  }

  get committed(): number {
    return this.position;
  }

  get committedNext(): number {
    return this.nextSequence;
  }

  append(subject: Place, messages: MessageView, from: number, to: number, timeUs: number): void {
    assert(from < to, 'something is stored');
    for (let i = from; i < to; i++) {
      const block = this.#blockFor(recordBytes(subject, messages, i));
      const before = block.memoryBytes;
      block.append(this.nextSequence++, subject, messages, i, timeUs);
      this.memoryBytes += block.memoryBytes - before;
    }
    this.position += to - from;
  }

  skipTo(sequence: number): void {
    assert(sequence >= this.nextSequence, 'sequences rise');
    this.nextSequence = sequence;
    this.position++;
  }

  remove(sequence: number, erase: boolean): void {
    const index = this.#indexOf(sequence);
    this.#blocks[index].remove(sequence, erase);
    this.#closeGaps(index);
    this.position++;
  }

  /** Nobody will ever read it. */
  note(): void {
    this.position++;
  }

  together(): void {}

  async lasting(): Promise<void> {}

  read(sequence: number, show: (record: RecordView | null) => void): void {
    const block = this.#blocks[this.#indexOf(sequence)];
    show(block?.show(sequence, this.#record) ? this.#record : null);
  }

  readOn(sequence: number, end: number, show: (records: RecordRun | null) => boolean, done: () => void): void {
    const block = this.#blocks[this.#indexOf(sequence)];
    if (block?.has(sequence)) block.showFrom(sequence, end, this.#record, show);
    else show(null);
    done();
  }

  async scan(show: (record: RecordView) => void): Promise<void> {
    for (const block of this.#blocks) block.forEach(this.#record, show);
  }

  #blockFor(neededBytes: number): MemoryBlock {
    const last = this.#blocks.at(-1);
    if (last?.hasRoom(neededBytes)) return last;
    // a stream with few messages takes little; what is large has a block of its own
    const next = last === undefined ? memoryBlockBytesMin : Math.min(2 * last.span.bytes.length, memoryBlockBytes);
    const block = new MemoryBlock(Math.max(next, neededBytes));
    this.#insert(this.#blocks.length, block);
    if (this.#blocks.length > 1) this.#closeGaps(this.#blocks.length - 2);
    return block;
  }

  #insert(index: number, block: MemoryBlock): void {
    this.#blocks.splice(index, 0, block);
    this.memoryBytes += block.memoryBytes;
  }

  #drop(index: number): void {
    const [block] = this.#blocks.splice(index, 1);
    this.memoryBytes -= block.memoryBytes;
  }

  /** The last block that begins at the sequence or before it; 0 when none does. */
  #indexOf(sequence: number): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#blocks[middle].firstSequence <= sequence) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Gives back what removed records of a block take once that is more than half, with its neighbour's records where both fit into one. */
  #closeGaps(index: number): void {
    const block = this.#blocks[index];
    if (block.live === 0) {
      this.#drop(index);
      return;
    }
    // the last block is filled further
    if (index === this.#blocks.length - 1 || 2 * block.liveBytes > block.span.bytes.length) return;
    const next = index + 1 < this.#blocks.length - 1 ? this.#blocks[index + 1] : null;
    const joined = next !== null && block.liveBytes + next.liveBytes <= memoryBlockBytes / 2 ? next : null;
    const target = new MemoryBlock(block.liveBytes + (joined?.liveBytes ?? 0));
    block.moveTo(target);
    joined?.moveTo(target);
    if (joined !== null) this.#drop(index + 1);
    this.#drop(index);
    this.#insert(index, target);
  }
}

/** Storages that nothing is left of when the process ends. */
export class MemoryStorages implements Storages {
  async open(): Promise<void> {}

  async create(_name: string, _description: string, nextSequence: number): Promise<Storage> {
    return new MemoryStorage(nextSequence);
  }

  async describe(): Promise<void> {}

  async destroy(): Promise<void> {}

  async close(): Promise<void> {}
}
