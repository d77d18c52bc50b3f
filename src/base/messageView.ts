import { latin1String } from './bytes.js';
import { kernelAddress, kernelSumLengths } from './kernel.js';
import { longMessageBytes, runMessagesMax } from './limits.js';
import type { Shown } from './shown.js';
import { Span } from './span.js';

/**
 * Consecutive messages of one topic where they lie: positions in somebody else's bytes. Most often there is one; a
 * publisher at full speed makes runs of them, which are passed on as one, so that what is asked of a topic is asked once a
 * run. Threads keep one and fill it anew, so that handing messages on costs no object. Valid only until the call that
 * received it returns.
 */
export class MessageView {
  span: Span = noSpan;
  /** Messages in the run, at least one. */
  count = 1;
  /**
   * `span[starts[i], ends[i])` is message `i`: its headers block, then its payload. CR LF stands behind it, as on the wire:
   * whoever passes the message on takes it along instead of writing it anew.
   */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Whether each message of the run has a reply subject of its own, `span[replyStarts[i], replyEnds[i])`; else none has one. */
  withReplies = false;
  /** Whether each has a headers block, of `headerLengths[i]` bytes; else none has one. */
  withHeaders = false;
  /** Valid only with replies, and with headers. A reply lies before its message and behind the message before. */
  readonly replyStarts: Int32Array;
  readonly replyEnds: Int32Array;
  readonly headerLengths: Int32Array;
  /** Where all these lie in the kernel's memory, one table behind the other as in `positionTables`; -1 outside of it. */
  readonly positionsAddress: number;
  /** The connection that must not get the messages (their publisher, when it asked for no echo), or 0. */
  exceptConnection = 0;
  /** By which a synchronous publisher in process is told who has taken the message, or 0: connections publish without one. */
  syncToken = 0;
  /** Who asks, as JSON in UTF-8, where the message is a request to the broker of which somebody is told; alone in its run then. Else null. */
  caller: Uint8Array | null = null;
  /** How often members of a queue group have had the message and were not done with it; it stays at `returnsMax`. */
  returns = 0;
  /** Whether it is a dead letter, which does not become one again. No client can say so. */
  dead = false;
  /** Whether it is for a group whose members bound what they have in flight: it is not lost with the last of them. */
  work = false;
  /**
   * Whether each message goes to an address of its own, all of one inbox: `span[replyStarts[i], replyEnds[i])`, which it shows in place of
   * its topic's subject; it has no reply and no headers. Runs of one gateway's own only.
   */
  addressed = false;
  /** What it shows in place of its topic's subject and of its reply; null when it is not delivered to an address. It is alone in its run then. */
  shown: Shown | null = null;

  /** @param positions where it keeps its positions: `positionBytes`, in the kernel's memory for what the kernel reads */
  constructor(positions: Uint8Array = new Uint8Array(positionBytes)) {
    const table = (index: number) =>
      new Int32Array(positions.buffer, positions.byteOffset + index * positionTableBytes, runMessagesMax);
    this.starts = table(positionTables.starts);
    this.ends = table(positionTables.ends);
    this.replyStarts = table(positionTables.replyStarts);
    this.replyEnds = table(positionTables.replyEnds);
    this.headerLengths = table(positionTables.headerLengths);
    this.positionsAddress = kernelAddress(positions);
  }

  /** The bytes of the run, with what is between its messages. */
  get lengthBytes(): number {
    return this.ends[this.count - 1] - this.starts[0];
  }

  /** What its first so many messages have of headers and payload, in bytes. */
  messageBytes(count: number): number {
    const { starts, ends } = this;
    let i = 0;
    let bytes = 0;
    if (count >= summedMin && this.positionsAddress >= 0) {
      i = count & -8;
      bytes = kernelSumLengths(this, i);
    }
    for (; i < count; i++) bytes += ends[i] - starts[i];
    return bytes;
  }

  /** Whether what its messages cost is their bytes, rather than their number. */
  get long(): boolean {
    return this.lengthBytes >= this.count * longMessageBytes;
  }

  get bytes(): Uint8Array {
    return this.span.bytes;
  }

  /** Makes it a run of one message, without reply and headers. */
  set(span: Span, start: number, end: number): void {
    this.span = span;
    this.count = 1;
    this.starts[0] = start;
    this.ends[0] = end;
    this.withReplies = false;
    this.withHeaders = false;
  }

  /** Gives the only message of the run a reply, `span[start, end)`; none where that is empty. */
  setReply(start: number, end: number): void {
    this.withReplies = end !== start;
    this.replyStarts[0] = start;
    this.replyEnds[0] = end;
  }

  /** Says how long the headers block is that the only message of the run begins with, in bytes; 0 is none. */
  setHeaders(lengthBytes: number): void {
    this.withHeaders = lengthBytes !== 0;
    this.headerLengths[0] = lengthBytes;
  }

  /** Length of the reply subject of message `index` in bytes, 0 when it has none. */
  replyBytes(index: number): number {
    return this.withReplies ? this.replyEnds[index] - this.replyStarts[index] : 0;
  }

  /** Length of the headers block of message `index` in bytes, 0 when it has none. */
  headerBytes(index: number): number {
    return this.withHeaders ? this.headerLengths[index] : 0;
  }

  /** Where the payload of message `index` begins; it ends where the message does. */
  payloadStart(index: number): number {
    return this.starts[index] + this.headerBytes(index);
  }

  /** The reply subject of message `index`, or ''. */
  replyText(index: number): string {
    return this.withReplies ? latin1String(this.span.bytes, this.replyStarts[index], this.replyEnds[index]) : '';
  }

  /** Where the first of its bytes lies, be they of a reply. */
  get firstByte(): number {
    return this.withReplies || this.addressed ? this.replyStarts[0] : this.starts[0];
  }
}

/** The tables of a view's positions, in this order; the kernel counts on it. */
const positionTables = { starts: 0, ends: 1, replyStarts: 2, replyEnds: 3, headerLengths: 4 } as const;
const positionTableBytes = 4 * runMessagesMax;
/** Of fewer the lengths are added up sooner than the kernel is called. */
const summedMin = 16;

/** What the positions of one view take, in bytes. */
export const positionBytes = Object.keys(positionTables).length * positionTableBytes;

const noSpan = new Span(new Uint8Array(0));
