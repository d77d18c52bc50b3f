import { ackNumberCount } from './ackNumbers.js';
import { kernelOrOwnBytes } from './kernel.js';
import { mixedRecordBytesMax } from './limits.js';
import type { MessageView } from './messageView.js';
import { lineEndBytes } from './ownMessage.js';
import { type Shown, shownOf } from './shown.js';
import type { ShownRows } from './shownRows.js';
import { ShownRun, shownAlignment, shownHeaderBytes, shownTextAt } from './shownRun.js';
import { copySpan, Span } from './span.js';

/** The kernel reads a little beyond the end. */
const runBytes = mixedRecordBytesMax + 64;
/** What a run takes at most, in bytes: as a record of a lane it is one that the kernel takes whole. */
export const shownRunBytesMax = mixedRecordBytesMax - 64;

/** What a message that shows something takes of a run, in bytes, if its subject and reply take so many there. */
export function shownMessageBytes(shown: Shown, messageBytes: number, textBytes: number): number {
  const bytes = shownTextAt(shown.replyBytes) + textBytes + messageBytes + lineEndBytes;
  return (bytes + shownAlignment - 1) & -shownAlignment;
}

/**
 * Lays out a message, `source[start, end)`, its headers first, and CR LF behind it, at a position of a run.
 *
 * @param textAt where its subject and reply stand already; -1 where they are to be laid out
 * @returns where they stand
 */
export function layShownMessage(
  span: Span,
  words: Int32Array,
  position: number,
  shown: Shown,
  source: Span,
  start: number,
  headerBytes: number,
  end: number,
  textAt: number,
): number {
  const { subjectBytes, replyBytes, numbers } = shown;
  const behind = position + shownTextAt(replyBytes);
  const isKnown = textAt >= 0;
  const word = position >> 2;
  words[word] = subjectBytes;
  words[word + 1] = replyBytes;
  words[word + 2] = headerBytes;
  words[word + 3] = end - start;
  words[word + 4] = (isKnown ? textAt : behind) - position;
  if (replyBytes !== 0)
    for (let i = 0, at = position + shownHeaderBytes; i < ackNumberCount; i++, at += 8)
      span.view.setFloat64(at, numbers[i], true);
  const at = isKnown ? behind : copySpan(span, behind, shown.span, 0, subjectBytes + replyBytes);
  copySpan(span, at, source, start, end + lineEndBytes);
  return isKnown ? textAt : behind;
}

/** Puts messages for one address together, in memory that the kernel reads. */
export class ShownRunWriter {
  readonly run = new ShownRun();
  readonly #span: Span;
  readonly #words: Int32Array;
  #endBytes = 0;
  #count = 0;
  #textBytesMax = 0;
  /** What the message before shows, and where that stands. */
  #shown: Shown | null = null;
  #version = 0;
  #textAt = 0;

  constructor() {
    const bytes = kernelOrOwnBytes(runBytes);
    this.#span = new Span(bytes);
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  }

  get count(): number {
    return this.#count;
  }

  /** Empties it. */
  clear(): void {
    this.#endBytes = this.#count = this.#textBytesMax = 0;
    this.#shown = null;
  }

  /** Adds a message, if it has room. */
  add(message: MessageView): boolean {
    return this.addBytes(shownOf(message), message.span, message.starts[0], message.headerBytes(0), message.ends[0]);
  }

  /** The same of a message that shows `shown`, with its numbers as they are: `span[start, end)`, its headers first, and CR LF behind it. */
  addBytes(shown: Shown, span: Span, start: number, headerBytes: number, end: number): boolean {
    const isKnown = this.#shown === shown && this.#version === shown.version;
    const textBytes = shown.subjectBytes + shown.replyBytes;
    const position = this.#endBytes;
    const behind = position + shownMessageBytes(shown, end - start, isKnown ? 0 : textBytes);
    if (behind > shownRunBytesMax) return false;
    const textAt = isKnown ? this.#textAt : -1;
    this.#textAt = layShownMessage(this.#span, this.#words, position, shown, span, start, headerBytes, end, textAt);
    if (!isKnown) this.#know(shown, textBytes);
    this.#endBytes = behind;
    this.#count++;
    return true;
  }

  /** Room that is left for `addRows`, in bytes: none outside of the kernel's memory. */
  get roomBytes(): number {
    return this.#span.address < 0 ? 0 : shownRunBytesMax - this.#endBytes;
  }

  /** Lays records out that were brought for one of some addresses, as `ShownRows.lay` does, as long as there is room; returns how many. */
  addRows(rows: ShownRows, address: number, delivery: number, pending: number): number {
    const start = this.#span.address;
    const to = start + this.#endBytes;
    const laid = rows.lay(to, start + shownRunBytesMax, address, delivery, pending);
    this.#endBytes = rows.end - start;
    this.#count += laid;
    this.#textBytesMax = Math.max(this.#textBytesMax, rows.textBytesMax);
    // what the last one shows is not known here
    this.#shown = null;
    return laid;
  }

  #know(shown: Shown, textBytes: number): void {
    this.#shown = shown;
    this.#version = shown.version;
    this.#textBytesMax = Math.max(this.#textBytesMax, textBytes);
  }

  /** Shows what it has, until it is emptied. */
  take(): ShownRun {
    this.run.set(this.#span, 0, this.#endBytes, this.#count, this.#textBytesMax);
    return this.run;
  }
}
