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
const entryHeadBytes = streamAt + 8;

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
 * A note that the stream's owner has written of something of its own:
 *
 *     16    24       32
 *     | key | number | bytes of the owner
 *
 * - flags: which kind of note it is, its index in `noteKinds`
 * - key: of what it is, as the owner numbers that; below 2^53
 * - number: one more than that of the stream's note before, whatever their keys
 */
export const noteKeyAt = sequenceAt;
export const noteNumberAt = noteKeyAt + 8;
export const noteHeadBytes = noteNumberAt + 8;
/** In the order of their numbers. */
export const noteKinds = ['whole', 'change', 'end'] as const;

/**
 * - record: a message
 * - removed: the messages of a range are gone
 * - state: what lies before this block, or was dropped since, has brought the stream to this. Says what is missing where blocks are
 *   damaged
 * - skipped: the sequences of a range are given to no message
 * - copy: a message again, which lay in a file that is not needed any more then. All that was left of a block is copied into one
 * - note: what the stream's owner says of something of its own
 */
export const EntryKind = { record: 1, removed: 2, state: 3, skipped: 4, copy: 5, note: 6 } as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** What an entry takes in a block. */
export function entryRoom(lengthBytes: number): number {
  return (lengthBytes + 7) & -8;
}

/** Room for a range, or for a note but for its bytes. */
export const operationRoom = Math.max(entryRoom(rangeBytes), entryRoom(noteHeadBytes) + entryRoom(1));
