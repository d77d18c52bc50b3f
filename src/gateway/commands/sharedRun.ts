import { type KernelLines, kernelLayRequests, kernelOrOwnBytes } from '../../base/kernel.js';
import { runMessagesMax, sharedRunBytesMax, subjectBytesMax } from '../../base/limits.js';
import { MessageView, positionBytes } from '../../base/messageView.js';
import { lineEndBytes } from '../../base/ownMessage.js';
import { copySpan, type Place, Span } from '../../base/span.js';
import { cr, lf, space } from '../../protocol/ascii.js';
import type { Publication } from '../../protocol/publication.js';

const tableBytes = 4 * runMessagesMax;

/** A request as it was read: message `index` of a run, with its subject. */
type Read = Pick<Publication, 'message' | 'subjectStart' | 'subjectEnd'>;

/**
 * Requests on subjects for which one topic stands, as they go to the shard that answers: in front of the payload of each are the rest of its
 * subject and a blank. They are of one kind: all have a reply, or none has.
 */
export class SharedRun {
  readonly message = new MessageView(kernelOrOwnBytes(positionBytes));
  /** Where the next line begins behind each that the kernel has laid out, and the bytes of their payloads, up to each. */
  readonly lineEnds: Int32Array;
  readonly payloadBytes: Int32Array;
  readonly #span = new Span(kernelOrOwnBytes(sharedRunBytesMax));
  /** Where the kernel finds what the subjects have in common. */
  readonly #prefix = new Span(kernelOrOwnBytes(subjectBytesMax));
  readonly #ends = new Span(kernelOrOwnBytes(2 * tableBytes));
  #endBytes = 0;

  constructor() {
    const { buffer, byteOffset } = this.#ends.bytes;
    this.lineEnds = new Int32Array(buffer, byteOffset, runMessagesMax);
    this.payloadBytes = new Int32Array(buffer, byteOffset + tableBytes, runMessagesMax);
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

  /** Lays out the first of some lines, as far as the kernel can: those whose subjects end in numbers. @param prefix of their subjects, before the rest */
  layLines(lines: KernelLines, prefix: Place, withReplies: boolean): void {
    const own = this.message;
    own.count = 0;
    own.withReplies = withReplies;
    if (lines.base < 0 || this.#ends.address < 0) return;
    const prefixBytes = copySpan(this.#prefix, 0, prefix.span, prefix.start, prefix.end);
    const { address } = this.#prefix;
    own.count = kernelLayRequests(lines, address, prefixBytes, own, sharedRunBytesMax, this.#ends.address);
    this.#endBytes = own.count === 0 ? 0 : own.ends[own.count - 1] + lineEndBytes;
  }

  /** Only the first so many are left. */
  cut(count: number): void {
    const own = this.message;
    own.count = count;
    this.#endBytes = count === 0 ? 0 : own.ends[count - 1] + lineEndBytes;
  }
}
