import { ackNumberCount } from '../../base/ackNumbers.js';
import type { MessageView } from '../../base/messageView.js';
import { lineEndBytes } from '../../base/ownMessage.js';
import { Shown } from '../../base/shown.js';
import { copySpan } from '../../base/span.js';
import { alignRecord } from '../../ring/layout.js';
import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import { recordKind } from './kinds.js';

/**
 * A message for an address, which shows a subject and a reply that are not the address's own:
 *
 *     length | kind, flags | to | sender | queue | subject bytes | reply bytes | headers bytes | message bytes | -     40 bytes
 *     the six numbers that the reply ends with, 8 bytes each                             if there is a reply
 *     subject, reply up to its numbers                                                   unless flagSameText
 *     headers, payload, CR LF
 *
 * `to` is the lane's number of the address, for whoever subscribes to it, or with `flagToken` a subscription's own token. `queue`, with
 * `flagQueue`, is the lane's number of the group for a member of which it is. `sender` is the token of whoever wants to know when nobody
 * took the message; 0 is nobody. With `flagExcept` it is the connection that must not get the message.
 */
const toWord = 2;
const senderWord = 3;
const queueWord = 4;
const subjectLengthWord = 5;
const replyLengthWord = 6;
const headersLengthWord = 7;
const messageLengthWord = 8;
const headerBytes = 40;
const numberBytes = 8;
/** The subject and the reply are those that the lane's last record of this kind showed. */
const flagSameText = 0x1000;
const flagToken = 0x2000;
const flagQueue = 0x4000;
const flagExcept = 0x8000;

/** What such a record takes at most, in bytes. */
export function addressedBytesMax(message: MessageView): number {
  const { subjectBytes, replyBytes } = shownBy(message);
  return alignRecord(headerBytes + numbersBytes(replyBytes) + subjectBytes + replyBytes + messageBytes(message));
}

/** The writing side, of one lane. */
export class AddressedWriter {
  readonly #lane: LaneWriter;
  /** What the last record showed. */
  #shown: Shown | null = null;
  #version = 0;

  constructor(lane: LaneWriter) {
    this.#lane = lane;
  }

  /** Writes a message for an address, or for a member of a group there, by the lane's numbers, whatever the lane's state. */
  toAddress(slot: number, queueSlot: number | null, sender: number, message: MessageView): void {
    this.#write(queueSlot === null ? 0 : flagQueue, slot, sender, message);
    this.#lane.words[(this.#lane.index >> 2) + queueWord] = queueSlot ?? 0;
  }

  /** Writes a message for one subscription. */
  toSubscription(token: number, message: MessageView): void {
    this.#write(flagToken, token, 0, message);
  }

  #write(flags: number, to: number, sender: number, message: MessageView): void {
    const shown = shownBy(message);
    const except = message.exceptConnection;
    const same = this.#shown === shown && this.#version === shown.version;
    this.#shown = shown;
    this.#version = shown.version;
    const { subjectBytes, replyBytes } = shown;
    const textBytes = same ? 0 : subjectBytes + replyBytes;
    const lengthBytes = alignRecord(headerBytes + numbersBytes(replyBytes) + textBytes + messageBytes(message));
    this.#lane.begin(lengthBytes);
    const { words, span, index } = this.#lane;
    const word = index >> 2;
    words[word] = lengthBytes;
    words[word + 1] = recordKind.addressed | flags | (same ? flagSameText : 0) | (except === 0 ? 0 : flagExcept);
    words[word + toWord] = to;
    words[word + senderWord] = except === 0 ? sender : except;
    words[word + subjectLengthWord] = subjectBytes;
    words[word + replyLengthWord] = replyBytes;
    words[word + headersLengthWord] = message.headerBytes(0);
    words[word + messageLengthWord] = message.ends[0] - message.starts[0];
    let at = index + headerBytes;
    if (replyBytes !== 0) {
      for (let i = 0; i < ackNumberCount; i++) span.view.setFloat64(at + i * numberBytes, shown.numbers[i], true);
      at += ackNumberCount * numberBytes;
    }
    if (!same) at = copySpan(span, at, shown.span, 0, textBytes);
    copySpan(span, at, message.span, message.starts[0], message.ends[0] + lineEndBytes);
  }
}

/** The reading side, of one lane. */
export class AddressedReader {
  readonly #lane: LaneReader;
  readonly #shown = new Shown();

  constructor(lane: LaneReader) {
    this.#lane = lane;
  }

  /** The lane's number of the address, or the subscription's token. */
  get to(): number {
    return this.#lane.words[(this.#lane.index >> 2) + toWord];
  }

  sender(kind: number): number {
    return (kind & flagExcept) !== 0 ? 0 : this.#lane.words[(this.#lane.index >> 2) + senderWord];
  }

  /** The lane's number of the group. */
  get queue(): number {
    return this.#lane.words[(this.#lane.index >> 2) + queueWord];
  }

  isForMember(kind: number): boolean {
    return (kind & flagQueue) !== 0;
  }

  isForSubscription(kind: number): boolean {
    return (kind & flagToken) !== 0;
  }

  /** Makes a view that of the record's message. */
  view(kind: number, message: MessageView): void {
    const { words, span, index } = this.#lane;
    const word = index >> 2;
    const subjectBytes = words[word + subjectLengthWord];
    const replyBytes = words[word + replyLengthWord];
    const shown = this.#shown;
    let at = index + headerBytes;
    if (replyBytes !== 0) {
      for (let i = 0; i < ackNumberCount; i++) shown.numbers[i] = span.view.getFloat64(at + i * numberBytes, true);
      at += ackNumberCount * numberBytes;
    }
    if ((kind & flagSameText) === 0) {
      shown.setBytes(span, at, subjectBytes, replyBytes);
      at += subjectBytes + replyBytes;
    }
    message.set(span, at, at + words[word + messageLengthWord]);
    message.setHeaders(words[word + headersLengthWord]);
    message.exceptConnection = (kind & flagExcept) !== 0 ? words[word + senderWord] : 0;
    message.syncToken = 0;
    message.redelivered = false;
    message.work = false;
    message.shown = shown;
  }
}

function shownBy({ shown }: MessageView): Shown {
  if (shown === null) throw new Error('a message for an address shows what it is');
  return shown;
}

function numbersBytes(replyBytes: number): number {
  return replyBytes === 0 ? 0 : ackNumberCount * numberBytes;
}

function messageBytes({ starts, ends }: MessageView): number {
  return ends[0] - starts[0] + lineEndBytes;
}
