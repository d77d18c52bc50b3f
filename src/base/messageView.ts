import { kernelAddress } from './kernel.js';
import { runMessagesMax } from './limits.js';
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
  /** Messages in the run, at least one. More than one only without reply and headers. */
  count = 1;
  /**
   * `span[starts[i], ends[i])` is message `i`: its headers block, then its payload. CR LF stands behind it, as on the wire:
   * whoever passes the message on takes it along instead of writing it anew.
   */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Where `starts` and `ends` lie in the kernel's memory; -1 outside of it. */
  readonly startsAddress: number;
  readonly endsAddress: number;
  /** `span[replyStart, replyEnd)` is the reply subject; empty when there is none. */
  replyStart = 0;
  replyEnd = 0;
  /** Length of the headers block in bytes, 0 when the message has none. */
  headerBytes = 0;
  /** The connection that must not get the messages (their publisher, when it asked for no echo), or 0. */
  exceptConnection = 0;
  /** By which a synchronous publisher in process is told who has taken the message, or 0: connections publish without one. */
  syncToken = 0;
  /** Whether a member of a queue group has had the message already and did not acknowledge it. */
  redelivered = false;
  /** Whether it is for a group whose members bound what they have in hand: it is not lost with the last of them. */
  work = false;
  /** What it shows in place of its topic's subject and of its reply; null when it is not delivered to an address. It is alone in its run then. */
  shown: Shown | null = null;

  /** @param positions where it keeps its positions: `positionBytes`, in the kernel's memory for what the kernel reads */
  constructor(positions: Uint8Array = new Uint8Array(positionBytes)) {
    this.starts = new Int32Array(positions.buffer, positions.byteOffset, runMessagesMax);
    this.ends = new Int32Array(positions.buffer, positions.byteOffset + positionBytes / 2, runMessagesMax);
    const address = kernelAddress(positions);
    this.startsAddress = address;
    this.endsAddress = address < 0 ? -1 : address + positionBytes / 2;
  }

  get bytes(): Uint8Array {
    return this.span.bytes;
  }

  /** Makes it a run of one message. */
  set(span: Span, start: number, end: number): void {
    this.span = span;
    this.count = 1;
    this.starts[0] = start;
    this.ends[0] = end;
  }
}

/** What the positions of one view take, in bytes. */
export const positionBytes = 2 * 4 * runMessagesMax;

const noSpan = new Span(new Uint8Array(0));
