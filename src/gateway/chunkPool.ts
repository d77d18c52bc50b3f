import { chunkBytesLarge, chunkBytesMedium, chunkBytesSmall, chunkPoolBytesMax } from '../base/limits.js';
import { Span } from '../base/span.js';
import { addressOf } from './native.js';

/** A piece of memory that deliveries are written into and sent from. */
export class Chunk {
  readonly buffer: Buffer;
  /** The same memory as `buffer`; a plain view, so that every reader and writer of bytes sees one kind of object. */
  readonly bytes: Uint8Array;
  readonly span: Span;
  /** Where it lies, for the system call that sends it; 0 where there is none. */
  readonly address: number;

  constructor(lengthBytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(lengthBytes);
    this.bytes = new Uint8Array(this.buffer.buffer);
    this.span = new Span(this.bytes);
    this.address = addressOf(this.bytes);
  }
}

const classBytes = [chunkBytesSmall, chunkBytesMedium, chunkBytesLarge];

/** Chunks of three sizes for reuse, and larger ones made to measure and dropped after use. */
export class ChunkPool {
  readonly #free: Chunk[][] = classBytes.map(() => []);
  #freeBytes = 0;

  /** A chunk of at least `lengthBytes`. */
  take(lengthBytes: number): Chunk {
    const size = sizeClass(lengthBytes);
    if (size < 0) return new Chunk(lengthBytes);
    const chunk = this.#free[size].pop();
    if (chunk === undefined) return new Chunk(classBytes[size]);
    this.#freeBytes -= classBytes[size];
    return chunk;
  }

  /** Takes back a chunk that nothing refers to any more. */
  give(chunk: Chunk): void {
    const lengthBytes = chunk.bytes.length;
    const size = sizeClass(lengthBytes);
    if (size < 0 || classBytes[size] !== lengthBytes || this.#freeBytes + lengthBytes > chunkPoolBytesMax) return;
    this.#free[size].push(chunk);
    this.#freeBytes += lengthBytes;
  }
}

function sizeClass(lengthBytes: number): number {
  if (lengthBytes <= chunkBytesSmall) return 0;
  if (lengthBytes <= chunkBytesMedium) return 1;
  return lengthBytes <= chunkBytesLarge ? 2 : -1;
}
