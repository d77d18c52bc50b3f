import { journalPageBytes } from '../base/limits.js';

/**
 * A block of a journal: what one commit writes. It begins and ends at a page.
 *
 *     0        8      12       14    16       20     24        32         40        48         56      64
 *     | check  | magic| version| kind| length | epoch| journal | position | durable | previous | begin | entries … | zeros |
 *
 * All numbers are little-endian.
 * - check: XXH64 of what follows it, up to `length`, with `journal` as its seed: who does not know that cannot make a message that
 *   looks like a block
 * - length: from the block's beginning to the end of its entries
 * - epoch: how often the journal was opened; never falls
 * - journal: a random number of this data directory
 * - position: where the block lies, in bytes from the journal's beginning; ever growing, so that what a recycled file held before
 *   is never taken for new
 * - durable: all before this position was on disk when the block was written
 * - previous: the check of the block before
 * - begin: what lies before this position is not needed any more
 */
export const checkAt = 0;
export const magicAt = checkAt + 8;
export const versionAt = magicAt + 4;
export const blockKindAt = versionAt + 2;
export const blockLengthAt = blockKindAt + 2;
export const epochAt = blockLengthAt + 4;
export const journalAt = epochAt + 4;
export const positionAt = journalAt + 8;
export const durableAt = positionAt + 8;
export const previousAt = durableAt + 8;
export const beginAt = previousAt + 8;
export const blockHeaderBytes = beginAt + 8;

/** "SHJ1" */
export const blockMagic = 0x314a4853;
/** Another one for whatever changes in blocks and entries. 2: a state says how many records are there. 3: there are notes. */
export const blockVersion = 3;
/** The oldest one that is read: it has nothing that this one has not. */
export const blockVersionMin = 2;

/** What comes as it comes; what a file begins with, twice: the state of all streams; nothing but that what was before is on disk. */
export const BlockKind = { data: 1, head: 2, seal: 3 } as const;
export type BlockKind = (typeof BlockKind)[keyof typeof BlockKind];

/** What bytes take in pages. */
export function paged(bytes: number): number {
  return Math.ceil(bytes / journalPageBytes) * journalPageBytes;
}
