import { ackNumberCount } from '../../base/ackNumbers.js';
import { mixedRecordBytesMax } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import { lineEndBytes } from '../../base/ownMessage.js';
import { Shown } from '../../base/shown.js';
import { type ShownRun, shownHeaderBytes, shownTextAt } from '../../base/shownRun.js';
import { layShownMessage, shownMessageBytes, shownRunBytesMax } from '../../base/shownRunWriter.js';
import { copySpan } from '../../base/span.js';
import { alignRecord } from '../../ring/layout.js';
import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import { recordKind } from './kinds.js';

/*
 * Consecutive messages for one address, which show subjects and replies that are not the address's own:
 *
 *     0        4              8    12       16      20      24     28  32
 *     | length | kind | flags | to | sender | queue | count | text |   | messages ... |
 *
 * `to` is the lane's number of the address, for whoever subscribes to it, or with `flagToken` a subscription's own token. `queue`, with
 * `flagQueue`, is the lane's number of the group for members of which they are. `sender` is the token of whoever wants to know when nobody
 * took a message; 0 is nobody. With `flagExcept` it is the connection that must not get them. None shows more than `text` bytes. What a
 * message is, is drawn in src/base/shownRun.ts. Its length is 32 and the messages.
 */
const toWord = 2;
const senderWord = 3;
const queueWord = 4;
const countWord = 5;
const textWord = 6;
const headerBytes = 32;
const flagToken = 0x2000;
const flagQueue = 0x4000;
const flagExcept = 0x8000;

/** What a record of messages that were put together takes at most, in bytes. */
export const runRecordBytesMax = headerBytes + shownRunBytesMax;

/** What a record of one such message takes, in bytes. */
export function addressedBytes(message: MessageView): number {
  const shown = shownBy(message);
  return headerBytes + shownMessageBytes(shown, bytesOf(message), textBytesOf(shown));
}

function bytesOf({ starts, ends }: MessageView): number {
  return ends[0] - starts[0];
}

/** The writing side, of one lane, which remembers the open record: the one that the next message may join. */
export class AddressedWriter {
  readonly #lane: LaneWriter;
  /** What the open record begins with; no flags have all bits set. */
  #flags = none;
  #to = 0;
  #sender = 0;
  #queue = 0;
  #count = 0;
  #index = 0;
  #lengthBytes = 0;
  /** What the message written last showed, and where in the open record that stands. */
  #shown: Shown | null = null;
  #version = 0;
  #textAt = 0;
  #textBytesMax = 0;

  constructor(lane: LaneWriter) {
    this.#lane = lane;
  }

  /** Something else follows: nothing joins the open record. */
  close(): void {
    this.#flags = none;
  }

  /** Adds a message for an address, or for a member of a group there, to the open record, if it is for the same and may grow. */
  join(slot: number, queueSlot: number | null, sender: number, message: MessageView): boolean {
    const except = message.exceptConnection;
    return (
      this.#flags === flagsFor(queueSlot, except) &&
      this.#to === slot &&
      this.#sender === (except === 0 ? sender : except) &&
      this.#queue === (queueSlot ?? 0) &&
      this.#add(message)
    );
  }

  /** Begins a record with a message for an address, or for a member of a group there, by the lane's numbers, whatever the lane's state. */
  begin(slot: number, queueSlot: number | null, sender: number, message: MessageView): void {
    const except = message.exceptConnection;
    this.#begin(flagsFor(queueSlot, except), slot, except === 0 ? sender : except, queueSlot ?? 0, message);
  }

  /** Writes messages that were put together for an address as a record of their own, whatever the lane's state; `runRecordBytesMax` is the most it takes. */
  writeRun(slot: number, sender: number, run: ShownRun): void {
    const lengthBytes = headerBytes + run.end - run.start;
    this.#lane.begin(lengthBytes);
    const { span, words, index } = this.#lane;
    this.#layHeader(lengthBytes, 0, slot, sender, 0, run.count);
    words[(index >> 2) + textWord] = run.textBytesMax;
    // what it shows stands where it stands relative to each message
    copySpan(span, index + headerBytes, run.span, run.start, run.end);
    this.close();
  }

  /** Adds a message for one subscription to the open record, if it is for the same and may grow. */
  joinSubscription(token: number, message: MessageView): boolean {
    return this.#flags === flagToken && this.#to === token && this.#add(message);
  }

  /** Begins a record with a message for one subscription, whatever the lane's state. */
  beginSubscription(token: number, message: MessageView): void {
    this.#begin(flagToken, token, 0, 0, message);
  }

  #begin(flags: number, to: number, sender: number, queue: number, message: MessageView): void {
    const lengthBytes = addressedBytes(message);
    this.#lane.begin(lengthBytes);
    this.#layHeader(lengthBytes, flags, to, sender, queue, 1);
    this.#flags = flags;
    this.#to = to;
    this.#sender = sender;
    this.#queue = queue;
    this.#count = 1;
    this.#index = this.#lane.index;
    this.#lengthBytes = lengthBytes;
    this.#textBytesMax = 0;
    this.#write(headerBytes, message, false);
  }

  #layHeader(lengthBytes: number, flags: number, to: number, sender: number, queue: number, count: number): void {
    const { words, index } = this.#lane;
    const word = index >> 2;
    words[word] = lengthBytes;
    words[word + 1] = recordKind.addressed | flags;
    words[word + toWord] = to;
    words[word + senderWord] = sender;
    words[word + queueWord] = queue;
    words[word + countWord] = count;
  }

  #add(message: MessageView): boolean {
    const shown = shownBy(message);
    const known = this.#shown === shown && this.#version === shown.version;
    const more = shownMessageBytes(shown, bytesOf(message), known ? 0 : textBytesOf(shown));
    const lengthBytes = this.#lengthBytes + more;
    if (lengthBytes > mixedRecordBytesMax || !this.#lane.extend(more)) return false;
    this.#write(this.#lengthBytes, message, known);
    this.#lengthBytes = lengthBytes;
    const word = this.#index >> 2;
    this.#lane.words[word] = lengthBytes;
    this.#lane.words[word + countWord] = ++this.#count;
    return true;
  }

  /**
   * @param start where in the record it begins
   * @param known whether what it shows stands in the record
   */
  #write(start: number, message: MessageView, known: boolean): void {
    const { words, span } = this.#lane;
    const position = this.#index + start;
    const shown = shownBy(message);
    const { starts, ends } = message;
    const textAt = layShownMessage(
      span,
      words,
      position,
      shown,
      message.span,
      starts[0],
      message.headerBytes(0),
      ends[0],
      known ? this.#index + this.#textAt : -1,
    );
    if (known) return;
    this.#shown = shown;
    this.#version = shown.version;
    this.#textAt = textAt - this.#index;
    this.#textBytesMax = Math.max(this.#textBytesMax, textBytesOf(shown));
    words[(this.#index >> 2) + textWord] = this.#textBytesMax;
  }
}

/** The reading side, of one lane: one message at a time, or all at once. */
export class AddressedReader {
  /** Messages of the record that are still to be taken; 0 when there is no such record. */
  left = 0;
  readonly #lane: LaneReader;
  readonly #shown = new Shown();
  #position = 0;

  constructor(lane: LaneReader) {
    this.#lane = lane;
  }

  /** Where in the lane's span the next message begins. */
  get position(): number {
    return this.#position;
  }

  /** Begins with the record found last. */
  begin(): void {
    const { words, index } = this.#lane;
    this.left = words[(index >> 2) + countWord];
    this.#position = index + headerBytes;
  }

  /** The kind and flags of the record. */
  get kind(): number {
    return this.#lane.words[(this.#lane.index >> 2) + 1];
  }

  /** The lane's number of the address, or the subscription's token. */
  get to(): number {
    return this.#lane.words[(this.#lane.index >> 2) + toWord];
  }

  get sender(): number {
    return (this.kind & flagExcept) !== 0 ? 0 : this.#lane.words[(this.#lane.index >> 2) + senderWord];
  }

  /** The lane's number of the group. */
  get queue(): number {
    return this.#lane.words[(this.#lane.index >> 2) + queueWord];
  }

  get isForMember(): boolean {
    return (this.kind & flagQueue) !== 0;
  }

  get isForSubscription(): boolean {
    return (this.kind & flagToken) !== 0;
  }

  /** Whether all who take the address get the messages. */
  get isForAll(): boolean {
    return (this.kind & (flagQueue | flagToken | flagExcept)) === 0;
  }

  /** Makes a run that of the whole record, of which nothing was taken yet. */
  run(run: ShownRun): void {
    const { span, words, index } = this.#lane;
    run.set(span, this.#position, index + words[index >> 2], this.left, words[(index >> 2) + textWord]);
  }

  /** Makes a view that of the next message. */
  view(message: MessageView): void {
    const { words, span } = this.#lane;
    const word = this.#position >> 2;
    const subjectBytes = words[word];
    const replyBytes = words[word + 1];
    const shown = this.#shown;
    if (replyBytes !== 0)
      for (let i = 0, at = this.#position + shownHeaderBytes; i < ackNumberCount; i++, at += 8)
        shown.numbers[i] = span.view.getFloat64(at, true);
    shown.setBytes(span, this.#position + words[word + 4], subjectBytes, replyBytes);
    const start = this.#start;
    message.set(span, start, start + words[word + 3]);
    message.setHeaders(words[word + 2]);
    message.exceptConnection =
      (this.kind & flagExcept) === 0 ? 0 : this.#lane.words[(this.#lane.index >> 2) + senderWord];
    message.syncToken = 0;
    message.returns = 0;
    message.dead = false;
    message.work = false;
    message.shown = shown;
  }

  /** The next message was taken. */
  skip(): void {
    this.#position = alignRecord(this.#start + this.#lane.words[(this.#position >> 2) + 3] + lineEndBytes);
    this.left--;
  }

  /** Where the next message's headers and payload begin. */
  get #start(): number {
    const { words } = this.#lane;
    const word = this.#position >> 2;
    const behind = this.#position + shownTextAt(words[word + 1]);
    return words[word + 4] < 0 ? behind : behind + words[word] + words[word + 1];
  }
}

const none = -1;

function flagsFor(queueSlot: number | null, except: number): number {
  return (queueSlot === null ? 0 : flagQueue) | (except === 0 ? 0 : flagExcept);
}

function textBytesOf({ subjectBytes, replyBytes }: Shown): number {
  return subjectBytes + replyBytes;
}

function shownBy({ shown }: MessageView): Shown {
  if (shown === null) throw new Error('a message for an address shows what it is');
  return shown;
}
