import { assert } from './assert.js';
import { arenaBlockBytes } from './limits.js';
import { copySpan, Span } from './span.js';

/** Somebody's bytes in an arena: `block.span[at, at + capacity)`. The arena moves them when it closes gaps. */
export interface ArenaCell {
  block: ArenaBlock | null;
  at: number;
  /** Bytes that it may use; 0 when it has none. */
  capacity: number;
  /** Its number in its block. */
  place: number;
}

/** A stretch of memory that cells are cut from, one behind the other. */
export class ArenaBlock {
  readonly span: Span;
  /** Cells in the order of their places; those that have left since stand elsewhere by now. */
  readonly cells: ArenaCell[] = [];
  usedBytes = 0;
  /** Bytes of the cells that are still here. */
  liveBytes = 0;

  constructor(lengthBytes: number) {
    this.span = new Span(new Uint8Array(lengthBytes));
  }
}

/** Cells are cut in multiples of this, so that a message a little longer than the last one finds room in its cell. */
const cellStepBytes = 16;

/**
 * Memory for many small things of different sizes that come and go: a buffer each would cost ten times their size. A
 * block that is less than three quarters in use is emptied into another, so that all blocks together take at most a third
 * more than what is in use, and one block.
 */
export class Arena {
  /** Bytes that cells have. */
  liveBytes = 0;
  /** Bytes of all blocks. */
  blockBytes = 0;
  #open: ArenaBlock | null = null;

  /** Gives a cell that has no bytes at least `lengthBytes`, uninitialised. */
  take(cell: ArenaCell, lengthBytes: number): void {
    assert(cell.block === null, 'the cell has no bytes yet');
    const capacity = cellBytes(lengthBytes);
    const block = this.#blockFor(capacity);
    cell.block = block;
    cell.at = block.usedBytes;
    cell.capacity = capacity;
    cell.place = block.cells.push(cell) - 1;
    block.usedBytes += capacity;
    block.liveBytes += capacity;
    this.liveBytes += capacity;
  }

  /** Takes a cell's bytes back. */
  give(cell: ArenaCell): void {
    const block = cell.block;
    if (block === null) return;
    block.liveBytes -= cell.capacity;
    this.liveBytes -= cell.capacity;
    cell.block = null;
    cell.capacity = 0;
    if (block !== this.#open) this.#closeGaps(block);
  }

  #blockFor(capacity: number): ArenaBlock {
    // what would leave much of a block unused has one of its own, which goes with it
    if (capacity > arenaBlockBytes >> 2) return this.#newBlock(capacity);
    const open = this.#open;
    if (open !== null && open.usedBytes + capacity <= arenaBlockBytes) return open;
    this.#open = this.#newBlock(arenaBlockBytes);
    if (open !== null) this.#closeGaps(open);
    return this.#blockFor(capacity);
  }

  #newBlock(lengthBytes: number): ArenaBlock {
    this.blockBytes += lengthBytes;
    return new ArenaBlock(lengthBytes);
  }

  /** Empties a block that has too many gaps into the open one. */
  #closeGaps(block: ArenaBlock): void {
    const lengthBytes = block.span.bytes.length;
    if (block.liveBytes * 4 >= lengthBytes * 3) return;
    this.blockBytes -= lengthBytes;
    for (let place = 0; block.liveBytes > 0; place++) {
      const cell = block.cells[place];
      if (cell.block === block && cell.place === place) this.#move(cell, block);
    }
  }

  #move(cell: ArenaCell, from: ArenaBlock): void {
    const { at, capacity } = cell;
    from.liveBytes -= capacity;
    this.liveBytes -= capacity;
    cell.block = null;
    this.take(cell, capacity);
    copySpan(spanOf(cell), cell.at, from.span, at, at + capacity);
  }
}

/** Where the bytes of a cell that has some lie, from `at` on, until the arena is next given something or asked for more. */
export function spanOf({ block }: ArenaCell): Span {
  assert(block !== null, 'the cell has bytes');
  return block.span;
}

/** Whether a cell should be kept for something of that length: it fits, and does not leave most of the cell unused. */
export function cellSuits(cell: ArenaCell, lengthBytes: number): boolean {
  return lengthBytes <= cell.capacity && cell.capacity <= 4 * cellBytes(lengthBytes);
}

function cellBytes(lengthBytes: number): number {
  return Math.max(cellStepBytes, (lengthBytes + cellStepBytes - 1) & -cellStepBytes);
}
