import type { Audience } from '../audience.js';
import type { Batch } from '../output/batches.js';
import type { PendingQueue } from '../output/pendingQueue.js';
import { Segments } from '../output/segments.js';

/** What is on its way out to one connection. `Egress` and its parts (`src/gateway/output/`) alone change it. */
export class Output {
  /** The open audience it is a member of; there is at most one. */
  openAudience: Audience | null = null;
  /** What waits for the end of the turn. */
  readonly segments = new Segments();
  /** What is held back to be sent together; null when nothing is. */
  batch: Batch | null = null;
  /** Whether something among its segments does not wait: an answer, or last words. */
  urgent = false;
  /** Whether it is on the list of connections to flush. */
  dirty = false;
  /** What did not go out at once; null while it keeps up. */
  pending: PendingQueue | null = null;
  /** Bytes of `pending` that are being written. */
  inFlightBytes = 0;
  /** Whether more of `pending` is offered in a later turn, since one had sent enough: then nothing is in flight. */
  owed = false;
  /** When anything of `pending` was last taken, by the gateway's clock. */
  progressMs = 0;

  /** Bytes that wait to be taken. */
  get pendingBytes(): number {
    return this.pending === null ? 0 : this.pending.bytes;
  }

  /** Memory that what waits takes, in bytes. */
  get heldBytes(): number {
    const { pending, batch } = this;
    return (pending === null ? 0 : pending.heldBytes) + (batch === null ? 0 : batch.queue.heldBytes);
  }
}
