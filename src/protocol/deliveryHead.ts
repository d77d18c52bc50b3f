import type { MessageView } from '../base/messageView.js';
import type { ShownRun } from '../base/shownRun.js';
import type { Place, Span } from '../base/span.js';

/** What a delivery that has to be acknowledged says beside its message. */
export interface DeliveryMark {
  /** The number that the client acknowledges it by. */
  readonly delivery: number;
  /** How often the message has been handed out, this time among it. */
  readonly deliveries: number;
  /** The message's number in its stream; 0 where no stream has it. */
  readonly sequence: number;
}

/**
 * How the deliveries of one topic to one subscription look on the wire of a door: made once, used for every message, shared by all
 * connections that get the same bytes.
 */
export interface DeliveryHead {
  /**
   * What a delivery without reply and headers begins with, where its payload's size, CR LF, the payload and CR LF follow; null for another
   * form.
   */
  readonly line: Place | null;
  /** Encodes runs of messages that show what they are; null where each is encoded by itself. */
  readonly shownRuns: ShownRunEncoder | null;
  /** Upper bound of what `encode` writes for message `index`, in bytes. */
  bytesMax(message: MessageView, index: number): number;
  /**
   * Writes message `index` of a run at `at`; returns the position behind it.
   *
   * @param withHeaders false for a client that does not take headers: it gets the payload alone
   */
  encode(target: Span, at: number, message: MessageView, index: number, withHeaders: boolean): number;
  /** Upper bound of what `encodeRun` writes, in bytes, with what it may overwrite behind the end that it returns. */
  runBytesMax(message: MessageView): number;
  /** Writes all messages of a run at `at`, as `encode` does; returns the position behind them. */
  encodeRun(target: Span, at: number, message: MessageView, withHeaders: boolean): number;
}

/** How runs of messages that show what they are look on the wire. */
export interface ShownRunEncoder {
  /** Upper bound of what `encodeShownRun` writes, in bytes; 0 when each message of the run is to be encoded by itself. */
  shownRunBytesMax(run: ShownRun): number;
  /** Writes all messages of a run at `at`, which lies in the kernel's memory, as `encode` does; returns the position behind them. */
  encodeShownRun(target: Span, at: number, run: ShownRun, withHeaders: boolean): number;
}
