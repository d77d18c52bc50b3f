import { JournalMemory } from '../base/kernel.js';
import { Span } from '../base/span.js';
import { paged } from './blockLayout.js';
import { BlockWriter } from './blockWriter.js';
import { RunRoom, runRoomBytes } from './runRoom.js';
import { StagedBlock } from './stagedBlock.js';

/**
 * Memory for the blocks of a journal. What was written stays where it is until its memory is needed, so that who reads the latest
 * finds it. Pages that were never used take no room.
 */
export class Staging {
  /** The latest last. Those in front of it may be taken anew. */
  readonly #written: StagedBlock[] = [];
  /** Begins at a page, and is never written to. */
  readonly zeros: Uint8Array;
  readonly #blockBytes: number;

  /** @param blockBytes what a block may have, in whole pages */
  constructor(blocks: number, blockBytes: number, zeroBytes: number) {
    this.#blockBytes = paged(blockBytes);
    const blocksBytes = blocks * this.#blockBytes;
    const memory = new JournalMemory(paged(zeroBytes) + blocksBytes + runRoomBytes);
    this.zeros = memory.bytes.subarray(0, zeroBytes);
    this.#written.push(...this.#blocks(memory, paged(zeroBytes), blocks));
  }

  /** Blocks one behind the other, and behind them room for a run that comes into one of them. */
  #blocks(memory: JournalMemory, at: number, count: number): StagedBlock[] {
    const blockBytes = this.#blockBytes;
    const span = new Span(memory.bytes);
    const room = new RunRoom(memory, span, at + count * blockBytes);
    return Array.from({ length: count }, (_, i) => {
      return new StagedBlock(new BlockWriter(memory, span, at + i * blockBytes, blockBytes, room));
    });
  }

  /** A block to be filled: the one that was written longest ago. When none is, one that is given up after its use. */
  take(): StagedBlock {
    return this.#written.shift() ?? this.#blocks(new JournalMemory(this.#blockBytes + runRoomBytes), 0, 1)[0];
  }

  /** A block is on disk. */
  give(block: StagedBlock, blocks: number): void {
    this.#written.push(block);
    if (this.#written.length > blocks) this.#written.shift();
  }

  /** The block at a position, if its bytes are still here. */
  find(position: number): StagedBlock | null {
    return this.#written.find((block) => block.position === position) ?? null;
  }
}
