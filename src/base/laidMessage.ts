import { latin1Bytes } from './bytes.js';
import type { MessageView } from './messageView.js';
import { lineEndBytes } from './ownMessage.js';
import { Span } from './span.js';

const lineEnd = latin1Bytes('\r\n');

/**
 * Lays out a message that the broker makes itself, and has a view show it. Not for hot paths: it allocates.
 *
 * @param parts the reply, if any, the headers block and the payload, as far as there are any
 * @param replyBytes how long the reply is that they begin with
 */
export function layMessage(view: MessageView, parts: readonly Uint8Array[], replyBytes = 0): void {
  const bytes = Buffer.concat([...parts, lineEnd]);
  view.set(new Span(bytes), replyBytes, bytes.length - lineEndBytes);
}
