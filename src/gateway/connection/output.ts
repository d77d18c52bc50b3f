import type { Audience } from '../audience.js';
import type { Chunk } from '../chunkPool.js';
import type { PendingQueue } from '../pendingQueue.js';

/** What is on its way out to one connection. `Egress` alone changes it. */
export class Output {
  /** The open audience it is a member of; there is at most one. */
  openAudience: Audience | null = null;
  /** References to closed segments that wait for the end of the turn. */
  readonly segmentChunks: Chunk[] = [];
  readonly segmentStarts: number[] = [];
  readonly segmentEnds: number[] = [];
  segmentCount = 0;
  /** Messages in these segments. */
  segmentMessages = 0;
  /** What is held back, in messages too, and until when, by the gateway's clock. */
  batch: PendingQueue | null = null;
  batchMessages = 0;
  batchDueMs = 0;
  /** Whether something among its segments does not wait: an answer, or last words. */
  urgent = false;
  /** Whether it is on the list of connections to flush. */
  dirty = false;
  /** What did not go out at once; null while it keeps up. */
  pending: PendingQueue | null = null;
  /** Bytes of `pending` that the socket is writing. */
  inFlightBytes = 0;
  /** When the kernel last took anything of `pending`, by the gateway's clock. */
  progressMs = 0;

  /** Bytes that wait for the kernel to take them. */
  get pendingBytes(): number {
    return this.pending === null ? 0 : this.pending.bytes;
  }

  /** Memory that what waits takes, in bytes. */
  get heldBytes(): number {
    const { pending, batch } = this;
    return (pending === null ? 0 : pending.heldBytes) + (batch === null ? 0 : batch.heldBytes);
  }
}
