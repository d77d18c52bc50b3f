import { copyBytes, latin1Bytes, pooledBytes, writeDecimal } from '../base/bytes.js';
import type { MessageView } from '../base/messageView.js';
import { copySpan, Span } from '../base/span.js';
import { cr, lf, space } from './ascii.js';

const letterH = 0x48;
/** `H`, two sizes of up to ten digits with their spaces, a space after the reply, and the line ends around the payload. */
const sizeDigitsMax = 10;
const overheadBytes = 1 + 2 * (sizeDigitsMax + 1) + 1 + 4;

/**
 * The part of a delivery that is the same for every message of a topic to one sid: `MSG <subject> <sid> `, and the whole
 * line as it was for the last payload size, since most topics carry messages of one size.
 */
export class DeliveryHead {
  readonly line: Span;
  /** Length of the part before the size. */
  readonly prefixBytes: number;
  lineBytes = 0;
  #size = -1;

  constructor(subject: Uint8Array, sid: Uint8Array) {
    const prefixBytes = 4 + subject.length + 1 + sid.length + 1;
    const line = pooledBytes(prefixBytes + sizeDigitsMax + 2);
    let at = copyBytes(line, 0, latin1Bytes('MSG '), 0, 4);
    at = copyBytes(line, at, subject, 0, subject.length);
    line[at++] = space;
    at = copyBytes(line, at, sid, 0, sid.length);
    line[at] = space;
    this.line = new Span(line);
    this.prefixBytes = prefixBytes;
  }

  /** Makes `line` the whole line of a message without reply and headers. */
  setSize(size: number): void {
    if (size === this.#size) return;
    const bytes = this.line.bytes;
    const at = writeDecimal(bytes, this.prefixBytes, size);
    bytes[at] = cr;
    bytes[at + 1] = lf;
    this.lineBytes = at + 2;
    this.#size = size;
  }
}

/** Upper bound of what `encodeDelivery` writes, in bytes. */
export function deliveryBytesMax(head: DeliveryHead, message: MessageView, index: number): number {
  const replyBytes = message.replyEnd - message.replyStart;
  return head.prefixBytes + replyBytes + message.ends[index] - message.starts[index] + overheadBytes;
}

/**
 * Writes message `index` of a run as `MSG` or `HMSG` with its payload at `at`; returns the position behind it.
 *
 * @param withHeaders false for a client that does not take headers: it gets the payload alone
 */
export function encodeDelivery(
  target: Span,
  at: number,
  head: DeliveryHead,
  message: MessageView,
  index: number,
  withHeaders: boolean,
): number {
  if (message.headerBytes !== 0 || message.replyEnd !== message.replyStart)
    return encodeWithReplyOrHeaders(target, at, head, message, withHeaders);
  const start = message.starts[index];
  const end = message.ends[index];
  head.setSize(end - start);
  const position = copySpan(target, at, head.line, 0, head.lineBytes);
  return copySpan(target, position, message.span, start, end + 2);
}

/**
 * Writes all messages of a run that has neither reply nor headers as `MSG` at `at`; returns the position behind them. There
 * must be room for as many times `deliveryBytesMax` without its payload, and all payloads.
 */
export function encodeRun(target: Span, at: number, head: DeliveryHead, message: MessageView): number {
  const { span, starts, ends, count } = message;
  const line = head.line;
  let size = -1;
  let position = at;
  for (let i = 0; i < count; i++) {
    const start = starts[i];
    const end = ends[i];
    if (end - start !== size) {
      size = end - start;
      head.setSize(size);
    }
    position = copySpan(target, position, line, 0, head.lineBytes);
    position = copySpan(target, position, span, start, end + 2);
  }
  return position;
}

/** Upper bound of what `encodeRun` writes, in bytes. */
export function runBytesMax(head: DeliveryHead, message: MessageView): number {
  const { starts, ends, count } = message;
  return count * (head.prefixBytes + overheadBytes) + ends[count - 1] - starts[0];
}

function encodeWithReplyOrHeaders(
  target: Span,
  at: number,
  head: DeliveryHead,
  message: MessageView,
  withHeaders: boolean,
): number {
  const bytes = target.bytes;
  const headerBytes = message.headerBytes;
  let position = at;
  if (headerBytes !== 0 && withHeaders) bytes[position++] = letterH;
  position = copySpan(target, position, head.line, 0, head.prefixBytes);
  if (message.replyEnd !== message.replyStart) {
    position = copySpan(target, position, message.span, message.replyStart, message.replyEnd);
    bytes[position++] = space;
  }
  // only a message that is alone in its run has a reply or headers
  let start = message.starts[0];
  const end = message.ends[0];
  if (headerBytes !== 0) {
    if (withHeaders) {
      position = writeDecimal(bytes, position, headerBytes);
      bytes[position++] = space;
    } else {
      start += headerBytes;
    }
  }
  position = writeDecimal(bytes, position, end - start);
  bytes[position++] = cr;
  bytes[position++] = lf;
  return copySpan(target, position, message.span, start, end + 2);
}

export const pongLine = latin1Bytes('PONG\r\n');
export const pingLine = latin1Bytes('PING\r\n');
export const okLine = latin1Bytes('+OK\r\n');

/** `-ERR '<text>'`; quotes and line ends in the text would end it early, so they become blanks. */
export function errorLine(text: string): Uint8Array {
  return latin1Bytes(`-ERR '${text.replace(/['\r\n]/g, ' ')}'\r\n`);
}

/** The message that tells a requester that nobody listens: a headers block, and the CR LF behind every message. */
export const noRespondersMessage = new Span(latin1Bytes('NATS/1.0 503\r\n\r\n\r\n'));
