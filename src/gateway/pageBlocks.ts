import { assert } from '../base/assert.js';
import { pageBlockBytes } from '../base/limits.js';
import { canSendDirectly, releasePages } from './native.js';

/**
 * Blocks of memory of which only those pages are taken that somebody has written to. They are shared memory, since the collector counts all
 * other: it would begin anew with every few megabytes that a crowd takes, and use more of the processor than the crowd. So they are given back
 * by hand: a free block keeps its addresses, and none of its pages.
 */
export class PageBlocks {
  readonly #free: Uint8Array[] = [];

  /** A block, with anything in it. */
  take(): Uint8Array {
    return this.#free.pop() ?? newBlock();
  }

  /** @param usedBytes how much of it has been written to, from its beginning */
  give(block: Uint8Array, usedBytes: number): void {
    assert(this.owns(block), 'a block');
    releasePages(block, usedBytes);
    this.#free.push(block);
  }

  /** Whether it is a block: where pages cannot be given back none is. */
  owns(bytes: Uint8Array): boolean {
    return bytes.buffer instanceof SharedArrayBuffer;
  }
}

function newBlock(): Uint8Array {
  // where its pages cannot be given back it is left to the collector
  return new Uint8Array(canSendDirectly ? new SharedArrayBuffer(pageBlockBytes) : new ArrayBuffer(pageBlockBytes));
}
