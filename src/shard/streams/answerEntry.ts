/** What an entry of those that a shard is to say is, by its first word: an answer, or acknowledgements. */
export const kindAt = 0;
export const entryKind = { answer: 0, acks: 1 } as const;
