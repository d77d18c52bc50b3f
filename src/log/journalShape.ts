import {
  checkpointBytes,
  checkpointRatio,
  durableStreamsMax,
  journalCommitBytes,
  journalEntryBytesMax,
  journalFileBytes,
  subjectBytesMax,
} from '../base/limits.js';
import { blockHeaderBytes, paged } from './blockLayout.js';
import { entryRoom, stateBytes } from './entryLayout.js';

/** How large what a journal is made of may be. */
export interface JournalShape {
  readonly fileBytes: number;
  readonly commitBytes: number;
  readonly entryBytesMax: number;
  readonly subjectBytesMax: number;
  readonly streamsMax: number;
  /** Its streams are written whenever so much was, in bytes, and so many times what they took. */
  readonly checkpointBytes: number;
  readonly checkpointRatio: number;
}

/** What a broker's journals are like. */
export const journalShape: JournalShape = {
  fileBytes: journalFileBytes,
  commitBytes: journalCommitBytes,
  entryBytesMax: journalEntryBytesMax,
  subjectBytesMax,
  streamsMax: durableStreamsMax,
  checkpointBytes,
  checkpointRatio,
};

/**
 * What a block of this shape may have: the states that it begins with, and entries up to the aim and one more. So all entries of one block
 * but the states fit into another, whatever that begins with.
 */
export function blockBytesMax({ streamsMax, commitBytes, entryBytesMax }: JournalShape): number {
  return paged(headBytes(streamsMax)) + paged(commitBytes + entryRoom(entryBytesMax));
}

/** What a block with the states of so many streams has. */
export function headBytes(streams: number): number {
  return blockHeaderBytes + streams * stateBytes;
}
