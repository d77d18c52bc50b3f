import { HashMemory } from '../base/kernel.js';
import { Span } from '../base/span.js';
import { paged } from './blockLayout.js';
import { BlockWriter } from './blockWriter.js';
import { StagedBlock } from './stagedBlock.js';

/**
 * Memory for the blocks of a journal. What was written stays where it is until its memory is needed, so that who reads the latest
 * finds it. Pages that were never used take no room.
 */
export class Staging {
  /** The latest last. Those in front of it may be taken anew. */
  readonly #written: StagedBlock[] = [];
  readonly #blockBytes: number;

  /** @param blockBytes what a block may have, in whole pages */
  constructor(blocks: number, blockBytes: number) {
    this.#blockBytes = paged(blockBytes);
    const memory = new HashMemory(blocks * this.#blockBytes);
    const span = new Span(memory.bytes);
    for (let i = 0; i < blocks; i++) this.#written.push(this.#block(memory, span, i * this.#blockBytes));
  }

  #block(memory: HashMemory, span: Span, at: number): StagedBlock {
    return new StagedBlock(new BlockWriter(memory, span, at, this.#blockBytes));
  }

  /** A block to be filled: the one that was written longest ago. When none is, one that is given up after its use. */
  take(): StagedBlock {
    const written = this.#written.shift();
    if (written !== undefined) return written;
    const memory = new HashMemory(this.#blockBytes);
    return this.#block(memory, new Span(memory.bytes), 0);
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
