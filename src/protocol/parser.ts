import { kernelExtendRun } from '../base/kernel.js';
import { runMessagesMax } from '../base/limits.js';
import { MessageView } from '../base/messageView.js';
import { type Place, Span, spanEqualAt, spanRepeats } from '../base/span.js';
import { cr, del, lf, minus, nine, plus, space, tab, zero } from './ascii.js';
import { errors, type ProtocolError } from './errors.js';
import { isReservedReply } from './subject.js';

/** What `Parser.next` found. Numbers, since it is asked once a message. */
export const op = {
  incomplete: 0,
  error: 1,
  publish: 2,
  subscribe: 3,
  unsubscribe: 4,
  connect: 5,
  ping: 6,
  pong: 7,
  ignored: 8,
  /** A client that reports an error is about to leave. */
  clientError: 9,
} as const;

export interface ParserLimits {
  maxControlLineBytes: number;
  maxPayloadBytes: number;
}

const argumentsMax = 4;
/** `PUB ` and `HPUB` in lower case, as four bytes read little-endian. */
const pubSpace = 0x20627570;
const hpub = 0x62757068;
/** The keywords with the blanks behind them, in bytes. */
const pubBytes = 4;
const hpubBytes = 5;
/** More digits than any size or count that can be meant. */
const digitsMax = 9;

/**
 * Reads the client's side of the NATS protocol, one operation a call, from contiguous bytes that the caller owns.
 * It keeps nothing between calls but the positions of what it found last: a stream may be cut at any byte, the caller
 * puts the rest before what comes next and asks again. It allocates nothing.
 */
export class Parser {
  /** The message, or the run of messages on one subject, of the last `op.publish`. */
  readonly message: MessageView;
  /** Where the next operation begins; set by everything but `op.incomplete` and `op.error`. */
  nextPosition = 0;
  /** Subject of the last publish or subscribe. */
  subjectStart = 0;
  subjectEnd = 0;
  /** Whether the subject of the last publish is the one passed as `memo`. */
  subjectIsMemo = false;
  /** Whether the last publish was an HPUB. */
  withHeaders = false;
  /** Whether an argument of the last publish or subscribe held a control byte: it must not reach any client. */
  tainted = false;
  /** Queue group of the last subscribe; empty when it has none. */
  queueStart = 0;
  queueEnd = 0;
  sidStart = 0;
  sidEnd = 0;
  /** Messages after which the last unsubscribe takes effect; 0 is at once. */
  maxMessages = 0;
  /** JSON of the last connect. */
  jsonStart = 0;
  jsonEnd = 0;
  /** What was wrong, after `op.error`. */
  error: ProtocolError = errors.parser;
  /** After `op.incomplete`: bytes that the whole operation takes from where it began, when that is known, else 0. */
  neededBytes = 0;

  readonly #limits: ParserLimits;
  /** The bytes of the last call, as most often of the next one. */
  #span = new Span(new Uint8Array(0));
  readonly #argumentStart = new Int32Array(argumentsMax + 1);
  readonly #argumentEnd = new Int32Array(argumentsMax + 1);
  #argumentCount = 0;
  /** Whether the last publish was an HPUB whose headers have no bytes: some clients say so of all they publish without any. */
  #headless = false;

  /** @param message what it fills; the kernel reads runs only into one that lies in its memory */
  constructor(limits: ParserLimits, message = new MessageView()) {
    this.message = message;
    this.#limits = limits;
  }

  /**
   * Reads the operation that begins at `position`; `memo` is the subject of the connection's previous publish, which a
   * publisher most often repeats.
   */
  next(bytes: Uint8Array, position: number, end: number, memo: Place): number {
    if (bytes !== this.#span.bytes) this.#span = new Span(bytes);
    this.neededBytes = 0;
    if (position >= end) return op.incomplete;
    if (this.#plainPublish(bytes, position, end, memo)) return op.publish;
    switch (bytes[position] | 0x20) {
      case 0x70: // p
        if (end - position < 2) return op.incomplete;
        switch (bytes[position + 1] | 0x20) {
          case 0x75: // u
            return this.#publish(bytes, position, end);
          case 0x69: // i
            return this.#bare(bytes, position, end, 'ping', op.ping);
          case 0x6f: // o
            return this.#bare(bytes, position, end, 'pong', op.pong);
        }
        break;
      case 0x68: // h
        return this.#publishWithHeaders(bytes, position, end);
      case 0x73: // s
        return this.#subscribe(bytes, position, end);
      case 0x75: // u
        return this.#unsubscribe(bytes, position, end);
      case 0x63: // c
        return this.#connect(bytes, position, end);
      case plus: // the bit of 0x20 does not tell it from a control byte, nor a minus
        if (bytes[position] !== plus) break;
        return this.#bare(bytes, position, end, '+ok', op.ignored);
      case minus:
        if (bytes[position] !== minus) break;
        return this.#errorLine(bytes, position, end);
      case 0x69: // i
        return this.#info(bytes, position, end);
    }
    return this.#fail(errors.unknownOperation);
  }

  /**
   * Reads a message whose line has single blanks between its words, as most do, and all that follow it on the same subject, are alike in
   * having a reply and headers, and are there as a whole. False when the line is any other, or wrong, or its message is not whole: it is
   * then read with care.
   */
  #plainPublish(bytes: Uint8Array, position: number, end: number, memo: Place): boolean {
    const keywordBytes = this.#plainKeyword(bytes, position, end);
    const start = position + keywordBytes;
    if (keywordBytes === 0 || start + 4 > end) return false;
    const span = this.#span;
    let i = start + memo.end - memo.start;
    const repeated = i > start && i < end && bytes[i] === space && spanEqualAt(span, start, memo);
    if (!repeated) {
      i = wordEnd(bytes, start, end);
      if (i === start || i === end || bytes[i] !== space) return false;
    }
    if (i - start + digitsMax + 2 > this.#limits.maxControlLineBytes) return false;
    const message = this.message;
    const next = this.#plainFirst(bytes, start, i + 1, end, keywordBytes !== pubBytes);
    if (next < 0) return false;
    message.span = span;
    message.count = repeated ? this.#extendRun(span, position, keywordBytes, i + 1, next, end) : 1;
    if (message.withReplies && message.count > 1) message.count = beforeReserved(message);
    this.subjectIsMemo = repeated;
    this.subjectStart = start;
    this.subjectEnd = i;
    this.withHeaders = keywordBytes !== pubBytes;
    this.tainted = false;
    this.nextPosition = message.ends[message.count - 1] + 2;
    return true;
  }

  /**
   * Reads the message that begins at `position` as message `index` of the run that was read last, whatever its subject. False when it is not
   * plain, or not whole, or not like the others; or for a reply that is reserved.
   */
  readNext(position: number, end: number, index: number): boolean {
    const span = this.#span;
    const { bytes } = span;
    const { message } = this;
    const keywordBytes = this.withHeaders ? hpubBytes : pubBytes;
    if (message.withHeaders || this.#plainKeyword(bytes, position, end) !== keywordBytes) return false;
    const start = position + keywordBytes;
    const i = wordEnd(bytes, start, end);
    if (i === start || i === end || bytes[i] !== space) return false;
    if (i - start + digitsMax + 2 > this.#limits.maxControlLineBytes) return false;
    const next = this.#plainRest(bytes, start, i + 1, end, index);
    if (next < 0) return false;
    if (message.withReplies && isReservedReply(bytes, message.replyStarts[index], message.replyEnds[index]))
      return false;
    this.subjectStart = start;
    this.subjectEnd = i;
    this.nextPosition = next;
    return true;
  }

  cut(count: number): void {
    this.message.count = count;
    this.nextPosition = this.message.ends[count - 1] + 2;
  }

  /** Length of the keyword of a publish and the blank behind it; 0 when something else begins here. */
  #plainKeyword(bytes: Uint8Array, position: number, end: number): number {
    if (position + hpubBytes > end) return 0;
    const word = this.#span.view.getInt32(position, true);
    if ((word | 0x00202020) === pubSpace) return pubBytes;
    return (word | 0x20202020) === hpub && bytes[position + 4] === space ? hpubBytes : 0;
  }

  /** Reads what follows the subject of a run's first message, which decides what those behind it have; returns the position behind it, or -1. */
  #plainFirst(bytes: Uint8Array, start: number, at: number, end: number, headers: boolean): number {
    const message = this.message;
    message.withReplies = false;
    message.withHeaders = headers;
    this.#headless = false;
    if (!headers) {
      // most have neither: how long their line may be was looked at with the subject
      const next = this.#plainPayload(bytes, at, end, 0);
      if (next >= 0) return next;
    }
    // a word more than there are numbers is a reply
    let i = wordEnd(bytes, at, end);
    const second = i + 1;
    if (headers && second < end && bytes[i] === space) i = wordEnd(bytes, second, end);
    message.withReplies = i < end && bytes[i] === space;
    this.#headless = headers && saysNone(bytes, message.withReplies ? second : at);
    message.withHeaders = headers && !this.#headless;
    return message.withReplies || headers ? this.#plainRest(bytes, start, at, end, 0) : -1;
  }

  /**
   * Reads the messages that follow the first of a run, on the subject that stands before `prefixEnd`, as far
   * as they are plain and whole; returns how many there are then.
   */
  #extendRun(
    span: Span,
    position: number,
    keywordBytes: number,
    prefixEnd: number,
    second: number,
    end: number,
  ): number {
    const { message } = this;
    const base = span.address;
    const prefixBytes = prefixEnd - position;
    if (base >= 0 && message.positionsAddress >= 0) {
      const { maxPayloadBytes, maxControlLineBytes } = this.#limits;
      const lineBytesMax = keywordBytes + maxControlLineBytes;
      return kernelExtendRun(
        message,
        this.#headless,
        base,
        position,
        prefixBytes,
        second,
        end,
        maxPayloadBytes,
        lineBytesMax,
      );
    }
    const bytes = span.bytes;
    let count = 1;
    let next = second;
    while (count < runMessagesMax && next + prefixBytes + 3 < end) {
      if (!spanRepeats(span, position, next, prefixBytes)) break;
      next = this.#plainRest(bytes, next + keywordBytes, next + prefixBytes, end, count);
      if (next < 0) break;
      count++;
    }
    return count;
  }

  /**
   * Reads what follows a subject, with a reply and headers as the run's messages have them, as message `index`; returns the position behind
   * it, or -1.
   *
   * @param start where the line's arguments begin
   */
  #plainRest(bytes: Uint8Array, start: number, at: number, end: number, index: number): number {
    const { message } = this;
    let i = at;
    if (message.withReplies) {
      i = wordEnd(bytes, at, end);
      if (i === at || i === end || bytes[i] !== space) return -1;
      message.replyStarts[index] = at;
      message.replyEnds[index] = i++;
    }
    if (message.withHeaders) {
      i = this.#plainHeaders(bytes, i, end, index);
      if (i < 0) return -1;
    } else if (this.#headless) {
      if (!saysNone(bytes, i)) return -1;
      i += 2;
    }
    const next = this.#plainPayload(bytes, i, end, index);
    if (next < 0 || message.payloadStart(index) > message.ends[index]) return -1;
    return message.starts[index] - 2 - start > this.#limits.maxControlLineBytes ? -1 : next;
  }

  /** Reads the length of the headers of message `index`, which has some, and the blank behind it; returns the position behind that, or -1. */
  #plainHeaders(bytes: Uint8Array, at: number, end: number, index: number): number {
    const digitsEnd = Math.min(end, at + digitsMax);
    let length = 0;
    let i = at;
    for (; i < digitsEnd && bytes[i] >= zero && bytes[i] <= nine; i++) length = length * 10 + bytes[i] - zero;
    if (length === 0 || i === end || bytes[i] !== space) return -1;
    this.message.headerLengths[index] = length;
    return i + 1;
  }

  /** Reads `<size>` CR LF, payload, CR LF as message `index` of the run; returns the position behind it, or -1. */
  #plainPayload(bytes: Uint8Array, sizeStart: number, end: number, index: number): number {
    const digitsEnd = Math.min(end, sizeStart + digitsMax);
    let size = 0;
    let i = sizeStart;
    for (; i < digitsEnd; i++) {
      const digit = bytes[i] - zero;
      if (digit < 0 || digit > 9) break;
      size = size * 10 + digit;
    }
    const start = i + 2;
    const payloadEnd = start + size;
    if (i === sizeStart || payloadEnd + 2 > end || size > this.#limits.maxPayloadBytes) return -1;
    if (bytes[i] !== cr || bytes[i + 1] !== lf || bytes[payloadEnd] !== cr || bytes[payloadEnd + 1] !== lf) return -1;
    this.message.starts[index] = start;
    this.message.ends[index] = payloadEnd;
    return payloadEnd + 2;
  }

  #publish(bytes: Uint8Array, position: number, end: number): number {
    const keyword = this.#keyword(bytes, position, end, 'pub');
    if (keyword !== op.publish) return keyword;
    return this.#publishLine(bytes, position, end, 4, false);
  }

  #publishWithHeaders(bytes: Uint8Array, position: number, end: number): number {
    const keyword = this.#keyword(bytes, position, end, 'hpub');
    if (keyword !== op.publish) return keyword;
    return this.#publishLine(bytes, position, end, 5, true);
  }

  #publishLine(bytes: Uint8Array, position: number, end: number, skip: number, headers: boolean): number {
    const bodyStart = this.#arguments(bytes, position, end, skip);
    if (bodyStart <= 0) return -bodyStart;
    const sizes = headers ? 2 : 1;
    const count = this.#argumentCount;
    if (count !== 1 + sizes && count !== 2 + sizes) return this.#fail(errors.parser);
    const size = this.#number(bytes, count - 1);
    const headerBytes = headers ? this.#number(bytes, count - 2) : 0;
    if (size < 0 || headerBytes < 0 || headerBytes > size) return this.#fail(errors.parser);
    this.subjectIsMemo = false;
    this.subjectStart = this.#argumentStart[0];
    this.subjectEnd = this.#argumentEnd[0];
    this.withHeaders = headers;
    const found = this.#payload(bytes, position, end, bodyStart, size);
    if (found !== op.publish) return found;
    if (count === 2 + sizes) this.message.setReply(this.#argumentStart[1], this.#argumentEnd[1]);
    this.message.setHeaders(headerBytes);
    this.#headless = headers && headerBytes === 0;
    return found;
  }

  #payload(bytes: Uint8Array, position: number, end: number, start: number, size: number): number {
    if (size > this.#limits.maxPayloadBytes) return this.#fail(errors.payload);
    const payloadEnd = start + size;
    if (payloadEnd + 2 > end) {
      if (payloadEnd < end && bytes[payloadEnd] !== cr) return this.#fail(errors.unknownOperation);
      this.neededBytes = payloadEnd + 2 - position;
      return op.incomplete;
    }
    if (bytes[payloadEnd] !== cr || bytes[payloadEnd + 1] !== lf) return this.#fail(errors.unknownOperation);
    this.message.set(this.#span, start, payloadEnd);
    this.nextPosition = payloadEnd + 2;
    return op.publish;
  }

  #subscribe(bytes: Uint8Array, position: number, end: number): number {
    const keyword = this.#keyword(bytes, position, end, 'sub');
    if (keyword !== op.publish) return keyword;
    const next = this.#arguments(bytes, position, end, 4);
    if (next <= 0) return -next;
    const count = this.#argumentCount;
    if (count !== 2 && count !== 3) return this.#fail(errors.parser);
    this.subjectStart = this.#argumentStart[0];
    this.subjectEnd = this.#argumentEnd[0];
    this.queueStart = count === 3 ? this.#argumentStart[1] : 0;
    this.queueEnd = count === 3 ? this.#argumentEnd[1] : 0;
    this.sidStart = this.#argumentStart[count - 1];
    this.sidEnd = this.#argumentEnd[count - 1];
    this.nextPosition = next;
    return op.subscribe;
  }

  #unsubscribe(bytes: Uint8Array, position: number, end: number): number {
    const keyword = this.#keyword(bytes, position, end, 'unsub');
    if (keyword !== op.publish) return keyword;
    const next = this.#arguments(bytes, position, end, 6);
    if (next <= 0) return -next;
    if (this.#argumentCount !== 1 && this.#argumentCount !== 2) return this.#fail(errors.parser);
    this.sidStart = this.#argumentStart[0];
    this.sidEnd = this.#argumentEnd[0];
    // what is not a positive number ends the subscription at once, as in nats-server
    this.maxMessages = this.#argumentCount === 2 ? Math.max(0, this.#number(bytes, 1)) : 0;
    this.nextPosition = next;
    return op.unsubscribe;
  }

  #connect(bytes: Uint8Array, position: number, end: number): number {
    const keyword = this.#keyword(bytes, position, end, 'connect');
    if (keyword !== op.publish) return keyword;
    const next = this.#line(bytes, position, end, 8);
    if (next <= 0) return -next;
    this.jsonStart = position + 8;
    this.jsonEnd = next - 1;
    this.nextPosition = next;
    return op.connect;
  }

  /** `INFO {…}`, which servers send each other; a client's is ignored, as nats-server does. */
  #info(bytes: Uint8Array, position: number, end: number): number {
    const keyword = this.#keyword(bytes, position, end, 'info');
    if (keyword !== op.publish) return keyword;
    const next = this.#line(bytes, position, end, 5);
    if (next <= 0) return -next;
    this.nextPosition = next;
    return op.ignored;
  }

  #errorLine(bytes: Uint8Array, position: number, end: number): number {
    const keyword = this.#keyword(bytes, position, end, '-err');
    if (keyword !== op.publish) return keyword;
    const next = this.#line(bytes, position, end, 5);
    if (next <= 0) return -next;
    this.nextPosition = next;
    return op.clientError;
  }

  /** An operation without arguments: whatever stands before the end of its line is skipped, as nats-server does. */
  #bare(bytes: Uint8Array, position: number, end: number, word: string, found: number): number {
    for (let i = 0; i < word.length; i++) {
      if (position + i >= end) return op.incomplete;
      if ((bytes[position + i] | 0x20) !== (word.charCodeAt(i) | 0x20)) return this.#fail(errors.unknownOperation);
    }
    const next = this.#line(bytes, position, end, word.length);
    if (next <= 0) return -next;
    this.nextPosition = next;
    return found;
  }

  /** Checks an operation's name and the white space behind it: `op.publish` when all is there. */
  #keyword(bytes: Uint8Array, position: number, end: number, word: string): number {
    const length = word.length;
    for (let i = 1; i < length; i++) {
      if (position + i >= end) return op.incomplete;
      if ((bytes[position + i] | 0x20) !== (word.charCodeAt(i) | 0x20)) return this.#fail(errors.unknownOperation);
    }
    if (position + length >= end) return op.incomplete;
    const behind = bytes[position + length];
    return behind === space || behind === tab ? op.publish : this.#fail(errors.unknownOperation);
  }

  /** Position behind the LF of the line whose arguments begin at `position + skip`; or minus an op code. */
  #line(bytes: Uint8Array, position: number, end: number, skip: number): number {
    const start = position + skip;
    const bound = Math.min(end, start + this.#limits.maxControlLineBytes + 2);
    const at = bytes.subarray(start, bound).indexOf(lf);
    if (at >= 0) return start + at + 1;
    // a line of just the greatest length may still lack its CR LF
    if (end - start >= this.#limits.maxControlLineBytes + 2) return -this.#fail(errors.controlLine);
    return -op.incomplete;
  }

  /**
   * Splits the rest of a line at white space. Returns the position behind the line's LF, or minus an op code.
   * Control bytes in an argument are noted, so that none reaches a subject, a reply, a queue group or a sid.
   */
  #arguments(bytes: Uint8Array, position: number, end: number, skip: number): number {
    const start = position + skip;
    const bound = Math.min(end, start + this.#limits.maxControlLineBytes + 2);
    let count = 0;
    let i = start;
    this.tainted = false;
    for (;;) {
      while (i < bound && (bytes[i] === space || bytes[i] === tab)) i++;
      if (i >= bound) break;
      if (bytes[i] === lf || (bytes[i] === cr && i + 1 < bound && bytes[i + 1] === lf)) {
        const lineEnd = bytes[i] === lf ? i : i + 1;
        this.#argumentCount = count;
        if (i - start > this.#limits.maxControlLineBytes) return -this.#fail(errors.controlLine);
        return lineEnd + 1;
      }
      const argumentStart = i;
      for (; i < bound; i++) {
        const byte = bytes[i];
        if (byte > space && byte !== del) continue;
        if (byte === space || byte === tab || byte === lf) break;
        if (byte === cr && (i + 1 >= bound || bytes[i + 1] === lf)) break;
        this.tainted = true;
      }
      if (i >= bound || i === argumentStart) break;
      if (count > argumentsMax) return -this.#fail(errors.parser);
      this.#argumentStart[count] = argumentStart;
      this.#argumentEnd[count] = i;
      count++;
    }
    // a line of just the greatest length may still lack its CR LF
    if (end - start >= this.#limits.maxControlLineBytes + 2) return -this.#fail(errors.controlLine);
    return -op.incomplete;
  }

  /** Argument `index` as a non-negative decimal number, or -1. */
  #number(bytes: Uint8Array, index: number): number {
    const start = this.#argumentStart[index];
    const end = this.#argumentEnd[index];
    let first = start;
    while (first < end - 1 && bytes[first] === zero) first++;
    if (end - first > digitsMax) return -1;
    let value = 0;
    for (let i = first; i < end; i++) {
      if (bytes[i] < zero || bytes[i] > nine) return -1;
      value = value * 10 + bytes[i] - zero;
    }
    return value;
  }

  #fail(error: ProtocolError): number {
    this.error = error;
    return op.error;
  }
}

/** Where the word that begins at `start` ends: at a blank or a control byte, or at `end`. */
function wordEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && bytes[i] > space && bytes[i] !== del) i++;
  return i;
}

/** Whether a length of nothing stands here, and a blank. */
function saysNone(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === zero && bytes[at + 1] === space;
}

/** How many messages of a run stand before one whose reply nobody may name: that is refused alone. */
function beforeReserved({ count, span, replyStarts, replyEnds }: MessageView): number {
  for (let i = 0; i < count; i++) if (isReservedReply(span.bytes, replyStarts[i], replyEnds[i])) return Math.max(1, i);
  return count;
}
