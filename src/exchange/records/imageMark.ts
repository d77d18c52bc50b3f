import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';

/*
 * Where an image begins, pauses or ends (`imageBegin`, `imagePause`, `imageEnd`); its messages are `addressed`:
 *
 *     0        4      8       12  16
 *     | length | kind | token |   |
 */
const tokenWord = 2;
export const imageMarkBytes = 16;

/** Writes the record that the lane has begun. */
export function writeImageMark(lane: LaneWriter, kind: number, token: number): void {
  const word = lane.index >> 2;
  lane.words[word] = imageMarkBytes;
  lane.words[word + 1] = kind;
  lane.words[word + tokenWord] = token;
}

/** The token of the record found last. */
export function imageToken(lane: LaneReader): number {
  return lane.words[(lane.index >> 2) + tokenWord];
}
