import { copyBytes, latin1Bytes, pooledBytes, writeDecimal } from '../base/bytes.js';
import { kernelEncodeRun, kernelLineBytesMax, kernelOverrunBytes, setKernelLine } from '../base/kernel.js';
import type { MessageView } from '../base/messageView.js';
import { copySpan, Span } from '../base/span.js';
import { cr, lf, space } from './ascii.js';
import type { DeliveryHead } from './deliveryHead.js';

const letterH = 0x48;
/** `H`, two sizes of up to ten digits with their spaces, a space after the reply, and the line ends around the payload. */
const sizeDigitsMax = 10;
const overheadBytes = 1 + 2 * (sizeDigitsMax + 1) + 1 + 4;

/**
 * A delivery in NATS's form. Kept is what is the same for every message: `MSG <subject> <sid> `, and the whole
 * line as it was for the last payload size, since most topics carry messages of one size.
 */
export class NatsHead implements DeliveryHead {
  readonly line: Span;
  /** Length of the part before the size. */
  readonly prefixBytes: number;
  lineBytes = 0;
  #size = -1;
  /** `line` as far as it is always the same; made when first needed. */
  #prefix: Uint8Array | null = null;

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

  bytesMax(message: MessageView, index: number): number {
    const replyBytes = message.replyEnd - message.replyStart;
    return this.prefixBytes + replyBytes + message.ends[index] - message.starts[index] + overheadBytes;
  }

  encode(target: Span, at: number, message: MessageView, index: number, withHeaders: boolean): number {
    if (message.headerBytes !== 0 || message.replyEnd !== message.replyStart)
      return encodeWithReplyOrHeaders(target, at, this, message, withHeaders);
    const start = message.starts[index];
    const end = message.ends[index];
    this.setSize(end - start);
    const position = copySpan(target, at, this.line, 0, this.lineBytes);
    return copySpan(target, position, message.span, start, end + 2);
  }

  runBytesMax(message: MessageView): number {
    const { starts, ends, count } = message;
    return count * (this.prefixBytes + overheadBytes) + ends[count - 1] - starts[0] + kernelOverrunBytes;
  }

  /** Whether all that a run needs lies in the kernel's memory. */
  #fitsKernel(target: Span, message: MessageView): boolean {
    return (
      target.address >= 0 &&
      message.span.address >= 0 &&
      message.startsAddress >= 0 &&
      this.prefixBytes <= kernelLineBytesMax
    );
  }

  encodeRun(target: Span, at: number, message: MessageView): number {
    const { span, starts, ends, count } = message;
    if (this.#fitsKernel(target, message)) {
      this.#prefix ??= this.line.bytes.subarray(0, this.prefixBytes);
      setKernelLine(this.#prefix);
      const { startsAddress, endsAddress } = message;
      const to = target.address;
      return kernelEncodeRun(to + at, this.prefixBytes, span.address, startsAddress, endsAddress, count) - to;
    }
    const line = this.line;
    let size = -1;
    let position = at;
    for (let i = 0; i < count; i++) {
      const start = starts[i];
      const end = ends[i];
      if (end - start !== size) {
        size = end - start;
        this.setSize(size);
      }
      position = copySpan(target, position, line, 0, this.lineBytes);
      position = copySpan(target, position, span, start, end + 2);
    }
    return position;
  }
}

function encodeWithReplyOrHeaders(
  target: Span,
  at: number,
  head: NatsHead,
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

/**
 * The message that tells a requester that the topic is full. It has the code by which clients know that a request has failed:
 * they treat every other as a reply.
 */
export const topicFullMessage = new Span(latin1Bytes('NATS/1.0 503 Topic Full\r\n\r\n\r\n'));

/** The message that tells a requester that nobody listens: a headers block, and the CR LF behind every message. */
export const noRespondersMessage = new Span(latin1Bytes('NATS/1.0 503\r\n\r\n\r\n'));
