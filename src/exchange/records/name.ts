import { mainAccount } from '../../base/account.js';
import { copyBytes } from '../../base/bytes.js';
import { alignRecord } from '../../ring/layout.js';
import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import { kindOf } from './kinds.js';

/*
 * A topic (`defineTopic`), of the account that stands above its kind, or a queue group (`defineQueue`) gets a number; a number is free again (`forgetTopic`, without a name):
 *
 *     0        4      8      12            16
 *     | length | kind | slot | name length | name ... |
 *
 * Its length is 16 and the name, aligned.
 */
const slotWord = 2;
const nameLengthWord = 3;
const headerBytes = 16;

export function nameRecordBytes(name: Uint8Array): number {
  return alignRecord(headerBytes + name.length);
}

/** Writes the record that the lane has begun, of `nameRecordBytes`. */
export function writeName(lane: LaneWriter, kind: number, slot: number, name: Uint8Array, account = mainAccount): void {
  const { words, index } = lane;
  const word = index >> 2;
  words[word] = nameRecordBytes(name);
  words[word + 1] = kindOf(kind, account);
  words[word + slotWord] = slot;
  words[word + nameLengthWord] = name.length;
  copyBytes(lane.span.bytes, index + headerBytes, name, 0, name.length);
}

/** The number of the record found last. */
export function nameSlot(lane: LaneReader): number {
  return lane.words[(lane.index >> 2) + slotWord];
}

/** Where its name begins in the lane's span, and where it ends. */
export function nameStart(lane: LaneReader): number {
  return lane.index + headerBytes;
}

export function nameEnd(lane: LaneReader): number {
  return nameStart(lane) + lane.words[(lane.index >> 2) + nameLengthWord];
}
