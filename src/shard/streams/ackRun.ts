import { decimalDigitsMax } from '../../base/bytes.js';
import { kernelLayAcks, kernelOverrunBytes, takeKernelBytes } from '../../base/kernel.js';
import { runMessagesMax } from '../../base/limits.js';
import { MessageView, positionBytes } from '../../base/messageView.js';
import { copySpan, Span, spansEqual } from '../../base/span.js';
import { dot } from '../../protocol/ascii.js';

const roomBytes = 64 * 1024;
/** Behind the number of an acknowledgement. */
const endText = '}\r\n';
const textOverheadBytes = decimalDigitsMax + endText.length;
const lineEndBytes = 2;
/** Longest reply, and longest beginning of a text, of which there are runs, in bytes. */
export const ackRunPartBytesMax = 4 * 1024;

/**
 * Acknowledgements of messages that a stream has taken one behind the other, for replies of one inbox, as one run: each is addressed to its
 * reply, and its text ends with its message's sequence.
 */
export class AckRun {
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
    this.#room = new Span(takeKernelBytes(roomBytes) ?? new Uint8Array(roomBytes));
    this.message.span = this.#room;
  }

  /** Begins a run whose texts begin with so many bytes, at most `ackRunPartBytesMax`. */
  begin(prefixBytes: number): void {
    this.message.count = 0;
    this.#prefixBytes = prefixBytes;
    this.#end = 0;
  }

  /** Adds `span[start, end)` as a reply, at most `ackRunPartBytesMax`; returns false when that has to begin another run. */
  add(span: Span, start: number, end: number): boolean {
    const { message } = this;
    const { count } = message;
    if (count === 0) this.#inboxBytes = inboxBytesOf(span, start, end);
    else if (count === runMessagesMax || !this.#isOfInbox(span, start, end)) return false;
    const textsBytes = this.#prefixBytes + (count + 1) * (this.#prefixBytes + textOverheadBytes) + kernelOverrunBytes;
    if (this.#end + end - start + textsBytes > roomBytes) return false;
    message.replyStarts[count] = this.#end;
    this.#end = copySpan(this.#room, this.#end, span, start, end);
    message.replyEnds[count] = this.#end;
    message.count++;
    return true;
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

  /** Whether a reply is one token longer than what the first has in common with others. */
  #isOfInbox(span: Span, start: number, end: number): boolean {
    const length = this.#inboxBytes;
    if (length === 0 || end - start <= length) return false;
    if (!spansEqual(this.#room, this.message.replyStarts[0], span, start, length)) return false;
    for (let at = start + length; at < end; at++) if (span.bytes[at] === dot) return false;
    return true;
  }
}

/** Length of a reply up to its last dot, with that. */
function inboxBytesOf({ bytes }: Span, start: number, end: number): number {
  let at = end;
  while (at > start && bytes[at - 1] !== dot) at--;
  return at - start;
}
