import { ackNumberCount } from './ackNumbers.js';
import { lineEndBytes } from './ownMessage.js';
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
const shownNumbersBytes = 8 * ackNumberCount;
/** A message in a run begins at a multiple of it, in bytes. */
export const shownAlignment = 8;

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

/** What the messages of a run have of headers and payload, or of payload alone, in bytes. */
export function shownBytesOf({ span, start, count }: ShownRun, withHeaders: boolean): number {
  const { view } = span;
  let bytes = 0;
  for (let i = 0, at = start; i < count; i++) {
    const messageBytes = view.getUint32(at + 12, true);
    bytes += withHeaders ? messageBytes : messageBytes - view.getUint32(at + 8, true);
    at = nextShown(view, at);
  }
  return bytes;
}

/** Where the message behind the one at `at` begins. */
function nextShown(view: DataView, at: number): number {
  const replyBytes = view.getUint32(at + 4, true);
  const ownTextBytes = view.getInt32(at + 16, true) < 0 ? 0 : view.getUint32(at, true) + replyBytes;
  const end = at + shownTextAt(replyBytes) + ownTextBytes + view.getUint32(at + 12, true) + lineEndBytes;
  return (end + shownAlignment - 1) & -shownAlignment;
}
