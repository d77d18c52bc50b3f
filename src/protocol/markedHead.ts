import { copyBytes, latin1Bytes, writeDecimal } from '../base/bytes.js';
import { headerNames } from '../base/headerNames.js';
import type { MessageView } from '../base/messageView.js';
import { copySpan, Span } from '../base/span.js';
import { cr, lf, space } from './ascii.js';
import type { DeliveryHead, DeliveryMark } from './deliveryHead.js';
import { workReplyBytesMax, writeWorkReply } from './workReply.js';

const msg = latin1Bytes('MSG ');
const letterH = 0x48;
const version = latin1Bytes('NATS/1.0\r\n');
const replyHeader = latin1Bytes(`${headerNames.reply}: `);
const lineEnd = latin1Bytes('\r\n');
/** `H`, two sizes of up to ten digits with their spaces, a space after the reply, the line ends around the payload, and what a block of the reply alone takes. */
const overheadBytes = 1 + 2 * 11 + 1 + 4 + version.length + replyHeader.length + 2 * lineEnd.length;

/**
 * A delivery in NATS's form that has to be acknowledged: its reply is where that is said, and who published it may have named another
 * one, which stands in a header.
 */
export class MarkedHead implements DeliveryHead {
  readonly line = null;
  readonly shownRuns = null;
  /** `MSG <subject> <sid> ` */
  readonly #prefix: Span;
  readonly #mark: DeliveryMark;

  constructor(subject: Uint8Array, sid: string, mark: DeliveryMark) {
    this.#prefix = new Span(Buffer.concat([msg, subject, latin1Bytes(` ${sid} `)]));
    this.#mark = mark;
  }

  bytesMax(message: MessageView, index: number): number {
    const messageBytes = message.ends[index] - message.starts[index];
    return this.#prefix.bytes.length + workReplyBytesMax + message.replyBytes(index) + messageBytes + overheadBytes;
  }

  encode(target: Span, at: number, message: MessageView, index: number, withHeaders: boolean): number {
    const { bytes } = target;
    const payloadStart = message.payloadStart(index);
    const end = message.ends[index];
    const blockBytes = withHeaders ? this.#blockBytes(message, index) : 0;
    let position = at;
    if (blockBytes > 0) bytes[position++] = letterH;
    position = copySpan(target, position, this.#prefix, 0, this.#prefix.bytes.length);
    position = writeWorkReply(target, position, this.#mark);
    bytes[position++] = space;
    if (blockBytes > 0) {
      position = writeDecimal(bytes, position, blockBytes);
      bytes[position++] = space;
    }
    position = writeDecimal(bytes, position, blockBytes + end - payloadStart);
    position = copyBytes(bytes, position, lineEnd, 0, lineEnd.length);
    if (blockBytes > 0) position = this.#writeBlock(target, position, message, index);
    return copySpan(target, position, message.span, payloadStart, end + lineEnd.length);
  }

  runBytesMax(message: MessageView): number {
    let total = 0;
    for (let i = 0; i < message.count; i++) total += this.bytesMax(message, i);
    return total;
  }

  encodeRun(target: Span, at: number, message: MessageView, withHeaders: boolean): number {
    let position = at;
    for (let i = 0; i < message.count; i++) position = this.encode(target, position, message, i, withHeaders);
    return position;
  }

  /** Length of the headers block that the delivery shows, in bytes; 0 for none. */
  #blockBytes(message: MessageView, index: number): number {
    const own = message.headerBytes(index);
    const reply = message.replyBytes(index);
    if (reply === 0) return own;
    const line = replyHeader.length + reply + lineEnd.length;
    if (own === 0) return version.length + line + lineEnd.length;
    return firstLineEnd(message, index) < 0 ? own : own + line;
  }

  /** The message's own block, with the reply behind the first line. */
  #writeBlock(target: Span, at: number, message: MessageView, index: number): number {
    const start = message.starts[index];
    const end = message.payloadStart(index);
    if (!message.withReplies) return copySpan(target, at, message.span, start, end);
    if (end === start) {
      const line = this.#writeReply(target, copyBytes(target.bytes, at, version, 0, version.length), message, index);
      return copyBytes(target.bytes, line, lineEnd, 0, lineEnd.length);
    }
    const behind = firstLineEnd(message, index);
    // a block without lines is passed on as it is
    if (behind < 0) return copySpan(target, at, message.span, start, end);
    const line = this.#writeReply(target, copySpan(target, at, message.span, start, behind), message, index);
    return copySpan(target, line, message.span, behind, end);
  }

  #writeReply(target: Span, at: number, message: MessageView, index: number): number {
    let position = copyBytes(target.bytes, at, replyHeader, 0, replyHeader.length);
    position = copySpan(target, position, message.span, message.replyStarts[index], message.replyEnds[index]);
    return copyBytes(target.bytes, position, lineEnd, 0, lineEnd.length);
  }
}

/** The position behind the first line of a message's headers block; -1 where it has none. */
function firstLineEnd(message: MessageView, index: number): number {
  const { bytes } = message;
  const end = message.payloadStart(index);
  for (let at = message.starts[index]; at + 1 < end; at++) if (bytes[at] === cr && bytes[at + 1] === lf) return at + 2;
  return -1;
}
