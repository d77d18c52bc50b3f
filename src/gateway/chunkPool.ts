import { takeKernelBytes } from '../base/kernel.js';
import {
  chunkBytesLarge,
  chunkBytesMedium,
  chunkBytesSmall,
  chunkPoolBytesMax,
  kernelMemoryBytes,
} from '../base/limits.js';
import { Span } from '../base/span.js';
import { addressOf } from './native.js';

/** Asking costs a call out of JavaScript, for which much has to be loaded: only what is sent is asked for. */
const addressUnknown = -1;

/** A piece of memory that deliveries are written into and sent from. */
export class Chunk {
  readonly buffer: Buffer;
  /** The same memory as `buffer`; a plain view, so that every reader and writer of bytes sees one kind of object. */
  readonly bytes: Uint8Array;
  readonly span: Span;
  /** Whether queues of several connections may refer to it, instead of having a copy each: it holds one message, and never comes back to a pool. */
  readonly shared: boolean;
  /** Queues that refer to it. */
  references = 0;
  #address = addressUnknown;

  /** @param bytes memory for it; some of its own by default */
  constructor(
    lengthBytes: number,
    bytes = new Uint8Array(Buffer.allocUnsafeSlow(lengthBytes).buffer),
    shared = lengthBytes > chunkBytesLarge,
  ) {
    this.shared = shared;
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, lengthBytes);
    this.bytes = bytes;
    this.span = new Span(this.bytes);
  }

  /** Where it lies, for the system call that sends it; 0 where there is none. */
  get address(): number {
    if (this.#address === addressUnknown) this.#address = addressOf(this.bytes);
    return this.#address;
  }
}

const classBytes = [chunkBytesSmall, chunkBytesMedium, chunkBytesLarge];
/** How many chunks of each size may be made of the kernel's memory: a quarter of it for each of the smaller, the rest is large. */
const kernelChunksMax = [
  kernelMemoryBytes / 4 / chunkBytesSmall,
  kernelMemoryBytes / 4 / chunkBytesMedium,
  Number.MAX_SAFE_INTEGER,
];

/**
 * Chunks of three sizes for reuse, and larger ones made to measure and dropped after use. The first lie in the kernel's memory, and
 * are preferred for ever; what is needed beyond them is ordinary memory.
 */
export class ChunkPool {
  readonly #kernelFree: Chunk[][] = classBytes.map(() => []);
  readonly #kernelMade = classBytes.map(() => 0);
  readonly #free: Chunk[][] = classBytes.map(() => []);
  /** Memory kept for reuse, in bytes. */
  freeBytes = 0;

  /** A chunk of at least `lengthBytes` to be written now and given back soon. */
  take(lengthBytes: number): Chunk {
    const size = sizeClass(lengthBytes);
    if (size < 0) return new Chunk(lengthBytes);
    return this.#kernelFree[size].pop() ?? this.#makeInKernel(size) ?? this.takeForLong(lengthBytes);
  }

  /** A chunk of at least `lengthBytes` that may not come back for a while, or never; it is ordinary memory. */
  takeForLong(lengthBytes: number): Chunk {
    const size = sizeClass(lengthBytes);
    if (size < 0) return new Chunk(lengthBytes);
    const chunk = this.#free[size].pop();
    if (chunk === undefined) return new Chunk(classBytes[size]);
    this.freeBytes -= classBytes[size];
    return chunk;
  }

  /** A chunk made to measure for one message, which queues may share and which is dropped after use. */
  takeShared(lengthBytes: number): Chunk {
    return new Chunk(lengthBytes, undefined, true);
  }

  /** Takes back a chunk that nothing refers to any more; one that may be shared is the collector's. */
  give(chunk: Chunk): void {
    if (chunk.shared) return;
    const lengthBytes = chunk.bytes.length;
    const size = sizeClass(lengthBytes);
    if (size < 0 || classBytes[size] !== lengthBytes) return;
    if (chunk.span.address >= 0) {
      this.#kernelFree[size].push(chunk);
      return;
    }
    if (this.freeBytes + lengthBytes > chunkPoolBytesMax) return;
    this.#free[size].push(chunk);
    this.freeBytes += lengthBytes;
  }

  /** Gives up what is kept for reuse, but for what lies in the kernel's memory, which cannot be given up. */
  trim(): void {
    for (const free of this.#free) free.length = 0;
    this.freeBytes = 0;
  }

  #makeInKernel(size: number): Chunk | null {
    if (this.#kernelMade[size] >= kernelChunksMax[size]) return null;
    const bytes = takeKernelBytes(classBytes[size]);
    // none left: there will never be any
    if (bytes === null) this.#kernelMade[size] = kernelChunksMax[size];
    else this.#kernelMade[size]++;
    return bytes === null ? null : new Chunk(classBytes[size], bytes);
  }
}

function sizeClass(lengthBytes: number): number {
  if (lengthBytes <= chunkBytesSmall) return 0;
  if (lengthBytes <= chunkBytesMedium) return 1;
  return lengthBytes <= chunkBytesLarge ? 2 : -1;
}
