import { mixedPayloadBytesMax, mixedRecordBytesMax, runMessagesMax } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import { lineEndBytes } from '../../base/ownMessage.js';
import { copySpan, type Span } from '../../base/span.js';
import type { Work } from '../../base/work.js';
import { alignRecord } from '../../ring/layout.js';
import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import { recordKind } from './kinds.js';

/*
 * Messages of different topics, each with neither reply nor headers, for all plain subscriptions:
 *
 *     0        4      8       12  16
 *     | length | kind | count |   | messages ... |
 *
 * Each message begins at a multiple of 4; the kernel reads it as it stands here:
 *
 *     0       4               8
 *     | topic | payload bytes | payload, CR LF |
 *
 * Its length is 16 and the messages, aligned.
 */
const countWord = 2;
export const mixedHeaderBytes = 16;
/** What stands before each message's payload. */
const mixedHeadBytes = 8;
/** The least that a message takes, in bytes. */
export const mixedMessageBytesMin = 12;

/** Whether message `index` may be part of such a record. */
export function isPlain(message: MessageView, index: number): boolean {
  return (
    message.ends[index] - message.starts[index] <= mixedPayloadBytesMax &&
    !message.withReplies &&
    !message.withHeaders &&
    message.exceptConnection === 0 &&
    message.syncToken === 0 &&
    message.caller === null &&
    message.shown === null &&
    message.returns === 0 &&
    !message.work
  );
}

/** Begins such a record, whatever the lane's state, of `count` messages that take `bytes`: they are written behind its header. */
export function beginMixedRun(lane: LaneWriter, bytes: number, count: number): void {
  const lengthBytes = alignRecord(mixedHeaderBytes + bytes);
  lane.begin(lengthBytes);
  const word = lane.index >> 2;
  lane.words[word] = lengthBytes;
  lane.words[word + 1] = recordKind.mixedRun;
  lane.words[word + countWord] = count;
}

/** Writes a plain message where it belongs in such a record. */
export function writeMixed(
  span: Span,
  words: Int32Array,
  at: number,
  slot: number,
  message: MessageView,
  index: number,
): void {
  const start = message.starts[index];
  const end = message.ends[index];
  words[at >> 2] = slot;
  words[(at >> 2) + 1] = end - start;
  copySpan(span, at + mixedHeadBytes, message.span, start, end + lineEndBytes);
}

/** What message `index` takes in a record, in bytes, a multiple of 4. */
export function mixedBytes({ starts, ends }: MessageView, index: number): number {
  return mixedHeadBytes + ((ends[index] - starts[index] + lineEndBytes + 3) & ~3);
}

/** Writes such records into a lane, and remembers the open one. */
export class MixedRunWriter {
  readonly #lane: LaneWriter;
  #open = false;
  #count = 0;
  #index = 0;
  #usedBytes = 0;
  #lengthBytes = 0;

  constructor(lane: LaneWriter) {
    this.#lane = lane;
  }

  /** Something else follows: nothing joins the open record. */
  close(): void {
    this.#open = false;
  }

  /** Adds a plain message of a topic that the reader knows by `slot` to the open record, if it may grow. */
  join(slot: number, message: MessageView, index: number): boolean {
    if (!this.#open) return false;
    const usedBytes = this.#usedBytes + mixedBytes(message, index);
    if (usedBytes > mixedRecordBytesMax) return false;
    const lengthBytes = alignRecord(usedBytes);
    const more = lengthBytes - this.#lengthBytes;
    if (more > 0 && !this.#lane.extend(more)) return false;
    writeMixed(this.#lane.span, this.#lane.words, this.#index + this.#usedBytes, slot, message, index);
    this.#usedBytes = usedBytes;
    this.#lengthBytes = lengthBytes;
    const word = this.#index >> 2;
    this.#lane.words[word] = lengthBytes;
    this.#lane.words[word + countWord] = ++this.#count;
    return true;
  }

  /** Begins a record with a plain message, whatever the lane's state. */
  begin(slot: number, message: MessageView, index: number): void {
    const bytes = mixedBytes(message, index);
    const lane = this.#lane;
    beginMixedRun(lane, bytes, 1);
    writeMixed(lane.span, lane.words, lane.index + mixedHeaderBytes, slot, message, index);
    this.#index = lane.index;
    this.#open = true;
    this.#count = 1;
    this.#usedBytes = mixedHeaderBytes + bytes;
    this.#lengthBytes = alignRecord(this.#usedBytes);
  }
}

/** Reads such records, as many messages at a time as the share of work lasts for. */
export class MixedRunReader {
  readonly #lane: LaneReader;
  readonly #work: Work;
  #left = 0;
  #position = 0;

  constructor(lane: LaneReader, work: Work) {
    this.#lane = lane;
    this.#work = work;
  }

  /** Messages of the record that are still to be taken; 0 when there is no such record. */
  get left(): number {
    return this.#left;
  }

  /** Where in the lane's span the next message begins. */
  get position(): number {
    return this.#position;
  }

  /** Begins with the record found last. */
  begin(): void {
    const { words, index } = this.#lane;
    this.#left = words[(index >> 2) + countWord];
    this.#position = index + mixedHeaderBytes;
  }

  /** The number of the topic of the next message, and its payload's length. */
  get topic(): number {
    return this.#lane.words[this.#position >> 2];
  }

  get payloadBytes(): number {
    return this.#lane.words[(this.#position >> 2) + 1];
  }

  /** `count` messages, up to where the next begins, were taken by somebody else. */
  skip(count: number, position: number): void {
    this.#left -= count;
    this.#position = position;
  }

  /**
   * Shows the next messages in `message`, all of one topic: one at least.
   *
   * @param units what each of them costs
   */
  take(message: MessageView, units: number): void {
    const { span, words } = this.#lane;
    const topic = this.topic;
    const most = this.#work.affordable(units, Math.min(this.#left, runMessagesMax));
    let count = 0;
    let position = this.#position;
    do {
      const start = position + mixedHeadBytes;
      const end = start + words[(position >> 2) + 1];
      message.starts[count] = start;
      message.ends[count++] = end;
      position = (end + lineEndBytes + 3) & ~3;
    } while (count < most && words[position >> 2] === topic);
    message.span = span;
    message.count = count;
    message.exceptConnection = 0;
    message.syncToken = 0;
    message.withReplies = false;
    message.withHeaders = false;
    message.returns = 0;
    message.dead = false;
    message.work = false;
    this.#work.units += count;
    this.skip(count, position);
  }
}
