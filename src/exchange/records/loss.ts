import { copyBytes, latin1Bytes, latin1String } from '../../base/bytes.js';
import { alignRecord } from '../../ring/layout.js';
import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import { recordKind } from './kinds.js';

/*
 * So many messages that a subscription subject takes found no room:
 *
 *     0        4      8       12               16
 *     | length | kind | count | subject length | subject ... |
 *
 * Its length is 16 and the subject, aligned.
 */
const countWord = 2;
const subjectLengthWord = 3;
const headerBytes = 16;

export function lossRecordBytes(subject: string): number {
  return alignRecord(headerBytes + subject.length);
}

/** Writes the record that the lane has begun, of `lossRecordBytes`. */
export function writeLoss(lane: LaneWriter, subject: string, count: number): void {
  const { words, index } = lane;
  const word = index >> 2;
  words[word] = lossRecordBytes(subject);
  words[word + 1] = recordKind.loss;
  words[word + countWord] = count;
  words[word + subjectLengthWord] = subject.length;
  copyBytes(lane.span.bytes, index + headerBytes, latin1Bytes(subject), 0, subject.length);
}

/** Hands on the record found last, if anybody wants to know. */
export function readLoss(lane: LaneReader, sink: { onLoss?(subject: string, count: number): void }): void {
  const { words, index } = lane;
  const word = index >> 2;
  const start = index + headerBytes;
  sink.onLoss?.(latin1String(lane.span.bytes, start, start + words[word + subjectLengthWord]), words[word + countWord]);
}
