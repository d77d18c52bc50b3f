import type { QueueMemory } from './pendingQueue.js';

/** What a gateway's connections have waiting, all together. */
export class OutputTotals implements QueueMemory {
  /** Bytes that wait for connections that do not keep up, or linger. */
  pendingBytes = 0;
  /** Memory that this takes, in bytes. */
  heldBytes = 0;
  /** Bytes that were sent since the end of the last turn. */
  sentBytes = 0;
  /** The gateway's clock, in milliseconds, set once a turn. */
  nowMs = 0;
}
