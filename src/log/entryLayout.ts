/**
 * Entries of a block. Each begins at a multiple of eight bytes.
 *
 *     0        4      5       6          8        16
 *     | length | kind | flags | subject  | stream | …
 *
 * - length: of the whole entry, before it is filled up to a multiple of eight
 * - subject: of a record, length of its subject
 * - stream: number of the stream, random and never used again
 */
export const entryLengthAt = 0;
export const entryKindAt = entryLengthAt + 4;
export const entryFlagsAt = entryKindAt + 1;
export const subjectBytesAt = entryFlagsAt + 1;
export const streamAt = subjectBytesAt + 2;
export const entryHeadBytes = streamAt + 8;

/**
 * A message:
 *
 *     16         24     32            36       40
 *     | sequence | time | headers     | zeros  | subject | headers | payload | CR LF
 *
 * - time: when it was stored, in microseconds since 1970
 * - headers: length of the headers block, 0 without one
 */
export const sequenceAt = entryHeadBytes;
export const timeAt = sequenceAt + 8;
export const headerBytesAt = timeAt + 8;
export const recordHeadBytes = headerBytesAt + 8;

/**
 * A range of sequences: messages that are gone, or what a stream has:
 *
 *     16      24     32
 *     | first | last |
 */
export const firstAt = entryHeadBytes;
export const lastAt = firstAt + 8;
export const rangeBytes = lastAt + 8;

/**
 * What a stream is: a range from its first to its last sequence, and how many messages of them are there:
 *
 *     32     40
 *     | live |
 */
export const liveAt = rangeBytes;
export const stateBytes = liveAt + 8;

/**
 * - record: a message
 * - removed: the messages of a range are gone
 * - state: what lies before this block, or was dropped since, has brought the stream to this. Says what is missing where blocks are
 *   damaged
 * - skipped: the sequences of a range are given to no message
 * - copy: a message again, which lay in a file that is not needed any more then. All that was left of a block is copied into one
 */
export const EntryKind = { record: 1, removed: 2, state: 3, skipped: 4, copy: 5 } as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** What an entry takes in a block. */
export function entryRoom(lengthBytes: number): number {
  return (lengthBytes + 7) & -8;
}
