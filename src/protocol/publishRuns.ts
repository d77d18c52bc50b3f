import { kernelExtendRun } from '../base/kernel.js';
import { runMessagesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { type Place, Span, spanEqualAt, spanRepeats } from '../base/span.js';
import { cr, del, lf, nine, space, zero } from './ascii.js';
import type { Publication } from './publication.js';
import { isReservedReply } from './subject.js';

export interface ParserLimits {
  maxControlLineBytes: number;
  maxPayloadBytes: number;
}

/** `PUB ` and `HPUB` in lower case, as four bytes read little-endian. */
const pubSpace = 0x20627570;
const hpub = 0x62757068;
/** The keywords with the blanks behind them, in bytes. */
const pubBytes = 4;
const hpubBytes = 5;
/** More digits than any size or count that can be meant. */
export const digitsMax = 9;

/** Reads publishes as most clients write them, by runs on one subject; what is any other is left to the parser. It allocates nothing. */
export class PublishRuns implements Publication {
  /** The message, or the run of messages on one subject, of the last publish. */
  readonly message: MessageView;
  /** Where the next operation begins. */
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
  protected readonly limits: ParserLimits;
  /** The bytes that are read, as most often by the next call too. */
  protected span = new Span(new Uint8Array(0));
  /** Whether the last publish was an HPUB whose headers have no bytes: some clients say so of all they publish without any. */
  protected headless = false;

  /** @param message what it fills; the kernel reads runs only into one that lies in its memory */
  protected constructor(limits: ParserLimits, message: MessageView) {
    this.message = message;
    this.limits = limits;
  }

  /**
   * Reads a message whose line has single blanks between its words, as most do, and all that follow it on the same subject, are alike in
   * having a reply and headers, and are there as a whole. False when the line is any other, or wrong, or its message is not whole: it is
   * then read with care.
   */
  protected readRun(bytes: Uint8Array, position: number, end: number, memo: Place): boolean {
    const keywordBytes = this.#plainKeyword(bytes, position, end);
    const start = position + keywordBytes;
    if (keywordBytes === 0 || start + 4 > end) return false;
    const span = this.span;
    let i = start + memo.end - memo.start;
    const repeated = i > start && i < end && bytes[i] === space && spanEqualAt(span, start, memo);
    if (!repeated) {
      i = wordEnd(bytes, start, end);
      if (i === start || i === end || bytes[i] !== space) return false;
    }
    if (i - start + digitsMax + 2 > this.limits.maxControlLineBytes) return false;
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
    const span = this.span;
    const { bytes } = span;
    const { message } = this;
    const keywordBytes = this.withHeaders ? hpubBytes : pubBytes;
    if (message.withHeaders || this.#plainKeyword(bytes, position, end) !== keywordBytes) return false;
    const start = position + keywordBytes;
    const i = wordEnd(bytes, start, end);
    if (i === start || i === end || bytes[i] !== space) return false;
    if (i - start + digitsMax + 2 > this.limits.maxControlLineBytes) return false;
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
    const word = this.span.view.getInt32(position, true);
    if ((word | 0x00202020) === pubSpace) return pubBytes;
    return (word | 0x20202020) === hpub && bytes[position + 4] === space ? hpubBytes : 0;
  }

  /** Reads what follows the subject of a run's first message, which decides what those behind it have; returns the position behind it, or -1. */
  #plainFirst(bytes: Uint8Array, start: number, at: number, end: number, headers: boolean): number {
    const message = this.message;
    message.withReplies = false;
    message.withHeaders = headers;
    this.headless = false;
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
    this.headless = headers && saysNone(bytes, message.withReplies ? second : at);
    message.withHeaders = headers && !this.headless;
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
      const { maxPayloadBytes, maxControlLineBytes } = this.limits;
      const lineBytesMax = keywordBytes + maxControlLineBytes;
      return kernelExtendRun(
        message,
        this.headless,
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
    } else if (this.headless) {
      if (!saysNone(bytes, i)) return -1;
      i += 2;
    }
    const next = this.#plainPayload(bytes, i, end, index);
    if (next < 0 || message.payloadStart(index) > message.ends[index]) return -1;
    return message.starts[index] - 2 - start > this.limits.maxControlLineBytes ? -1 : next;
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
    if (i === sizeStart || payloadEnd + 2 > end || size > this.limits.maxPayloadBytes) return -1;
    if (bytes[i] !== cr || bytes[i + 1] !== lf || bytes[payloadEnd] !== cr || bytes[payloadEnd + 1] !== lf) return -1;
    this.message.starts[index] = start;
    this.message.ends[index] = payloadEnd;
    return payloadEnd + 2;
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
