import { mainAccount } from '../../base/account.js';
import { copyBytes, latin1Bytes, latin1String } from '../../base/bytes.js';
import { alignRecord } from '../../ring/layout.js';
import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import { kindOf } from './kinds.js';

/*
 * What all records of control lanes have in common:
 *
 *     0        4      8       12               16             20      24
 *     | length | kind | value | subject length | queue length | extra | subject, queue ... |
 *
 * Its length is 24, the subject and the queue, aligned. Above the kind stands the account whose subject it is. What a kind has no use for is 0.
 */
const valueWord = 2;
const subjectLengthWord = 3;
const queueLengthWord = 4;
const extraWord = 5;
const headerBytes = 24;

/** Writes a record, whatever the lane's state. */
export function writeControl(
  lane: LaneWriter,
  kind: number,
  value: number,
  subject = '',
  queue = '',
  extra = 0,
  account = mainAccount,
): void {
  const lengthBytes = alignRecord(headerBytes + subject.length + queue.length);
  lane.begin(lengthBytes);
  const { words, index } = lane;
  const bytes = lane.span.bytes;
  const word = index >> 2;
  words[word] = lengthBytes;
  words[word + 1] = kindOf(kind, account);
  words[word + valueWord] = value;
  words[word + subjectLengthWord] = subject.length;
  words[word + queueLengthWord] = queue.length;
  words[word + extraWord] = extra;
  const at = copyBytes(bytes, index + headerBytes, latin1Bytes(subject), 0, subject.length);
  copyBytes(bytes, at, latin1Bytes(queue), 0, queue.length);
}

/** What stands in the record found last. */
export function controlValue(lane: LaneReader): number {
  return lane.words[(lane.index >> 2) + valueWord];
}

export function controlExtra(lane: LaneReader): number {
  return lane.words[(lane.index >> 2) + extraWord];
}

export function controlSubject(lane: LaneReader): string {
  const start = lane.index + headerBytes;
  return latin1String(lane.span.bytes, start, subjectEnd(lane));
}

export function controlQueue(lane: LaneReader): string {
  const start = subjectEnd(lane);
  return latin1String(lane.span.bytes, start, start + lane.words[(lane.index >> 2) + queueLengthWord]);
}

function subjectEnd(lane: LaneReader): number {
  return lane.index + headerBytes + lane.words[(lane.index >> 2) + subjectLengthWord];
}
