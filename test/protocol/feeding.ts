import { takeKernelBytes } from '../../src/base/kernel.js';
import { MessageView, positionBytes } from '../../src/base/messageView.js';
import { nowhere, placeOf } from '../../src/base/span.js';
import { op, Parser } from '../../src/protocol/parser.js';
import type { ParserLimits } from '../../src/protocol/publishRuns.js';
import type { Operation, Reading } from './referenceParser.js';

const limitsBefore = 3;

/** Bytes around those to be parsed: a parser that looks beyond its stretch takes them for its own. */
const surroundings = ['\n', '\r\n', ' 1\r\n', 'PING\r\n', '\0'].map((text) => Buffer.from(text));

const kernelMessage = new MessageView(takeKernelBytes(positionBytes)!);
const kernelRoom = takeKernelBytes(4 * 1024 * 1024)!;

function roomFor(lengthBytes: number, inKernel: boolean): Uint8Array {
  return inKernel && lengthBytes <= kernelRoom.length
    ? kernelRoom.subarray(0, lengthBytes)
    : new Uint8Array(lengthBytes);
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/** The messages of the run that the parser found, by value. */
function publishesOf(parser: Parser, bytes: Uint8Array): Operation[] {
  const { message } = parser;
  return Array.from({ length: message.count }, (_, i) => {
    const start = message.starts[i]!;
    return {
      kind: 'publish',
      subject: text(bytes, parser.subjectStart, parser.subjectEnd),
      reply: message.replyText(i),
      headers: text(bytes, start, message.payloadStart(i)),
      payload: text(bytes, message.payloadStart(i), message.ends[i]!),
      hpub: parser.withHeaders,
      tainted: parser.tainted,
    };
  });
}

/** What else the parser found, by value. */
function operationOf(parser: Parser, found: number, bytes: Uint8Array): Operation {
  switch (found) {
    case op.subscribe:
      return {
        kind: 'subscribe',
        subject: text(bytes, parser.subjectStart, parser.subjectEnd),
        queue: text(bytes, parser.queueStart, parser.queueEnd),
        sid: text(bytes, parser.sidStart, parser.sidEnd),
        tainted: parser.tainted,
      };
    case op.unsubscribe:
      return { kind: 'unsubscribe', sid: text(bytes, parser.sidStart, parser.sidEnd), max: parser.maxMessages };
    case op.connect:
      // the line end is white space to JSON: whether the CR is left to it does not matter
      return { kind: 'connect', json: text(bytes, parser.jsonStart, parser.jsonEnd) };
    case op.ping:
      return { kind: 'ping' };
    case op.pong:
      return { kind: 'pong' };
    case op.ignored:
      return { kind: 'ignored' };
    case op.clientError:
      return { kind: 'clientError' };
    default:
      throw new Error(`the parser has no result ${found}`);
  }
}

/** Puts a stream together from pieces and has it parsed, as a gateway does with what sockets deliver. */
export class Feeder {
  readonly operations: Operation[] = [];
  error: string | null = null;
  /** Bytes of the stream taken by operations. */
  taken = 0;
  needed = 0;
  readonly #parser: Parser;
  readonly #noise: Uint8Array;
  readonly #inKernel: boolean;
  /** Subject of the previous publish, as connections remember it. */
  #memo = nowhere;
  #carry: Uint8Array = nowhere.span.bytes;

  /** @param inKernel whether what is read lies in the kernel's memory, as in a gateway */
  constructor(limits: ParserLimits, noise = 0, inKernel = false) {
    this.#inKernel = inKernel;
    this.#parser = inKernel ? new Parser(limits, kernelMessage) : new Parser(limits);
    this.#noise = surroundings[noise % surroundings.length]!;
  }

  feed(piece: Uint8Array): void {
    if (this.error !== null) return;
    const noise = this.#noise;
    const start = limitsBefore + noise.length;
    const end = start + this.#carry.length + piece.length;
    const bytes = roomFor(end + 4 * noise.length, this.#inKernel).fill(0x31);
    bytes.set(noise, limitsBefore);
    bytes.set(this.#carry, start);
    bytes.set(piece, start + this.#carry.length);
    for (let i = 0; i < 4; i++) bytes.set(noise, end + i * noise.length);
    const position = this.#parse(bytes, start, end);
    this.taken += position - start;
    this.#carry = bytes.slice(position, end);
  }

  #parse(bytes: Uint8Array, start: number, end: number): number {
    const parser = this.#parser;
    for (let position = start; ; position = parser.nextPosition) {
      const found = parser.next(bytes, position, end, this.#memo);
      this.needed = parser.neededBytes;
      if (found === op.incomplete) return position;
      if (found === op.error) {
        this.error = parser.error.text;
        this.needed = 0;
        return position;
      }
      if (parser.nextPosition <= position || parser.nextPosition > end)
        throw new Error(`an operation at ${position} of ${end} ended at ${parser.nextPosition}`);
      if (found !== op.publish) {
        this.operations.push(operationOf(parser, found, bytes));
        continue;
      }
      this.operations.push(...publishesOf(parser, bytes));
      if (!parser.tainted) this.#memo = placeOf(bytes.slice(parser.subjectStart, parser.subjectEnd));
    }
  }

  get reading(): Reading {
    return { operations: this.operations, error: this.error, rest: this.taken, needed: this.needed };
  }
}

/** Reads the pieces as they come, with one of several noises around each; with every other noise in the kernel's memory. */
export function readPieces(pieces: readonly Uint8Array[], limits: ParserLimits, noise = 0): Reading {
  const feeder = new Feeder(limits, noise, noise % 2 === 1);
  for (const piece of pieces) feeder.feed(piece);
  return feeder.reading;
}

/** Cuts bytes at these places, in any order. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end));
}
