import { decimalDigitsMax } from '../../base/bytes.js';
import { kernelLayAcks, kernelOrOwnBytes, kernelOverrunBytes, takeKernelBytes } from '../../base/kernel.js';
import { runMessagesMax } from '../../base/limits.js';
import { MessageView, positionBytes } from '../../base/messageView.js';
import { lineEndBytes } from '../../base/ownMessage.js';
import { copySpan, Span, spansEqual } from '../../base/span.js';
import { cr, dot, lf } from '../../protocol/ascii.js';

const roomBytes = 64 * 1024;
/** Behind the number of an acknowledgement. */
const endText = '}\r\n';
const textOverheadBytes = decimalDigitsMax + endText.length;
/** Longest reply, and longest beginning of a text, of which there are runs, in bytes. */
export const pubAckPartBytesMax = 4 * 1024;
/** What stands before each reply: its length. */
export const replyLengthBytes = 4;

/**
 * Acknowledgements of messages that a stream has taken one behind the other, for replies of one inbox, as one run: each is addressed to its
 * reply, and its text ends with its message's sequence.
 */
export class PubAckRun {
  /** The run that was begun last; one message at least once one was added. */
  readonly message: MessageView;
  /** Replies, then texts. */
  readonly #room: Span;
  #end = 0;
  #prefixBytes = 0;
  /** How much of the replies they have in common: all but the last token; 0 where that cannot be. */
  #inboxBytes = 0;

  constructor() {
    this.message = new MessageView(takeKernelBytes(positionBytes) ?? undefined);
    this.message.addressed = true;
    this.#room = new Span(kernelOrOwnBytes(roomBytes));
    this.message.span = this.#room;
  }

  /**
   * Begins a run for the replies that are laid from `at` on, each behind its length: those of one inbox, `countMax` at most, one at least.
   * Each is at most `ackRunPartBytesMax` long, and so is what the texts begin with, `prefixBytes`.
   */
  begin(span: Span, at: number, countMax: number, prefixBytes: number): void {
    const { replyStarts, replyEnds } = this.message;
    const limit = Math.min(countMax, runMessagesMax);
    const { view } = span;
    let end = at;
    let count = 0;
    for (; count < limit; count++) {
      const start = end + replyLengthBytes;
      const next = start + view.getUint32(end, true);
      if (count === 0) this.#inboxBytes = inboxBytesOf(span, start, next);
      else if (!this.#isOfInbox(span, at + replyLengthBytes, start, next)) break;
      else if (next - at + textsBytes(prefixBytes, count + 1) > roomBytes) break;
      replyStarts[count] = start - at;
      replyEnds[count] = next - at;
      end = next;
    }
    this.message.count = count;
    this.#prefixBytes = prefixBytes;
    // with their lengths: one copy for all of them
    this.#end = copySpan(this.#room, 0, span, at, end);
  }

  /** Lays the texts: `span[start, start + prefixBytes)`, and a sequence, which is `first` for the first one. */
  layTexts(span: Span, start: number, first: number): void {
    const room = this.#room;
    const { message } = this;
    const prefixBytes = this.#prefixBytes;
    const at = copySpan(room, this.#end, span, start, start + prefixBytes);
    if (room.address >= 0 && message.positionsAddress >= 0)
      kernelLayAcks(room.address + at, room.address + this.#end, prefixBytes, first, message);
    else this.#layByHand(at, first);
  }

  /** Lays no texts: each message is empty. */
  layNone(): void {
    const { bytes } = this.#room;
    const { starts, ends, count } = this.message;
    bytes[this.#end] = cr;
    bytes[this.#end + 1] = lf;
    for (let i = 0; i < count; i++) starts[i] = ends[i] = this.#end;
  }

  #layByHand(from: number, first: number): void {
    const room = this.#room;
    const { starts, ends, count } = this.message;
    let at = from;
    for (let i = 0; i < count; i++) {
      starts[i] = at;
      at = copySpan(room, at, room, this.#end, this.#end + this.#prefixBytes);
      for (const letter of `${first + i}${endText}`) room.bytes[at++] = letter.charCodeAt(0);
      ends[i] = at - lineEndBytes;
    }
  }

  /** Whether the reply `span[start, end)` is one token longer than what the one at `first` has in common with others. */
  #isOfInbox(span: Span, first: number, start: number, end: number): boolean {
    const length = this.#inboxBytes;
    if (length === 0 || end - start <= length) return false;
    return spansEqual(span, first, span, start, length) && !hasDot(span, start + length, end);
  }
}

/** Length of a reply up to its last dot, with that. */
function inboxBytesOf({ bytes }: Span, start: number, end: number): number {
  let at = end;
  while (at > start && bytes[at - 1] !== dot) at--;
  return at - start;
}

/** What texts may take, behind what they begin with, in bytes. */
function textsBytes(prefixBytes: number, count: number): number {
  return prefixBytes + count * (prefixBytes + textOverheadBytes) + kernelOverrunBytes;
}

/** Whether there is a dot in `span[start, end)`: four bytes at a time. */
function hasDot({ bytes, view }: Span, start: number, end: number): boolean {
  let at = start;
  for (; at + 4 <= end; at += 4) {
    // a byte of it is zero where a dot is
    const word = view.getInt32(at, true) ^ fourDots;
    if (((word - 0x01010101) & ~word & 0x80808080) !== 0) return true;
  }
  for (; at < end; at++) if (bytes[at] === dot) return true;
  return false;
}

const fourDots = 0x01010101 * dot;
