import { assert } from '../base/assert.js';

/**
 * Where things lie in a ring's shared memory. The producer's and the consumer's positions stand two cache lines apart,
 * so that neither side's writes take the other's line away.
 *
 * A *position* counts bytes since the ring was made, modulo 2^32, and is compared by difference; an *index* is a
 * position masked to the data area. A record never wraps: what does not fit before the end is preceded by a pad.
 */
const cacheLineBytes = 64;

export const producerPositionWord = 0;
export const consumerPositionWord = (2 * cacheLineBytes) / 4;
/** Beside it, since they are read together: how much of the data area the consumer wants left free, in bytes. */
export const withheldWord = consumerPositionWord + 1;
export const producerWaitingWord = (4 * cacheLineBytes) / 4;
export const dataOffsetBytes = 6 * cacheLineBytes;

/** A record begins with its length in bytes, header included, a multiple of `recordAlignBytes`; then its kind. */
export const recordAlignBytes = 8;
export const recordHeaderBytes = 8;

/** The kind of the record that fills the room before the end of the data area. */
export const padKind = 0;

/** Memory for a ring of `capacityBytes`, a power of two of at least 64. */
export function createRingMemory(capacityBytes: number): SharedArrayBuffer {
  assert(capacityBytes >= 64 && (capacityBytes & (capacityBytes - 1)) === 0, 'a ring is a power of two');
  return new SharedArrayBuffer(dataOffsetBytes + capacityBytes);
}

export function alignRecord(lengthBytes: number): number {
  return (lengthBytes + recordAlignBytes - 1) & ~(recordAlignBytes - 1);
}
