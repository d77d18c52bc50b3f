import { copyBytes, latin1Bytes, writeDecimal } from '../base/bytes.js';
import type { MessageView } from '../base/messageView.js';
import { cr, lf, space } from './ascii.js';

const letterH = 0x48;
/** `H`, two sizes of up to ten digits with their spaces, and the line ends around the payload. */
const deliveryOverheadBytes = 1 + 2 * 11 + 1 + 4;

/** The part of a delivery that is the same for every message of a topic to one sid: `MSG <subject> <sid> `. */
export function deliveryHead(subject: Uint8Array, sid: Uint8Array): Uint8Array {
  const head = new Uint8Array(4 + subject.length + 1 + sid.length + 1);
  let at = copyBytes(head, 0, latin1Bytes('MSG '), 0, 4);
  at = copyBytes(head, at, subject, 0, subject.length);
  head[at++] = space;
  at = copyBytes(head, at, sid, 0, sid.length);
  head[at] = space;
  return head;
}

/** Upper bound of what `encodeDelivery` writes, in bytes. */
export function deliveryBytesMax(head: Uint8Array, message: MessageView): number {
  return head.length + (message.replyEnd - message.replyStart) + (message.end - message.start) + deliveryOverheadBytes;
}

/**
 * Writes `MSG` or `HMSG` with its payload at `at`; returns the position behind it.
 *
 * @param head from `deliveryHead`
 * @param withHeaders false for a client that does not take headers: it gets the payload alone
 */
export function encodeDelivery(
  target: Uint8Array,
  at: number,
  head: Uint8Array,
  message: MessageView,
  withHeaders: boolean,
): number {
  const headerBytes = message.headerBytes;
  let position = at;
  if (headerBytes !== 0 && withHeaders) target[position++] = letterH;
  position = copyBytes(target, position, head, 0, head.length);
  if (message.replyEnd !== message.replyStart) {
    position = copyBytes(target, position, message.bytes, message.replyStart, message.replyEnd);
    target[position++] = space;
  }
  let start = message.start;
  if (headerBytes !== 0) {
    if (withHeaders) {
      position = writeDecimal(target, position, headerBytes);
      target[position++] = space;
    } else {
      start += headerBytes;
    }
  }
  position = writeDecimal(target, position, message.end - start);
  target[position++] = cr;
  target[position++] = lf;
  position = copyBytes(target, position, message.bytes, start, message.end);
  target[position++] = cr;
  target[position++] = lf;
  return position;
}

export const pongLine = latin1Bytes('PONG\r\n');
export const pingLine = latin1Bytes('PING\r\n');
export const okLine = latin1Bytes('+OK\r\n');

/** `-ERR '<text>'`; quotes and line ends in the text would end it early, so they become blanks. */
export function errorLine(text: string): Uint8Array {
  return latin1Bytes(`-ERR '${text.replace(/['\r\n]/g, ' ')}'\r\n`);
}

/** The headers block of the message that tells a requester that nobody listens. */
export const noRespondersHeaders = latin1Bytes('NATS/1.0 503\r\n\r\n');
