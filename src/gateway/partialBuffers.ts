import { pageBlockBytes, partialSpareBytesMax, partialSparesMax, partialSpareTakesMin } from '../base/limits.js';
import { PageBlocks } from './pageBlocks.js';

/** A spare buffer is not used for what needs less than this part of it. */
const usedRatioMin = 1 / 4;

interface Spare {
  readonly bytes: Uint8Array;
  /** How many buffers had been taken when it was given. */
  readonly givenAt: number;
}

/**
 * Buffers in which large operations are put together that come in pieces. A few are kept for whoever sends one after the other; a crowd
 * has blocks of pages, and what is larger than one of those has memory of its own, for what has come and not for what was promised.
 */
export class PartialBuffers {
  readonly #blocks = new PageBlocks();
  readonly #spares: Spare[] = [];
  #spareBytes = 0;
  #taken = 0;

  /**
   * A buffer for an operation, with anything in it.
   *
   * @param neededBytes what the operation will take; 0 when that is not known
   * @param cameBytes what has come of it
   */
  take(neededBytes: number, cameBytes: number): Uint8Array {
    this.#taken++;
    const spare = this.#takeSpare(neededBytes === 0 ? 2 * cameBytes : neededBytes);
    if (spare !== null) return spare;
    if (cameBytes <= pageBlockBytes) return this.#blocks.take();
    return ordinaryBytes(neededBytes === 0 ? 2 * cameBytes : Math.min(neededBytes, 2 * cameBytes));
  }

  /** How much memory a buffer takes of which so much has been written to since it was taken. */
  memoryBytes(buffer: Uint8Array, writtenBytes: number): number {
    return this.#blocks.owns(buffer) ? writtenBytes : buffer.length;
  }

  /** Takes a buffer back to which nothing refers any more, whose operation was whole: another one may follow. */
  give(buffer: Uint8Array, writtenBytes: number): void {
    if (!this.#blocks.owns(buffer)) {
      this.#keep(buffer);
      return;
    }
    this.#blocks.give(buffer, writtenBytes);
    // whoever sends many gets ordinary memory, which is copied at half of the cost; a crowd that sends one each drives out none that is used
    if (!this.#isFullFor(writtenBytes) || this.#hasIdle) this.#keep(ordinaryBytes(writtenBytes));
  }

  /** Takes a buffer back that is of no use any more. */
  drop(buffer: Uint8Array, writtenBytes: number): void {
    if (this.#blocks.owns(buffer)) this.#blocks.give(buffer, writtenBytes);
  }

  #takeSpare(wantedBytes: number): Uint8Array | null {
    const at = this.#spares.findIndex(
      ({ bytes: { length } }) => length >= wantedBytes && length * usedRatioMin <= wantedBytes,
    );
    if (at < 0) return null;
    const [{ bytes }] = this.#spares.splice(at, 1);
    this.#spareBytes -= bytes.length;
    return bytes;
  }

  /** Keeps a buffer for reuse; the oldest make room. */
  #keep(bytes: Uint8Array): void {
    this.#spares.push({ bytes, givenAt: this.#taken });
    this.#spareBytes += bytes.length;
    while (this.#spares.length > partialSparesMax || this.#spareBytes > partialSpareBytesMax)
      this.#spareBytes -= (this.#spares.shift() as Spare).bytes.length;
  }

  #isFullFor(lengthBytes: number): boolean {
    return this.#spares.length >= partialSparesMax || this.#spareBytes + lengthBytes > partialSpareBytesMax;
  }

  /** Whether the oldest has been of no use for a while. */
  get #hasIdle(): boolean {
    return this.#spares.length > 0 && this.#taken - this.#spares[0].givenAt >= partialSpareTakesMin;
  }
}

function ordinaryBytes(lengthBytes: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(lengthBytes).buffer);
}
