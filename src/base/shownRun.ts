import { ackNumberCount } from './ackNumbers.js';
import { nowhere, type Span } from './span.js';

/*
 * A message that shows a subject, and a reply up to its numbers, as lanes and the kernel have it; it begins at a multiple of 8:
 *
 *     0               4             8               12              16          24        24 or 72
 *     | subject bytes | reply bytes | headers bytes | message bytes | text |    | numbers | subject, reply | headers, payload, CR LF |
 *
 * The six numbers that the reply ends with, 8 bytes each, are there if there is a reply. Message bytes are those of headers and payload.
 * `text` is how far behind the message's beginning its subject and reply stand: below 0 where they are those of a message before.
 */
export const shownHeaderBytes = 24;
export const shownNumbersBytes = 8 * ackNumberCount;

/** How far behind a message's beginning its own text would stand. */
export function shownTextAt(replyBytes: number): number {
  return replyBytes === 0 ? shownHeaderBytes : shownHeaderBytes + shownNumbersBytes;
}

/** Consecutive messages for one address, each of which shows what it is: `span[start, end)`. Kept and filled anew as `MessageView` is. */
export class ShownRun {
  span: Span = nowhere.span;
  start = 0;
  end = 0;
  count = 0;
  /** The longest subject and reply that one of them shows, in bytes. */
  textBytesMax = 0;

  set(span: Span, start: number, end: number, count: number, textBytesMax: number): void {
    this.span = span;
    this.start = start;
    this.end = end;
    this.count = count;
    this.textBytesMax = textBytesMax;
  }
}
