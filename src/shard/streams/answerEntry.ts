/**
 * What an entry of those that a shard is to say is, by its first word: an answer, acknowledgements, or something that is told to whoever listens
 * and left out where what it tells of was never committed.
 */
export const kindAt = 0;
export const entryKind = { answer: 0, acks: 1, notice: 2 } as const;
