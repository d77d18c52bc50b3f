import { MessageView } from '../base/messageView.js';
import { type Place, Span } from '../base/span.js';
import { cr, lf, minus, plus, space, tab } from './ascii.js';
import { ControlLine, noLine } from './controlLine.js';
import { errors, type ProtocolError } from './errors.js';
import { type ParserLimits, PublishRuns } from './publishRuns.js';

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

/**
 * Reads the client's side of the NATS protocol, one operation a call, from contiguous bytes that the caller owns.
 * It keeps nothing between calls but the positions of what it found last: a stream may be cut at any byte, the caller
 * puts the rest before what comes next and asks again. It allocates nothing.
 */
export class Parser extends PublishRuns {
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

  readonly #line: ControlLine;

  /** @param message what it fills; the kernel reads runs only into one that lies in its memory */
  constructor(limits: ParserLimits, message = new MessageView()) {
    super(limits, message);
    this.#line = new ControlLine(limits.maxControlLineBytes);
  }

  /**
   * Reads the operation that begins at `position`; `memo` is the subject of the connection's previous publish, which a
   * publisher most often repeats.
   */
  next(bytes: Uint8Array, position: number, end: number, memo: Place): number {
    if (bytes !== this.span.bytes) this.span = new Span(bytes);
    this.neededBytes = 0;
    if (position >= end) return op.incomplete;
    if (this.readRun(bytes, position, end, memo)) return op.publish;
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
    const bodyStart = this.#arguments(bytes, position + skip, end);
    if (bodyStart <= 0) return this.#without(bodyStart);
    const sizes = headers ? 2 : 1;
    const count = this.#line.count;
    if (count !== 1 + sizes && count !== 2 + sizes) return this.#fail(errors.parser);
    const size = this.#line.number(bytes, count - 1);
    const headerBytes = headers ? this.#line.number(bytes, count - 2) : 0;
    if (size < 0 || headerBytes < 0 || headerBytes > size) return this.#fail(errors.parser);
    this.subjectIsMemo = false;
    this.subjectStart = this.#line.starts[0];
    this.subjectEnd = this.#line.ends[0];
    this.withHeaders = headers;
    const found = this.#payload(bytes, position, end, bodyStart, size);
    if (found !== op.publish) return found;
    if (count === 2 + sizes) this.message.setReply(this.#line.starts[1], this.#line.ends[1]);
    this.message.setHeaders(headerBytes);
    this.headless = headers && headerBytes === 0;
    return found;
  }

  #payload(bytes: Uint8Array, position: number, end: number, start: number, size: number): number {
    if (size > this.limits.maxPayloadBytes) return this.#fail(errors.payload);
    const payloadEnd = start + size;
    if (payloadEnd + 2 > end) {
      if (payloadEnd < end && bytes[payloadEnd] !== cr) return this.#fail(errors.unknownOperation);
      this.neededBytes = payloadEnd + 2 - position;
      return op.incomplete;
    }
    if (bytes[payloadEnd] !== cr || bytes[payloadEnd + 1] !== lf) return this.#fail(errors.unknownOperation);
    this.message.set(this.span, start, payloadEnd);
    this.nextPosition = payloadEnd + 2;
    return op.publish;
  }

  #subscribe(bytes: Uint8Array, position: number, end: number): number {
    const keyword = this.#keyword(bytes, position, end, 'sub');
    if (keyword !== op.publish) return keyword;
    const next = this.#arguments(bytes, position + 4, end);
    if (next <= 0) return this.#without(next);
    const count = this.#line.count;
    if (count !== 2 && count !== 3) return this.#fail(errors.parser);
    this.subjectStart = this.#line.starts[0];
    this.subjectEnd = this.#line.ends[0];
    this.queueStart = count === 3 ? this.#line.starts[1] : 0;
    this.queueEnd = count === 3 ? this.#line.ends[1] : 0;
    this.sidStart = this.#line.starts[count - 1];
    this.sidEnd = this.#line.ends[count - 1];
    this.nextPosition = next;
    return op.subscribe;
  }

  #unsubscribe(bytes: Uint8Array, position: number, end: number): number {
    const keyword = this.#keyword(bytes, position, end, 'unsub');
    if (keyword !== op.publish) return keyword;
    const next = this.#arguments(bytes, position + 6, end);
    if (next <= 0) return this.#without(next);
    if (this.#line.count !== 1 && this.#line.count !== 2) return this.#fail(errors.parser);
    this.sidStart = this.#line.starts[0];
    this.sidEnd = this.#line.ends[0];
    // what is not a positive number ends the subscription at once, as in nats-server
    this.maxMessages = this.#line.count === 2 ? Math.max(0, this.#line.number(bytes, 1)) : 0;
    this.nextPosition = next;
    return op.unsubscribe;
  }

  #connect(bytes: Uint8Array, position: number, end: number): number {
    const keyword = this.#keyword(bytes, position, end, 'connect');
    if (keyword !== op.publish) return keyword;
    const next = this.#line.find(bytes, position + 8, end);
    if (next <= 0) return this.#without(next);
    this.jsonStart = position + 8;
    this.jsonEnd = next - 1;
    this.nextPosition = next;
    return op.connect;
  }

  /** `INFO {…}`, which servers send each other; a client's is ignored, as nats-server does. */
  #info(bytes: Uint8Array, position: number, end: number): number {
    const keyword = this.#keyword(bytes, position, end, 'info');
    if (keyword !== op.publish) return keyword;
    const next = this.#line.find(bytes, position + 5, end);
    if (next <= 0) return this.#without(next);
    this.nextPosition = next;
    return op.ignored;
  }

  #errorLine(bytes: Uint8Array, position: number, end: number): number {
    const keyword = this.#keyword(bytes, position, end, '-err');
    if (keyword !== op.publish) return keyword;
    const next = this.#line.find(bytes, position + 5, end);
    if (next <= 0) return this.#without(next);
    this.nextPosition = next;
    return op.clientError;
  }

  /** An operation without arguments: whatever stands before the end of its line is skipped, as nats-server does. */
  #bare(bytes: Uint8Array, position: number, end: number, word: string, found: number): number {
    for (let i = 0; i < word.length; i++) {
      if (position + i >= end) return op.incomplete;
      if ((bytes[position + i] | 0x20) !== (word.charCodeAt(i) | 0x20)) return this.#fail(errors.unknownOperation);
    }
    const next = this.#line.find(bytes, position + word.length, end);
    if (next <= 0) return this.#without(next);
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

  #arguments(bytes: Uint8Array, start: number, end: number): number {
    const next = this.#line.split(bytes, start, end);
    this.tainted = this.#line.tainted;
    return next;
  }

  /** What was found where a line is not whole, or wrong. */
  #without(line: number): number {
    if (line === noLine.incomplete) return op.incomplete;
    return this.#fail(line === noLine.tooLong ? errors.controlLine : errors.parser);
  }

  #fail(error: ProtocolError): number {
    this.error = error;
    return op.error;
  }
}
