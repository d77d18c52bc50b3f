import type { MessageView } from '../../base/messageView.js';
import { copySpan, type Place, placeOf, type Span } from '../../base/span.js';
import type { Stream } from '../../stream/stream.js';
import { entryKind, kindAt } from './answerEntry.js';
import type { CommitQueue } from './commitQueue.js';
import { PubAckRun, pubAckPartBytesMax, replyLengthBytes } from './pubAckRun.js';

// Acknowledgements of messages that a stream has taken one behind the other:
//
//   0            4             8          12          16             24
//   | kind u32   | prefix u32  | left u32 | next u32  | sequence f64 | prefix | replies: length u32, bytes
//
// - prefix: length of what their texts begin with; 0 for empty ones, which have no sequence
// - left: how many are not said yet
// - next, sequence: where the first of these begins, from the entry's beginning, and what it acknowledges
const prefixAt = kindAt + 4;
const leftAt = prefixAt + 4;
const nextAt = leftAt + 4;
const sequenceAt = nextAt + 4;
const headBytes = sequenceAt + 8;
/** What texts begin with that are none: whoever is answered so is told nothing but that it lasts. */
export const noText: Place = placeOf(new Uint8Array(0));
/** What follows goes into another entry, so that what was said takes no room for long. */
const entryBytesMax = 64 * 1024;

/** Acknowledgements among what a queue has: those of messages that follow each other make one entry, and so do those that only say that a consumer's own last. */
export class PubAckEntries {
  readonly #queue: CommitQueue;
  readonly #run = new PubAckRun();
  /** What the last entry's texts begin with, while more may join it; null for none. */
  #prefix: Place | null = null;
  /** What the next one that joins it acknowledges. */
  #sequence = 0;
  #bytes = 0;

  constructor(queue: CommitQueue) {
    this.#queue = queue;
  }

  /**
   * Adds acknowledgements of `count` messages of a run from `from` on, which were taken one behind the other; false when they are not for
   * here, since a reply is too long.
   *
   * @param prefix what their texts begin with, the same object for all of a stream; `noText` for empty ones
   * @param first the first one's sequence
   * @param stream whose operations so far have to be committed first; null for nothing
   */
  add(prefix: Place, first: number, message: MessageView, from: number, count: number, stream: Stream | null): boolean {
    const bytes = this.#bytesOf(prefix, message, from, count);
    if (bytes < 0) return false;
    if (this.#prefix !== prefix || this.#sequence !== first || this.#bytes > entryBytesMax)
      this.#begin(prefix, first, stream);
    const queue = this.#queue;
    const at = queue.extend(bytes);
    const { span, last } = queue;
    span.view.setUint32(last + leftAt, span.view.getUint32(last + leftAt, true) + count, true);
    layReplies(span, at, message, from, count);
    if (prefix !== noText) this.#sequence += count;
    this.#bytes += bytes;
    return true;
  }

  /** What these replies take, in bytes; -1 when something is too long. */
  #bytesOf(prefix: Place, { replyStarts, replyEnds }: MessageView, from: number, count: number): number {
    if (prefix.end - prefix.start > pubAckPartBytesMax) return -1;
    let bytes = count * replyLengthBytes;
    for (let i = from; i < from + count; i++) {
      const replyBytes = replyEnds[i] - replyStarts[i];
      if (replyBytes > pubAckPartBytesMax) return -1;
      bytes += replyBytes;
    }
    return bytes;
  }

  #begin(prefix: Place, sequence: number, stream: Stream | null): void {
    const prefixBytes = prefix.end - prefix.start;
    const at = this.#queue.add(headBytes + prefixBytes, stream);
    const { span } = this.#queue;
    span.view.setUint32(at + kindAt, entryKind.acks, true);
    span.view.setUint32(at + prefixAt, prefixBytes, true);
    span.view.setUint32(at + leftAt, 0, true);
    span.view.setUint32(at + nextAt, headBytes + prefixBytes, true);
    span.view.setFloat64(at + sequenceAt, sequence, true);
    copySpan(span, at + headBytes, prefix.span, prefix.start, prefix.end);
    this.#prefix = prefix;
    this.#sequence = sequence;
    this.#bytes = headBytes + prefixBytes;
  }

  /** The last entry is complete: it waits for nothing more than it does now. */
  seal(): void {
    this.#prefix = null;
  }

  /** Shows the next ones of the first entry, which has some: those of one inbox, as an addressed run. */
  show(): MessageView {
    const { span, first } = this.#queue;
    const { view } = span;
    const run = this.#run;
    const at = first + view.getUint32(first + nextAt, true);
    const prefixBytes = view.getUint32(first + prefixAt, true);
    run.begin(span, at, view.getUint32(first + leftAt, true), prefixBytes);
    if (prefixBytes === 0) run.layNone();
    else run.layTexts(span, first + headBytes, view.getFloat64(first + sequenceAt, true));
    return run.message;
  }

  /** Whether the first entry has but one that is not said. */
  get isLastOne(): boolean {
    const { span, first } = this.#queue;
    return span.view.getUint32(first + leftAt, true) === 1;
  }

  /** The first `count` of those that were shown need not be said any more. */
  drop(count: number): void {
    const { span, first } = this.#queue;
    const { view } = span;
    const left = view.getUint32(first + leftAt, true) - count;
    if (left === 0) {
      this.#queue.drop();
      return;
    }
    let next = view.getUint32(first + nextAt, true);
    for (let i = 0; i < count; i++) next += replyLengthBytes + view.getUint32(first + next, true);
    view.setUint32(first + leftAt, left, true);
    view.setUint32(first + nextAt, next, true);
    view.setFloat64(first + sequenceAt, view.getFloat64(first + sequenceAt, true) + count, true);
  }
}

/** Lays the replies of messages, each behind its length. */
function layReplies(target: Span, to: number, message: MessageView, from: number, count: number): void {
  const { span, replyStarts, replyEnds } = message;
  let at = to;
  for (let i = from; i < from + count; i++) {
    target.view.setUint32(at, replyEnds[i] - replyStarts[i], true);
    at = copySpan(target, at + replyLengthBytes, span, replyStarts[i], replyEnds[i]);
  }
}
