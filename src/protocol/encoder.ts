import { copyBytes, latin1Bytes, writeDecimal } from '../base/bytes.js';
import {
  kernelEncodeAddressed,
  kernelEncodeAnswers,
  kernelEncodeRun,
  kernelEncodeShownRun,
  kernelLineBytesMax,
  kernelOverrunBytes,
  kernelShownRunBytesMax,
  kernelSidBytesMax,
  setKernelLine,
  setKernelSid,
  setKernelText,
} from '../base/kernel.js';
import type { MessageView } from '../base/messageView.js';
import type { Shown } from '../base/shown.js';
import type { ShownRun } from '../base/shownRun.js';
import { copySpan, type Place, pooledPlace, Span } from '../base/span.js';
import { ackNumbersBytesMax, ackReplyBytesMax, writeAckReply } from './ackReply.js';
import { cr, lf, space } from './ascii.js';
import type { DeliveryHead, ShownRunEncoder } from './deliveryHead.js';

const msg = latin1Bytes('MSG ');
const letterH = 0x48;
/** `H`, two sizes of up to ten digits with their spaces, a space after the reply, and the line ends around the payload. */
const sizeDigitsMax = 10;
const overheadBytes = 1 + 2 * (sizeDigitsMax + 1) + 1 + 4;

/**
 * A delivery in NATS's form. Kept is what is the same for every message: `MSG <subject> <sid> `, and the whole
 * line as it was for the last payload size, since most topics carry messages of one size.
 */
export class NatsHead implements DeliveryHead, ShownRunEncoder {
  /** Where the line lies: up to the size, and to its end. */
  readonly #span: Span;
  readonly #start: number;
  /** From here to the end of the prefix: a space, the sid, a space. */
  readonly #sidStart: number;
  readonly #prefixEnd: number;
  #lineEnd = 0;
  #size = -1;

  constructor(subject: Uint8Array, sid: string) {
    const prefixBytes = msg.length + subject.length + 1 + sid.length + 1;
    const { span, start } = pooledPlace(prefixBytes + sizeDigitsMax + 2);
    const { bytes } = span;
    let at = copyBytes(bytes, start, msg, 0, msg.length);
    at = copyBytes(bytes, at, subject, 0, subject.length);
    this.#sidStart = at;
    bytes[at++] = space;
    for (let i = 0; i < sid.length; i++) bytes[at++] = sid.charCodeAt(i);
    bytes[at++] = space;
    this.#span = span;
    this.#start = start;
    this.#prefixEnd = at;
  }

  get line(): Place {
    return { span: this.#span, start: this.#start, end: this.#prefixEnd };
  }

  get shownRuns(): ShownRunEncoder {
    return this;
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
    const { shown, addressed } = message;
    if (addressed) return this.#addressedBytesMax(message, index);
    const replyBytes =
      shown === null ? message.replyBytes(index) : shown.subjectBytes + ackReplyBytesMax(shown) + kernelOverrunBytes;
    return this.#prefixBytes + replyBytes + message.ends[index] - message.starts[index] + overheadBytes;
  }

  #addressedBytesMax({ starts, ends, replyStarts, replyEnds }: MessageView, index: number): number {
    const messageBytes = ends[index] - starts[index];
    return this.#prefixBytes + replyEnds[index] - replyStarts[index] + messageBytes + overheadBytes;
  }

  encode(target: Span, at: number, message: MessageView, index: number, withHeaders: boolean): number {
    if (message.addressed) return this.#encodeAnswer(target, at, message, index);
    if (message.withHeaders || message.withReplies)
      return this.#encodeWithReplyOrHeaders(target, at, message, index, withHeaders);
    if (message.shown !== null) return this.#encodeShown(target, at, message, message.shown, withHeaders);
    const start = message.starts[index];
    const end = message.ends[index];
    this.#setSize(end - start);
    const position = copySpan(target, at, this.#span, this.#start, this.#lineEnd);
    return copySpan(target, position, message.span, start, end + 2);
  }

  runBytesMax(message: MessageView): number {
    const { ends, count, firstByte } = message;
    return count * (this.#prefixBytes + overheadBytes) + ends[count - 1] - firstByte + kernelOverrunBytes;
  }

  /** Whether all that a run needs lies in the kernel's memory. */
  #fitsKernel(target: Span, message: MessageView): boolean {
    return (
      target.address >= 0 &&
      message.span.address >= 0 &&
      message.positionsAddress >= 0 &&
      this.#prefixBytes <= kernelLineBytesMax
    );
  }

  encodeRun(target: Span, at: number, message: MessageView, withHeaders: boolean): number {
    if (message.addressed) return this.#encodeAnswers(target, at, message);
    if (this.#fitsKernel(target, message)) {
      setKernelLine(this.#span.bytes, this.#start, this.#prefixEnd);
      return kernelEncodeRun(target.address + at, this.#prefixBytes, message, withHeaders) - target.address;
    }
    let position = at;
    if (!message.withReplies && !message.withHeaders) return this.#encodePlainRun(target, at, message);
    for (let i = 0; i < message.count; i++)
      position = this.#encodeWithReplyOrHeaders(target, position, message, i, withHeaders);
    return position;
  }

  #encodeAnswers(target: Span, at: number, message: MessageView): number {
    const sidBytes = this.#prefixEnd - this.#sidStart;
    if (this.#fitsKernel(target, message) && sidBytes <= kernelSidBytesMax) {
      this.#setKernelSid();
      return kernelEncodeAnswers(target.address + at, sidBytes, message) - target.address;
    }
    let position = at;
    for (let i = 0; i < message.count; i++) position = this.#encodeAnswer(target, position, message, i);
    return position;
  }

  /** The address stands in the line. */
  #encodeAnswer(target: Span, at: number, message: MessageView, index: number): number {
    let position = copySpan(target, at, this.#span, this.#start, this.#start + msg.length);
    position = copySpan(target, position, message.span, message.replyStarts[index], message.replyEnds[index]);
    position = copySpan(target, position, this.#span, this.#sidStart, this.#prefixEnd);
    return writeSizesAndMessage(target, position, message, index, false);
  }

  #setKernelSid(): void {
    if (kernelHead === this) return;
    kernelHead = this;
    setKernelSid(this.#span.bytes, this.#sidStart, this.#prefixEnd);
  }

  #encodePlainRun(target: Span, at: number, { span, starts, ends, count }: MessageView): number {
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

  #encodeWithReplyOrHeaders(
    target: Span,
    at: number,
    message: MessageView,
    index: number,
    withHeaders: boolean,
  ): number {
    if (message.shown !== null) return this.#encodeShown(target, at, message, message.shown, withHeaders);
    let position = writeHmsg(target, at, message, withHeaders);
    position = copySpan(target, position, this.#span, this.#start, this.#prefixEnd);
    if (message.withReplies) {
      position = copySpan(target, position, message.span, message.replyStarts[index], message.replyEnds[index]);
      target.bytes[position++] = space;
    }
    return writeSizesAndMessage(target, position, message, index, withHeaders);
  }

  /** Another subject stands in the line, and behind the sid a reply that no other message has. */
  #encodeShown(target: Span, at: number, message: MessageView, shown: Shown, withHeaders: boolean): number {
    if (this.#fitsKernelShown(target, shown)) return this.#encodeByKernel(target, at, message, shown, withHeaders);
    let position = writeHmsg(target, at, message, withHeaders);
    position = copySpan(target, position, this.#span, this.#start, this.#start + 4);
    position = copySpan(target, position, shown.span, 0, shown.subjectBytes);
    position = copySpan(target, position, this.#span, this.#sidStart, this.#prefixEnd);
    if (shown.replyBytes !== 0) {
      position = writeAckReply(target, position, shown);
      target.bytes[position++] = space;
    }
    return writeSizesAndMessage(target, position, message, 0, withHeaders);
  }

  shownRunBytesMax({ start, end, count, textBytesMax }: ShownRun): number {
    const lengthBytes = end - start;
    const sidBytes = this.#prefixEnd - this.#sidStart;
    if (lengthBytes > kernelShownRunBytesMax || sidBytes > kernelSidBytesMax) return 0;
    const lineBytes = msg.length + textBytesMax + sidBytes + ackNumbersBytesMax + overheadBytes;
    return lengthBytes + count * lineBytes + kernelOverrunBytes;
  }

  encodeShownRun(target: Span, at: number, run: ShownRun, withHeaders: boolean): number {
    this.#setKernelSid();
    const sidBytes = this.#prefixEnd - this.#sidStart;
    return kernelEncodeShownRun(target.address + at, sidBytes, run, withHeaders) - target.address;
  }

  #fitsKernelShown(target: Span, { subjectBytes, replyBytes }: Shown): boolean {
    const sidBytes = this.#prefixEnd - this.#sidStart;
    return target.address >= 0 && subjectBytes + replyBytes <= kernelLineBytesMax && sidBytes <= kernelSidBytesMax;
  }

  #encodeByKernel(target: Span, at: number, message: MessageView, shown: Shown, withHeaders: boolean): number {
    const { subjectBytes, replyBytes, numbers } = shown;
    this.#setKernelSid();
    if (kernelShown !== shown || kernelVersion !== shown.version) {
      kernelShown = shown;
      kernelVersion = shown.version;
      setKernelText(shown.span.bytes, 0, subjectBytes + replyBytes);
    }
    const headerBytes = withHeaders ? message.headerBytes(0) : 0;
    const start = withHeaders ? message.starts[0] : message.payloadStart(0);
    const end = message.ends[0];
    const to = target.address;
    const sidBytes = this.#prefixEnd - this.#sidStart;
    const line = kernelEncodeAddressed(to + at, sidBytes, subjectBytes, replyBytes, headerBytes, end - start, numbers);
    return copySpan(target, line - to, message.span, start, end + 2);
  }
}

/** Whose sid, and what of which version, were last set in the kernel: most often the next delivery has the same. */
let kernelHead: NatsHead | null = null;
let kernelShown: Shown | null = null;
let kernelVersion = 0;

/** Writes the letter by which a line says that headers follow, if they do. */
function writeHmsg(target: Span, at: number, message: MessageView, withHeaders: boolean): number {
  if (!message.withHeaders || !withHeaders) return at;
  target.bytes[at] = letterH;
  return at + 1;
}

/** Writes the rest of the line, and the message. */
function writeSizesAndMessage(
  target: Span,
  at: number,
  message: MessageView,
  index: number,
  withHeaders: boolean,
): number {
  const { span, ends } = message;
  const bytes = target.bytes;
  const end = ends[index];
  const start = withHeaders ? message.starts[index] : message.payloadStart(index);
  let position = at;
  if (message.withHeaders && withHeaders) {
    position = writeDecimal(bytes, position, message.headerBytes(index));
    bytes[position++] = space;
  }
  position = writeDecimal(bytes, position, end - start);
  bytes[position++] = cr;
  bytes[position++] = lf;
  return copySpan(target, position, span, start, end + 2);
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

/** The message that tells a client that no delivery of its own waits for what it says of it. */
export const unknownDeliveryMessage = new Span(latin1Bytes('NATS/1.0 503 No Such Delivery\r\n\r\n\r\n'));

/** The message that tells a requester that nobody listens: a headers block, and the CR LF behind every message. */
export function noRespondersMessage(subject: string): Span {
  return new Span(latin1Bytes(`NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n\r\n`));
}
