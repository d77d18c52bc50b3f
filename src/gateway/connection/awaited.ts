import { latin1Bytes } from '../../base/bytes.js';
import { nowhere, type Place, placeOf, type Span, spanEqualAt } from '../../base/span.js';
import { dot } from '../../protocol/ascii.js';

/**
 * The reply that a connection named last, or what all that are like it have in common: what was found out about it holds as long as the
 * connection's subscriptions stay. Most clients have one prefix for all requests.
 */
export class Awaited {
  #prefix: Place = nowhere;
  /** Whether it is the whole of the reply. */
  #whole = false;

  /** Whether it is known what the reply `span[start, end)` is. Allocates nothing. */
  covers(span: Span, start: number, end: number): boolean {
    const length = this.#prefix.end;
    if (length === 0 || end - start < length || !spanEqualAt(span, start, this.#prefix)) return false;
    if (this.#whole) return end - start === length;
    for (let i = start + length; i < end; i++) if (span.bytes[i] === dot) return false;
    return true;
  }

  /** @param whole whether nothing is known but of this reply alone */
  set(reply: string, whole: boolean): void {
    const length = reply.lastIndexOf('.') + 1;
    this.#whole = whole || length === 0;
    this.#prefix = placeOf(latin1Bytes(this.#whole ? reply : reply.slice(0, length)));
  }

  /** The connection's subscriptions have changed. */
  forget(): void {
    this.#prefix = nowhere;
  }
}
