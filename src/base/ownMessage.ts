import { returnsMax } from './limits.js';
import type { MessageView } from './messageView.js';
import { copySpan, type Span } from './span.js';

/** Every message is followed by CR LF, as `MessageView` promises. */
export const lineEndBytes = 2;

/** What message `index` of a run takes as a copy of its own: reply, headers, payload and CR LF, one behind the other. */
export function ownBytes(message: MessageView, index: number): number {
  return message.replyBytes(index) + message.ends[index] - message.starts[index] + lineEndBytes;
}

/**
 * A copy of one message that is kept beyond the call which showed it: all that its view says, but for what it shows in place of its
 * subject. Its bytes lie wherever its keeper has room for `ownBytes`.
 */
export class OwnMessage {
  replyBytes = 0;
  headerBytes = 0;
  /** Headers and payload. */
  lengthBytes = 0;
  /** As `MessageView.exceptConnection`. */
  exceptConnection = 0;
  /** As `MessageView.syncToken`; 0 once its publisher waits for it no longer. */
  syncToken = 0;
  /** As `MessageView.returns`. */
  returns = 0;
  /** As `MessageView.dead`. */
  dead = false;

  /** Whether a member of a group has had it and was not done with it. */
  get redelivered(): boolean {
    return this.returns > 0;
  }

  /** A member of a group has had it and was not done with it. */
  countReturn(): void {
    if (this.returns < returnsMax) this.returns++;
  }

  /** Becomes a copy of message `index` of a run, whose bytes go to `span` from `at` on. */
  copy(message: MessageView, index: number, span: Span, at: number): void {
    this.describe(message, index);
    const replyStart = message.replyStarts[index];
    copySpan(span, at, message.span, replyStart, replyStart + this.replyBytes);
    copySpan(span, at + this.replyBytes, message.span, message.starts[index], message.ends[index] + lineEndBytes);
  }

  /** Takes over what a message's view says beside its bytes, which are copied already. */
  describe(message: MessageView, index: number): void {
    this.replyBytes = message.replyBytes(index);
    this.headerBytes = message.headerBytes(index);
    this.lengthBytes = message.ends[index] - message.starts[index];
    this.exceptConnection = message.exceptConnection;
    this.syncToken = message.syncToken;
    this.returns = message.returns;
    this.dead = message.dead;
  }

  /** Makes a view a run of this one message, whose bytes lie in `span` from `at` on. */
  showAt(span: Span, at: number, view: MessageView): void {
    const start = at + this.replyBytes;
    view.set(span, start, start + this.lengthBytes);
    view.setReply(at, start);
    view.setHeaders(this.headerBytes);
    view.exceptConnection = this.exceptConnection;
    view.syncToken = this.syncToken;
    view.returns = this.returns;
    view.dead = this.dead;
  }
}
