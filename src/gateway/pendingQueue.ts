import { copyBytes } from '../base/bytes.js';
import { chunkBytesLarge } from '../base/limits.js';
import type { Chunk, ChunkPool } from './chunkPool.js';

/** Ends of messages are remembered this far apart, in bytes. */
const boundaryGapBytes = 64 * 1024;

/** What all queues of a gateway take together. */
export interface QueueMemory {
  heldBytes: number;
}

/** What waits for one connection that does not keep up: its own copy, in order, in chunks from the pool. */
export class PendingQueue {
  /** Bytes waiting. */
  bytes = 0;
  /** Memory taken, in bytes: whole chunks, however little of them is used. */
  heldBytes = 0;
  readonly #pool: ChunkPool;
  readonly #memory: QueueMemory;
  readonly #chunks: Chunk[] = [];
  /** Read position in the first chunk and write position in the last. */
  #head = 0;
  #tail = 0;
  /** Bytes that ever entered and left, and positions between them at which a message ends. */
  #entered = 0;
  #left = 0;
  #boundaries: number[] = [];

  constructor(pool: ChunkPool, memory: QueueMemory) {
    this.#pool = pool;
    this.#memory = memory;
  }

  /** Appends whole messages, or the rest of one. */
  append(bytes: Uint8Array, start: number, end: number): void {
    let position = start;
    while (position < end) {
      let chunk = this.#chunks[this.#chunks.length - 1];
      if (chunk === undefined || this.#tail === chunk.bytes.length) {
        chunk = this.#addChunk(end - position);
      }
      const length = Math.min(end - position, chunk.bytes.length - this.#tail);
      this.#tail = copyBytes(chunk.bytes, this.#tail, bytes, position, position + length);
      position += length;
    }
    this.bytes += end - start;
    this.#entered += end - start;
    const last = this.#boundaries.length - 1;
    if (last > 0 && this.#entered - this.#boundaries[last - 1] < boundaryGapBytes)
      this.#boundaries[last] = this.#entered;
    else this.#boundaries.push(this.#entered);
  }

  get headChunk(): Chunk {
    return this.#chunks[0];
  }

  get headStart(): number {
    return this.#head;
  }

  /** End of what the first chunk holds. */
  get headEnd(): number {
    return this.#chunks.length === 1 ? this.#tail : this.#chunks[0].bytes.length;
  }

  /** Takes `lengthBytes` that were sent off the first chunk. */
  advance(lengthBytes: number): void {
    this.#head += lengthBytes;
    this.bytes -= lengthBytes;
    this.#left += lengthBytes;
    while (this.#boundaries.length > 0 && this.#boundaries[0] < this.#left) this.#boundaries.shift();
    if (this.#head < this.headEnd) return;
    this.#give(this.#chunks.shift() as Chunk);
    this.#head = 0;
    if (this.#chunks.length === 0) this.#tail = 0;
  }

  /** Drops what lies behind the first end of a message that is at least `keepBytes` from the head. */
  truncate(keepBytes: number): void {
    const boundary = this.#boundaries.find((position) => position >= this.#left + keepBytes) ?? this.#entered;
    let keep = boundary - this.#left;
    this.bytes = keep;
    this.#entered = boundary;
    this.#boundaries = [boundary];
    keep += this.#head;
    let kept = 0;
    while (kept < this.#chunks.length && keep > this.#chunks[kept].bytes.length)
      keep -= this.#chunks[kept++].bytes.length;
    for (const chunk of this.#chunks.splice(kept + 1)) this.#give(chunk);
    this.#tail = keep;
  }

  /** Gives every chunk back, but for the first when the system may still be reading it. */
  dispose(headInUse: boolean): void {
    const [head, ...others] = this.#chunks.splice(0);
    for (const chunk of others) this.#give(chunk);
    if (head !== undefined && headInUse) this.#count(-head.bytes.length);
    else if (head !== undefined) this.#give(head);
    this.bytes = 0;
  }

  #addChunk(lengthBytes: number): Chunk {
    const chunk = this.#pool.takeForLong(Math.min(Math.max(lengthBytes, this.bytes), chunkBytesLarge));
    this.#chunks.push(chunk);
    this.#tail = 0;
    this.#count(chunk.bytes.length);
    return chunk;
  }

  #give(chunk: Chunk): void {
    this.#count(-chunk.bytes.length);
    this.#pool.give(chunk);
  }

  #count(bytes: number): void {
    this.heldBytes += bytes;
    this.#memory.heldBytes += bytes;
  }
}
