import { copyBytes, latin1Bytes, pooledBytes, writeDecimal } from '../base/bytes.js';
import { kernelEncodeRun, kernelLineBytesMax, kernelOverrunBytes, setKernelLine } from '../base/kernel.js';
import type { MessageView } from '../base/messageView.js';
import { copySpan, Span, spanAround } from '../base/span.js';
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
  /** Where the line lies: up to the size, and to its end. */
  readonly #span: Span;
  readonly #start: number;
  readonly #prefixEnd: number;
  #lineEnd = 0;
  #size = -1;

  constructor(subject: Uint8Array, sid: Uint8Array) {
    const prefixBytes = 4 + subject.length + 1 + sid.length + 1;
    const line = pooledBytes(prefixBytes + sizeDigitsMax + 2);
    let at = copyBytes(line, 0, latin1Bytes('MSG '), 0, 4);
    at = copyBytes(line, at, subject, 0, subject.length);
    line[at++] = space;
    at = copyBytes(line, at, sid, 0, sid.length);
    line[at] = space;
    this.#span = spanAround(line);
    this.#start = line.byteOffset;
    this.#prefixEnd = this.#start + prefixBytes;
  }

  get #prefixBytes(): number {
    return this.#prefixEnd - this.#start;
  }

  /** Makes the line that of a message of this size without reply and headers. */
  #setSize(size: number): void {
    if (size === this.#size) return;
    const bytes = this.#span.bytes;
    const at = writeDecimal(bytes, this.#prefixEnd, size);
    bytes[at] = cr;
    bytes[at + 1] = lf;
    this.#lineEnd = at + 2;
    this.#size = size;
  }

  bytesMax(message: MessageView, index: number): number {
    const replyBytes = message.replyEnd - message.replyStart;
    return this.#prefixBytes + replyBytes + message.ends[index] - message.starts[index] + overheadBytes;
  }

  encode(target: Span, at: number, message: MessageView, index: number, withHeaders: boolean): number {
    if (message.headerBytes !== 0 || message.replyEnd !== message.replyStart)
      return this.#encodeWithReplyOrHeaders(target, at, message, withHeaders);
    const start = message.starts[index];
    const end = message.ends[index];
    this.#setSize(end - start);
    const position = copySpan(target, at, this.#span, this.#start, this.#lineEnd);
    return copySpan(target, position, message.span, start, end + 2);
  }

  runBytesMax(message: MessageView): number {
    const { starts, ends, count } = message;
    return count * (this.#prefixBytes + overheadBytes) + ends[count - 1] - starts[0] + kernelOverrunBytes;
  }

  /** Whether all that a run needs lies in the kernel's memory. */
  #fitsKernel(target: Span, message: MessageView): boolean {
    return (
      target.address >= 0 &&
      message.span.address >= 0 &&
      message.startsAddress >= 0 &&
      this.#prefixBytes <= kernelLineBytesMax
    );
  }

  encodeRun(target: Span, at: number, message: MessageView): number {
    const { span, starts, ends, count } = message;
    if (this.#fitsKernel(target, message)) {
      setKernelLine(this.#span.bytes, this.#start, this.#prefixEnd);
      const { startsAddress, endsAddress } = message;
      const to = target.address;
      return kernelEncodeRun(to + at, this.#prefixBytes, span.address, startsAddress, endsAddress, count) - to;
    }
    let size = -1;
    let position = at;
    for (let i = 0; i < count; i++) {
      const start = starts[i];
      const end = ends[i];
      if (end - start !== size) {
        size = end - start;
        this.#setSize(size);
      }
      position = copySpan(target, position, this.#span, this.#start, this.#lineEnd);
      position = copySpan(target, position, span, start, end + 2);
    }
    return position;
  }

  #encodeWithReplyOrHeaders(target: Span, at: number, message: MessageView, withHeaders: boolean): number {
    const bytes = target.bytes;
    const headerBytes = message.headerBytes;
    let position = at;
    if (headerBytes !== 0 && withHeaders) bytes[position++] = letterH;
    position = copySpan(target, position, this.#span, this.#start, this.#prefixEnd);
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
export function noRespondersMessage(subject: string): Span {
  return new Span(latin1Bytes(`NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n\r\n`));
}
