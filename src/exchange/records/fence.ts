import type { LaneWriter } from '../laneWriter.js';
import { recordKind } from './kinds.js';

/*
 * Nothing; whoever wrote it learns by its being taken that what stood before it on all lanes was, too:
 *
 *     0        4      8
 *     | length | kind |
 */
export const fenceRecordBytes = 8;

/** Writes the record that the lane has begun. */
export function writeFence(lane: LaneWriter): void {
  const word = lane.index >> 2;
  lane.words[word] = fenceRecordBytes;
  lane.words[word + 1] = recordKind.fence;
}
