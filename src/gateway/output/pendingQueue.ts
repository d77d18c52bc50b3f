import { assert } from '../../base/assert.js';
import { copyBytes } from '../../base/bytes.js';
import { chunkBytesLarge } from '../../base/limits.js';
import type { Chunk, ChunkPool } from '../chunkPool.js';

/** Ends of messages are remembered this far apart, in bytes. */
const boundaryGapBytes = 64 * 1024;

/** What all queues of a gateway take together. */
export interface QueueMemory {
  heldBytes: number;
}

/** What waits for one connection that does not keep up, in order: its own copy, in chunks from the pool, and references to chunks that are shared. */
export class PendingQueue {
  /** Bytes waiting. */
  bytes = 0;
  /** Memory taken, in bytes: whole chunks, however little of them is used. */
  heldBytes = 0;
  readonly #pool: ChunkPool;
  readonly #memory: QueueMemory;
  /** Pieces of chunks: what waits lies between a start and an end of each. */
  readonly #chunks: Chunk[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  /** Bytes that ever entered and left, and positions between them at which a message ends. */
  #entered = 0;
  #left = 0;
  #boundaries: number[] = [];

  constructor(pool: ChunkPool, memory: QueueMemory) {
    this.#pool = pool;
    this.#memory = memory;
  }

  /** Appends a copy of whole messages, or of the rest of one. */
  append(bytes: Uint8Array, start: number, end: number): void {
    let position = start;
    while (position < end) {
      if (this.#roomBytes === 0) this.#addChunk(end - position);
      const last = this.#chunks.length - 1;
      const length = Math.min(end - position, this.#roomBytes);
      this.#ends[last] = copyBytes(this.#chunks[last].bytes, this.#ends[last], bytes, position, position + length);
      position += length;
    }
    this.#enter(end - start);
  }

  /** Appends a message, or the rest of one, that stays where it is: in a chunk of its own, which other queues may refer to as well. */
  share(chunk: Chunk, start: number, end: number): void {
    assert(chunk.shared, 'nothing else is written into a chunk that a queue refers to');
    this.#addPiece(chunk, start, end);
    this.#enter(end - start);
  }

  get headChunk(): Chunk {
    return this.#chunks[0];
  }

  get headStart(): number {
    return this.#starts[0];
  }

  /** End of what waits in the first chunk. */
  get headEnd(): number {
    return this.#ends[0];
  }

  /** Takes `lengthBytes` that were sent off the first chunk. */
  advance(lengthBytes: number): void {
    this.#starts[0] += lengthBytes;
    this.bytes -= lengthBytes;
    this.#left += lengthBytes;
    while (this.#boundaries.length > 0 && this.#boundaries[0] < this.#left) this.#boundaries.shift();
    if (this.#starts[0] < this.#ends[0]) return;
    this.#starts.shift();
    this.#ends.shift();
    this.#release(this.#chunks.shift() as Chunk, true);
  }

  /** Drops what lies behind the first end of a message that is at least `keepBytes` from the head. */
  truncate(keepBytes: number): void {
    const boundary = this.#boundaries.find((position) => position >= this.#left + keepBytes) ?? this.#entered;
    this.bytes = boundary - this.#left;
    this.#entered = boundary;
    this.#boundaries = [boundary];
    let keep = this.bytes;
    let last = 0;
    for (; last < this.#chunks.length && keep > this.#lengthOf(last); last++) keep -= this.#lengthOf(last);
    if (last < this.#chunks.length) this.#ends[last] = this.#starts[last] + keep;
    // of nothing no chunk is left
    const pieces = this.bytes === 0 ? 0 : Math.min(this.#chunks.length, last + 1);
    this.#starts.length = pieces;
    this.#ends.length = pieces;
    for (const chunk of this.#chunks.splice(pieces)) this.#release(chunk, true);
  }

  /** Gives every chunk back, but for the first when the system may still be reading it. */
  dispose(headInUse: boolean): void {
    const chunks = this.#chunks.splice(0);
    this.#starts.length = 0;
    this.#ends.length = 0;
    for (let i = 0; i < chunks.length; i++) this.#release(chunks[i], i > 0 || !headInUse);
    this.bytes = 0;
  }

  /** Room behind what was copied last, in bytes. */
  get #roomBytes(): number {
    const last = this.#chunks.length - 1;
    if (last < 0 || this.#chunks[last].shared) return 0;
    return this.#chunks[last].bytes.length - this.#ends[last];
  }

  #lengthOf(piece: number): number {
    return this.#ends[piece] - this.#starts[piece];
  }

  #enter(lengthBytes: number): void {
    this.bytes += lengthBytes;
    this.#entered += lengthBytes;
    const last = this.#boundaries.length - 1;
    if (last > 0 && this.#entered - this.#boundaries[last - 1] < boundaryGapBytes)
      this.#boundaries[last] = this.#entered;
    else this.#boundaries.push(this.#entered);
  }

  #addChunk(lengthBytes: number): void {
    const chunk = this.#pool.takeForLong(Math.min(Math.max(lengthBytes, this.bytes), chunkBytesLarge));
    this.#addPiece(chunk, 0, 0);
  }

  #addPiece(chunk: Chunk, start: number, end: number): void {
    this.#chunks.push(chunk);
    this.#starts.push(start);
    this.#ends.push(end);
    this.heldBytes += chunk.bytes.length;
    // what several share is there once
    if (chunk.references++ === 0) this.#memory.heldBytes += chunk.bytes.length;
  }

  /** @param reusable whether nobody else reads it any more */
  #release(chunk: Chunk, reusable: boolean): void {
    this.heldBytes -= chunk.bytes.length;
    if (--chunk.references > 0) return;
    this.#memory.heldBytes -= chunk.bytes.length;
    if (reusable) this.#pool.give(chunk);
  }
}
