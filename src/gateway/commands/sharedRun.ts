import { runMessagesMax, sharedRunBytesMax } from '../../base/limits.js';
import { MessageView } from '../../base/messageView.js';
import { lineEndBytes } from '../../base/ownMessage.js';
import { copySpan, Span } from '../../base/span.js';
import { cr, lf, space } from '../../protocol/ascii.js';
import type { Publication } from '../../protocol/publication.js';

/** A request as it was read: message `index` of a run, with its subject. */
type Read = Pick<Publication, 'message' | 'subjectStart' | 'subjectEnd'>;

/**
 * Requests on subjects for which one topic stands, as they go to the shard that answers: in front of the payload of each are the rest of its
 * subject and a blank. They are of one kind: all have a reply, or none has.
 */
export class SharedRun {
  readonly message = new MessageView();
  readonly #span = new Span(new Uint8Array(sharedRunBytesMax));
  #endBytes = 0;

  constructor() {
    this.message.span = this.#span;
    this.message.withHeaders = false;
    this.clear();
  }

  clear(): void {
    this.#endBytes = this.message.count = 0;
  }

  /** Adds message `index` of what was read, if there is room; it has no headers. @param prefixBytes of its subject, before the rest */
  add({ message, subjectStart, subjectEnd }: Read, prefixBytes: number, index: number): boolean {
    const { span, replyStarts, replyEnds, starts, ends, withReplies } = message;
    const restStart = subjectStart + prefixBytes;
    const replyBytes = withReplies ? replyEnds[index] - replyStarts[index] : 0;
    const bytes = replyBytes + subjectEnd - restStart + 1 + ends[index] - starts[index] + lineEndBytes;
    const own = this.message;
    if (own.count === runMessagesMax || this.#endBytes + bytes > sharedRunBytesMax) return false;
    const to = this.#span;
    const at = own.count++;
    const replyStart = this.#endBytes;
    const start = replyStart + replyBytes;
    own.withReplies = withReplies;
    if (withReplies) copySpan(to, replyStart, span, replyStarts[index], replyEnds[index]);
    own.replyStarts[at] = replyStart;
    own.replyEnds[at] = own.starts[at] = start;
    const blank = copySpan(to, start, span, restStart, subjectEnd);
    to.bytes[blank] = space;
    const end = copySpan(to, blank + 1, span, starts[index], ends[index]);
    to.bytes[end] = cr;
    to.bytes[end + 1] = lf;
    own.ends[at] = end;
    this.#endBytes = end + lineEndBytes;
    return true;
  }
}
