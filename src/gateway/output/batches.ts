import type { ChunkPool } from '../chunkPool.js';
import type { Connection } from '../connection.js';
import type { Linger } from '../policies/deliveryOptions.js';
import type { OutputTotals } from './outputTotals.js';
import { PendingQueue } from './pendingQueue.js';

/** What is held back for one connection, a copy of its own, until enough has come or the time is up. */
export class Batch {
  readonly queue: PendingQueue;
  readonly dueMs: number;
  messages = 0;

  constructor(queue: PendingQueue, dueMs: number) {
    this.queue = queue;
    this.dueMs = dueMs;
  }
}

/** Deliveries that are held back to be sent together, for connections that linger (docs/decisions/0011). */
export class Batches {
  /** When the first of them is due; infinite when there are none. */
  dueMs = Number.POSITIVE_INFINITY;
  readonly #pool: ChunkPool;
  readonly #totals: OutputTotals;
  #batched: Connection[] = [];

  constructor(pool: ChunkPool, totals: OutputTotals) {
    this.#pool = pool;
    this.#totals = totals;
  }

  /** Keeps a connection's segments if neither enough has come nor the time is up; returns whether it did. */
  linger(connection: Connection, linger: Linger): boolean {
    const { batch, segments, urgent } = connection.output;
    if (urgent || connection.state !== 'open') return false;
    if (batch !== null && this.#totals.nowMs >= batch.dueMs) return false;
    const { lengthBytes, messages } = segments;
    if ((batch?.queue.bytes ?? 0) + lengthBytes >= linger.maxBytes) return false;
    if ((batch?.messages ?? 0) + messages >= linger.maxMessages) return false;
    if (lengthBytes > 0) this.#append(connection, batch ?? this.#begin(connection, linger));
    return true;
  }

  /** What was held back for a connection is sent now; null when nothing was. */
  take({ output }: Connection): PendingQueue | null {
    const { batch } = output;
    output.batch = null;
    return batch === null ? null : batch.queue;
  }

  /** Forgets what is held back for a connection. */
  drop(connection: Connection): void {
    const queue = this.take(connection);
    if (queue === null) return;
    this.#totals.pendingBytes -= queue.bytes;
    queue.dispose(false);
  }

  /** Sends to the connections whose time is up, and finds out when the next one's is. */
  sendDue(send: (connection: Connection) => void): void {
    if (this.#batched.length === 0) return;
    const { nowMs } = this.#totals;
    for (const connection of this.#batched) {
      const { batch } = connection.output;
      if (batch !== null && nowMs >= batch.dueMs) send(connection);
    }
    this.#batched = this.#batched.filter(({ output }) => output.batch !== null);
    this.dueMs = Number.POSITIVE_INFINITY;
    for (const { output } of this.#batched)
      if (output.batch !== null) this.dueMs = Math.min(this.dueMs, output.batch.dueMs);
  }

  #begin(connection: Connection, linger: Linger): Batch {
    const queue = new PendingQueue(this.#pool, this.#totals);
    const batch = new Batch(queue, this.#totals.nowMs + linger.lingerUs / 1000);
    connection.output.batch = batch;
    this.#batched.push(connection);
    return batch;
  }

  #append({ output: { segments } }: Connection, batch: Batch): void {
    const { chunks, starts, ends, count } = segments;
    const before = batch.queue.bytes;
    for (let i = 0; i < count; i++) batch.queue.append(chunks[i].bytes, starts[i], ends[i]);
    this.#totals.pendingBytes += batch.queue.bytes - before;
    batch.messages += segments.messages;
    segments.clear();
  }
}
