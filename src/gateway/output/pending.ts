import { pendingWriteBytes } from '../../base/limits.js';
import { type Work, writeShift } from '../../base/work.js';
import type { Chunk, ChunkPool } from '../chunkPool.js';
import { LagBounds } from '../connection/lag.js';
import type { Connection } from '../connection.js';
import type { EgressEvents } from '../egress.js';
import { PendingQueue } from '../pendingQueue.js';
import type { OutputTotals } from './outputTotals.js';

/** What a connection may have pending, in bytes: `GatewayLimits` has it. */
export interface EgressLimits {
  readonly maxPendingBytes: number;
  readonly topicBufferBytes: number;
}

/** What transports did not take at once: kept in order, a copy for each connection, and written as there is room. */
export class Pending {
  maxBytes = 0;
  #bounds = new LagBounds(0, 0);
  readonly #pool: ChunkPool;
  readonly #totals: OutputTotals;
  readonly #events: EgressEvents;
  readonly #work: Work;

  constructor(pool: ChunkPool, totals: OutputTotals, events: EgressEvents, work: Work) {
    this.#pool = pool;
    this.#totals = totals;
    this.#events = events;
    this.#work = work;
  }

  setLimits({ maxPendingBytes, topicBufferBytes }: EgressLimits): void {
    this.maxBytes = maxPendingBytes;
    this.#bounds = new LagBounds(maxPendingBytes, topicBufferBytes);
  }

  /** Appends what was not taken to what is pending for the connection. */
  add(connection: Connection, chunk: Chunk, start: number, end: number): void {
    const pending = connection.output.pending ?? this.adopt(connection, new PendingQueue(this.#pool, this.#totals));
    pending.append(chunk.bytes, start, end);
    this.#totals.pendingBytes += end - start;
  }

  /** What is held back for a connection already is pending from now on. */
  adopt({ output }: Connection, queue: PendingQueue): PendingQueue {
    output.pending = queue;
    output.progressMs = this.#totals.nowMs;
    return queue;
  }

  /** Looks after a connection that has something pending, at the end of a turn. */
  look(connection: Connection): void {
    const { output } = connection;
    if (output.pending !== null && output.inFlightBytes === 0) this.#write(connection, output.pending);
    if (output.pendingBytes > this.maxBytes && connection.state === 'open') this.#events.onOverflow(connection);
    if (connection.backlogs.policed > 0 && output.pendingBytes > 0 && !connection.backlogs.slowPath.lagging)
      this.#events.onBehind(connection);
    this.#judge(connection);
  }

  /** Forgets what is pending for a connection: it is gone. */
  discard({ output }: Connection): void {
    const { pending } = output;
    if (pending === null) return;
    this.#totals.pendingBytes -= pending.bytes;
    pending.dispose(output.inFlightBytes > 0);
    output.pending = null;
  }

  /** Drops what is pending but for the message that is on its way, so that last words can follow at once. */
  cutShort({ output }: Connection): void {
    const { pending } = output;
    if (pending === null) return;
    const before = pending.bytes;
    pending.truncate(output.inFlightBytes);
    this.#totals.pendingBytes -= before - pending.bytes;
  }

  #judge(connection: Connection): void {
    if (connection.lag.judge(connection.pendingBytes, this.#bounds)) this.#events.onFullness(connection);
  }

  /** Has the head of what is pending written when there is room: that is waited for elsewhere. */
  #write(connection: Connection, pending: PendingQueue): void {
    const { headChunk, headStart, headEnd } = pending;
    connection.output.inFlightBytes = headEnd - headStart;
    connection.transport.write(headChunk, headStart, headEnd, () => this.#onWritten(connection));
  }

  #onWritten(connection: Connection): void {
    const { output, transport, socket } = connection;
    const { pending } = output;
    if (pending === null || connection.state === 'closed') return;
    this.#took(connection, pending, output.inFlightBytes);
    output.inFlightBytes = 0;
    // one that reads as fast as it is written to has no more at a time than others can wait for
    for (let total = 0; pending.bytes > 0 && total < pendingWriteBytes && !socket.destroyed; ) {
      const { headChunk, headStart, headEnd } = pending;
      const taken = transport.offer(headChunk, headStart, headEnd);
      this.#took(connection, pending, taken);
      if (taken < headEnd - headStart) break;
      total += taken;
    }
    if (pending.bytes === 0) this.#onEmpty(connection);
    else if (!socket.destroyed) this.#write(connection, pending);
    this.#judge(connection);
  }

  #onEmpty(connection: Connection): void {
    connection.output.pending = null;
    // last words may have been written since: they are sent with the end of the turn
    if (connection.state === 'closing') {
      if (!connection.output.dirty) this.#events.onDrained(connection);
    } else if (connection.backlogs.slowPath.lagging || connection.imagesOwed > 0) this.#events.onTaken(connection);
  }

  #took({ output, lag }: Connection, pending: PendingQueue, lengthBytes: number): void {
    if (lengthBytes === 0) return;
    this.#work.units += lengthBytes >> writeShift;
    pending.advance(lengthBytes);
    this.#totals.pendingBytes -= lengthBytes;
    output.progressMs = this.#totals.nowMs;
    lag.noteProgress();
  }
}
