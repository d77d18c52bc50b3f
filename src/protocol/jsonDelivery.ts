import { latin1Bytes, pooledBytes } from '../base/bytes.js';
import type { MessageView } from '../base/messageView.js';
import type { Shown } from '../base/shown.js';
import { copySpan, Span } from '../base/span.js';
import { ackReplyBytesMax, writeAckNumbers } from './ackReply.js';
import type { DeliveryHead, DeliveryMark } from './deliveryHead.js';
import { writeHeaders } from './jsonHeaders.js';
import { escapedBytesMax, escapeLineEnds, writeAscii, writeJsonText, writeLineText, writeUtf8 } from './jsonText.js';

/** The time of the broker's clock, in milliseconds since 1970. */
export type Clock = () => number;

const lineEnd = 10;
const quote = 0x22;
/** Names, quotes, braces, the timestamp and the mark of a message in JSON, in bytes; what its client chose comes on top. */
const objectBytesMax = 360;
/** What a header may grow by beyond its escapes: quotes, commas and brackets around a name and a value of one byte each. */
const headerGrowth = 6;

const textBegin = 'BROKER BROADCAST [';
const textEnd = ']: ';

/** `BROKER BROADCAST [topic]: payload`, for people and the simplest of programs. */
export class TextHead implements DeliveryHead {
  readonly line = null;
  readonly shownRuns = null;
  readonly #prefix: Span;

  constructor(subject: Uint8Array) {
    const room = new Span(new Uint8Array(escapedBytesMax(subject, 0, subject.length)));
    const topic = room.bytes.subarray(0, writeLineText(room, 0, subject, 0, subject.length));
    this.#prefix = spanOf(latin1Bytes(textBegin), topic, latin1Bytes(textEnd));
  }

  bytesMax(message: MessageView, index: number): number {
    const start = message.payloadStart(index);
    const textBytes = escapedBytesMax(message.bytes, start, message.ends[index]) + shownBytesMax(message);
    return this.#prefix.bytes.length + textBytes + 1;
  }

  encode(target: Span, at: number, message: MessageView, index: number): number {
    let position = at;
    if (message.shown === null) position = copySpan(target, at, this.#prefix, 0, this.#prefix.bytes.length);
    else position = writeShownText(target, at, message.shown);
    position = writeLineText(target, position, message.bytes, message.payloadStart(index), message.ends[index]);
    target.bytes[position] = lineEnd;
    return position + 1;
  }

  runBytesMax(message: MessageView): number {
    return runBytesMax(this, message);
  }

  encodeRun(target: Span, at: number, message: MessageView): number {
    let position = at;
    for (let i = 0; i < message.count; i++) position = this.encode(target, position, message, i);
    return position;
  }
}

const jsonBegin = '{"topic":';
const jsonEnd = ',"payload":"';

/** `{"topic":…,"payload":…,…,"timestamp":…}`, for programs. */
export class JsonHead implements DeliveryHead {
  readonly line = null;
  readonly shownRuns = null;
  /** Up to the payload, of a message that says nothing else. */
  readonly #prefix: Span;
  readonly #timestamp: TimestampText;
  readonly #mark: DeliveryMark | null;

  constructor(subject: Uint8Array, timestamp: TimestampText, mark: DeliveryMark | null) {
    const topic = JSON.stringify(Buffer.from(subject).toString());
    this.#prefix = spanOf(Buffer.from(`${jsonBegin}${escapeLineEnds(topic)}${jsonEnd}`));
    this.#timestamp = timestamp;
    this.#mark = mark;
  }

  bytesMax(message: MessageView, index: number): number {
    const start = message.payloadStart(index);
    const end = message.ends[index];
    const payloadBytes = Math.max(escapedBytesMax(message.bytes, start, end), Math.ceil((end - start) / 3) * 4);
    const replyBytes = replyBytesMax(message, index);
    const headerBytes = message.headerBytes(index) * headerGrowth;
    const textBytes = this.#prefix.bytes.length + shownBytesMax(message);
    return textBytes + payloadBytes + replyBytes + headerBytes + objectBytesMax;
  }

  encode(target: Span, at: number, message: MessageView, index: number, withHeaders: boolean): number {
    const start = message.payloadStart(index);
    const end = message.ends[index];
    const { shown } = message;
    const payloadAt =
      shown === null
        ? copySpan(target, at, this.#prefix, 0, this.#prefix.bytes.length)
        : writeShownJson(target, at, shown);
    let position = writeJsonText(target, payloadAt, message.bytes, start, end);
    if (position < 0) {
      position = payloadAt + bufferOf(target.bytes).write(base64(message.bytes, start, end), payloadAt, 'latin1');
      position = writeAscii(target, position, '","encoding":"base64"');
    } else {
      target.bytes[position++] = 0x22;
    }
    // by what a stream's message shows it is acknowledged: the client does that by its number
    if (this.#mark !== null && this.#mark.sequence > 0) position = writeSequence(target, position, this.#mark.sequence);
    else if (shown !== null) position = writeShownReply(target, position, shown);
    else if (message.withReplies) position = writeReply(target, position, message, index);
    if (message.withHeaders && withHeaders) position = writeHeaders(target, position, message, index);
    if (this.#mark !== null) position = writeMark(target, position, this.#mark);
    position = writeAscii(target, position, ',"timestamp":');
    position = writeAscii(target, position, this.#timestamp.now());
    return writeAscii(target, position, '}\n');
  }

  runBytesMax(message: MessageView): number {
    return runBytesMax(this, message);
  }

  encodeRun(target: Span, at: number, message: MessageView, withHeaders: boolean): number {
    let position = at;
    for (let i = 0; i < message.count; i++) position = this.encode(target, position, message, i, withHeaders);
    return position;
  }
}

/** The time as text, made anew only when it has changed. */
export class TimestampText {
  readonly #clock: Clock;
  #nowMs = -1;
  #text = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): string {
    const nowMs = this.#clock();
    if (nowMs !== this.#nowMs) {
      this.#nowMs = nowMs;
      this.#text = String(nowMs);
    }
    return this.#text;
  }
}

function replyBytesMax(message: MessageView, index: number): number {
  if (!message.withReplies) return 0;
  return escapedBytesMax(message.bytes, message.replyStarts[index], message.replyEnds[index]);
}

function writeReply(target: Span, at: number, message: MessageView, index: number): number {
  const reply = Buffer.from(message.bytes.subarray(message.replyStarts[index], message.replyEnds[index])).toString();
  return writeUtf8(target, at, `,"reply":${escapeLineEnds(JSON.stringify(reply))}`);
}

/** What showing something else than the head's own subject may add, in bytes. */
function shownBytesMax({ shown }: MessageView): number {
  if (shown === null) return 0;
  const { span, subjectBytes, replyBytes } = shown;
  return escapedBytesMax(span.bytes, 0, subjectBytes + replyBytes) + ackReplyBytesMax(shown);
}

function writeShownText(target: Span, at: number, { span, subjectBytes }: Shown): number {
  const position = writeAscii(target, at, textBegin);
  return writeAscii(target, writeLineText(target, position, span.bytes, 0, subjectBytes), textEnd);
}

function writeShownJson(target: Span, at: number, { span, subjectBytes }: Shown): number {
  const position = writeAscii(target, at, jsonBegin);
  return writeAscii(target, writeJsonString(target, position, span.bytes, 0, subjectBytes), jsonEnd);
}

function writeShownReply(target: Span, at: number, shown: Shown): number {
  if (shown.replyBytes === 0) return at;
  const { span, subjectBytes, replyBytes } = shown;
  const position = writeJsonString(
    target,
    writeAscii(target, at, ',"reply":'),
    span.bytes,
    subjectBytes,
    subjectBytes + replyBytes,
  );
  // the numbers go where its closing quote stands
  return writeAscii(target, writeAckNumbers(target, position - 1, shown.numbers), '"');
}

/** Writes a subject as a JSON string; what is not valid UTF-8 becomes U+FFFD. */
function writeJsonString(target: Span, at: number, source: Uint8Array, start: number, end: number): number {
  target.bytes[at] = quote;
  const position = writeJsonText(target, at + 1, source, start, end);
  if (position >= 0) {
    target.bytes[position] = quote;
    return position + 1;
  }
  const text = Buffer.from(source.subarray(start, end)).toString();
  return writeUtf8(target, at, escapeLineEnds(JSON.stringify(text)));
}

function writeMark(target: Span, at: number, { delivery, deliveries }: DeliveryMark): number {
  const again = deliveries > 1 ? `,"redelivered":true,"deliveries":${deliveries}` : '';
  return writeAscii(target, at, `,"delivery":${delivery}${again}`);
}

function writeSequence(target: Span, at: number, sequence: number): number {
  return writeAscii(target, at, `,"sequence":${sequence}`);
}

function runBytesMax(head: DeliveryHead, message: MessageView): number {
  let total = 0;
  for (let i = 0; i < message.count; i++) total += head.bytesMax(message, i);
  return total;
}

function base64(bytes: Uint8Array, start: number, end: number): string {
  return bufferOf(bytes).toString('base64', start, end);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function spanOf(...parts: readonly Uint8Array[]): Span {
  const whole = pooledBytes(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Span(whole);
}
