import { runMessagesMax } from '../../base/limits.js';
import { MessageView } from '../../base/messageView.js';
import { copySpan, Span } from '../../base/span.js';

const roomBytesMin = 1024;
const roomBytesKept = 64 * 1024;

/** Whom a consumer is to tell that what they acknowledged lasts: their replies, until it was noted. */
export class Confirmations {
  #span = new Span(new Uint8Array(roomBytesMin));
  #endBytes = 0;
  /** Where each reply ends. */
  readonly #ends: number[] = [];
  readonly #run = new MessageView();

  /** Adds the reply of request `index`. */
  add({ span, replyStarts, replyEnds }: MessageView, index: number): void {
    const bytes = replyEnds[index] - replyStarts[index];
    if (this.#endBytes + bytes > this.#span.bytes.length) this.#grow(bytes);
    this.#endBytes = copySpan(this.#span, this.#endBytes, span, replyStarts[index], replyEnds[index]);
    this.#ends.push(this.#endBytes);
  }

  /** Shows all of them by runs, of which only the replies count, and forgets them. */
  take(show: (run: MessageView) => void): void {
    const run = this.#run;
    run.span = this.#span;
    run.withReplies = true;
    for (let from = 0, start = 0; from < this.#ends.length; from += run.count) {
      run.count = Math.min(runMessagesMax, this.#ends.length - from);
      for (let i = 0; i < run.count; i++) {
        run.replyStarts[i] = start;
        run.replyEnds[i] = start = this.#ends[from + i];
      }
      show(run);
    }
    this.#ends.length = this.#endBytes = 0;
    if (this.#span.bytes.length > roomBytesKept) this.#span = new Span(new Uint8Array(roomBytesMin));
  }

  #grow(bytes: number): void {
    const larger = new Span(new Uint8Array(2 * (this.#endBytes + bytes)));
    copySpan(larger, 0, this.#span, 0, this.#endBytes);
    this.#span = larger;
  }
}
