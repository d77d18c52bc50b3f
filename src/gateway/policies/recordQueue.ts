import { chunkBytesLarge } from '../../base/limits.js';
import { copySpan, type Span } from '../../base/span.js';
import type { Chunk, ChunkPool } from '../chunkPool.js';

/** Before each record stands its length. */
const prefixBytes = 4;

/** Byte records, first in first out, in chunks from the pool: no object a record. */
export class RecordQueue {
  /** Records, and their bytes. */
  count = 0;
  bytes = 0;
  /** Memory taken, in bytes. */
  heldBytes = 0;
  readonly #pool: ChunkPool;
  /** Chunks, and where what was written to each of them ends. */
  readonly #chunks: Chunk[] = [];
  readonly #ends: number[] = [];
  /** Where the first record's prefix begins in the first chunk. */
  #head = 0;

  constructor(pool: ChunkPool) {
    this.#pool = pool;
  }

  /** Appends a copy of `source[start, end)`. */
  push(source: Span, start: number, end: number): void {
    const length = end - start;
    let last = this.#chunks.length - 1;
    if (last < 0 || this.#ends[last] + prefixBytes + length > this.#chunks[last].bytes.length) {
      this.#addChunk(prefixBytes + length);
      last++;
    }
    const { span } = this.#chunks[last];
    const at = this.#ends[last];
    span.view.setInt32(at, length, true);
    this.#ends[last] = copySpan(span, at + prefixBytes, source, start, end);
    this.count++;
    this.bytes += length;
  }

  /** The memory in which the first record lies, from `headStart` to `headEnd`. There must be one. */
  get headSpan(): Span {
    return this.#chunks[0].span;
  }

  get headStart(): number {
    return this.#head + prefixBytes;
  }

  get headEnd(): number {
    return this.headStart + this.headSpan.view.getInt32(this.#head, true);
  }

  /** Takes the first record away. */
  shift(): void {
    const end = this.headEnd;
    this.count--;
    this.bytes -= end - this.headStart;
    this.#head = end;
    if (end < this.#ends[0]) return;
    this.#dropChunk();
  }

  /** Takes everything away. */
  clear(): void {
    while (this.#chunks.length > 0) this.#dropChunk();
    this.count = 0;
    this.bytes = 0;
  }

  #addChunk(lengthBytes: number): void {
    const chunk = this.#pool.takeForLong(Math.max(lengthBytes, Math.min(this.heldBytes, chunkBytesLarge)));
    this.#chunks.push(chunk);
    this.#ends.push(0);
    this.heldBytes += chunk.bytes.length;
  }

  #dropChunk(): void {
    const chunk = this.#chunks.shift() as Chunk;
    this.#ends.shift();
    this.#head = 0;
    this.heldBytes -= chunk.bytes.length;
    this.#pool.give(chunk);
  }
}
