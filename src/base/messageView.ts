import { Span } from './span.js';

/**
 * One message where it lies: positions in somebody else's bytes. Threads keep one and fill it anew for every
 * message, so that handing a message on costs no object. Valid only until the call that received it returns.
 */
export class MessageView {
  span: Span = noSpan;
  /** `span[replyStart, replyEnd)` is the reply subject; empty when there is none. */
  replyStart = 0;
  replyEnd = 0;
  /**
   * `span[start, end)` is the headers block followed by the payload. CR LF stands behind it, as on the wire: whoever
   * passes the message on takes it along instead of writing it anew.
   */
  start = 0;
  end = 0;
  /** Length of the headers block in bytes, 0 when the message has none. */
  headerBytes = 0;
  /** The connection that must not get the message (its publisher, when it asked for no echo), or 0. */
  exceptConnection = 0;

  get bytes(): Uint8Array {
    return this.span.bytes;
  }
}

const noSpan = new Span(new Uint8Array(0));
