import { partialSpareBytesMax, partialSparesMax } from '../base/limits.js';

/** A spare buffer is not used for what needs less than this part of it. */
const usedRatioMin = 1 / 4;

/** Buffers in which large operations are put together that come in pieces: one may come in each read, and new ones are much for the collector. */
export class PartialBuffers {
  readonly #spares: Uint8Array[] = [];
  #spareBytes = 0;

  /**
   * A buffer for an operation, with anything in it.
   *
   * @param neededBytes what the operation will take; 0 when that is not known
   * @param roomBytes what it gets where there is no spare one for all of it: memory is taken for what has come, not for what was promised
   */
  take(neededBytes: number, roomBytes: number): Uint8Array {
    const wantedBytes = neededBytes === 0 ? roomBytes : neededBytes;
    const at = this.#spares.findIndex(({ length }) => length >= wantedBytes && length * usedRatioMin <= wantedBytes);
    if (at < 0) return new Uint8Array(Math.min(wantedBytes, roomBytes));
    const [spare] = this.#spares.splice(at, 1);
    this.#spareBytes -= spare.length;
    return spare;
  }

  /** Keeps a buffer for reuse that nothing refers to any more; the oldest make room. */
  give(buffer: Uint8Array): void {
    this.#spares.push(buffer);
    this.#spareBytes += buffer.length;
    while (this.#spares.length > partialSparesMax || this.#spareBytes > partialSpareBytesMax)
      this.#spareBytes -= (this.#spares.shift() as Uint8Array).length;
  }
}
