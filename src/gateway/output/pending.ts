import { assert } from '../../base/assert.js';
import { chunkBytesLarge, pendingWriteBytes, turnSendBytes } from '../../base/limits.js';
import { type Work, writeShift } from '../../base/work.js';
import type { Chunk, ChunkPool } from '../chunkPool.js';
import { LagBounds } from '../connection/lag.js';
import type { Connection } from '../connection.js';
import type { EgressEvents } from '../egress.js';
import type { OutputTotals } from './outputTotals.js';
import { PendingQueue } from './pendingQueue.js';

/** What a connection may have pending, in bytes: `GatewayLimits` has it. */
export interface EgressLimits {
  readonly maxPendingBytes: number;
  readonly topicBufferBytes: number;
}

/**
 * What transports did not take at once, or were not offered since the turn has sent enough: kept in order, and written as there is room.
 * Each connection has a copy of its own, but of a message so long that they share it.
 */
export class Pending {
  maxBytes = 0;
  #bounds = new LagBounds(0, 0);
  readonly #pool: ChunkPool;
  readonly #totals: OutputTotals;
  readonly #events: EgressEvents;
  readonly #work: Work;
  /** Connections that are offered more when a turn has something left to send with, first come first. */
  #owed: Connection[] = [];

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

  /** Whether somebody is to be offered more in a later turn. */
  get owing(): boolean {
    return this.#owed.length > 0;
  }

  /** Appends what was not taken to what is pending for the connection. */
  add(connection: Connection, chunk: Chunk, start: number, end: number): void {
    const pending = connection.output.pending ?? this.adopt(connection, new PendingQueue(this.#pool, this.#totals));
    if (chunk.shared) pending.share(chunk, start, end);
    else pending.append(chunk.bytes, start, end);
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
    if (output.pending !== null && output.inFlightBytes === 0 && !output.owed) this.#write(connection, output.pending);
    if (output.pendingBytes > this.maxBytes && connection.state === 'open') this.#events.onOverflow(connection);
    if (connection.backlogs.policed > 0 && output.pendingBytes > 0 && !connection.backlogs.slowPath.lagging)
      this.#events.onBehind(connection);
    this.#judge(connection);
  }

  /** Has a connection offered what is pending for it in a later turn: this one has sent enough. */
  owe(connection: Connection): void {
    const { output } = connection;
    assert(output.inFlightBytes === 0, 'what is being written is waited for');
    if (output.owed) return;
    output.owed = true;
    this.#owed.push(connection);
    this.#events.onOwed();
  }

  /** Offers those that were put off what is pending for them, as far as the turn sends. */
  sendOwed(): void {
    if (this.#owed.length === 0) return;
    const owed = this.#owed;
    this.#owed = [];
    let served = 0;
    for (; served < owed.length && this.#totals.sentBytes < turnSendBytes; served++) {
      const connection = owed[served];
      connection.output.owed = false;
      const { pending } = connection.output;
      if (pending !== null && connection.state !== 'closed') this.#goOn(connection, pending);
    }
    this.#owed = owed.slice(served).concat(this.#owed);
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
    const end = Math.min(headEnd, headStart + chunkBytesLarge);
    connection.output.inFlightBytes = end - headStart;
    connection.transport.write(headChunk, headStart, end, () => this.#onWritten(connection));
  }

  #onWritten(connection: Connection): void {
    const { output } = connection;
    const { pending } = output;
    if (pending === null || connection.state === 'closed') return;
    this.#took(connection, pending, output.inFlightBytes);
    output.inFlightBytes = 0;
    if (pending.bytes > 0 && this.#totals.sentBytes >= turnSendBytes) this.owe(connection);
    else this.#goOn(connection, pending);
  }

  /** Offers what is pending until no more is taken, or one connection has had enough for now. */
  #goOn(connection: Connection, pending: PendingQueue): void {
    const { transport, socket } = connection;
    // one that reads as fast as it is written to has no more at a time than others can wait for
    for (let total = 0; pending.bytes > 0 && total < pendingWriteBytes && !socket.destroyed; ) {
      const { headChunk, headStart, headEnd } = pending;
      const taken = transport.offer(headChunk, headStart, headEnd);
      this.#took(connection, pending, taken);
      if (taken < headEnd - headStart) break;
      total += taken;
    }
    if (pending.bytes === 0) this.#onEmpty(connection, pending);
    else if (!socket.destroyed) this.#write(connection, pending);
    this.#judge(connection);
  }

  #onEmpty(connection: Connection, pending: PendingQueue): void {
    pending.dispose(false);
    connection.output.pending = null;
    // last words may have been written since: they are sent with the end of the turn
    if (connection.state === 'closing') {
      if (!connection.output.dirty) this.#events.onDrained(connection);
    } else if (connection.backlogs.slowPath.lagging || connection.imagesOwed > 0) this.#events.onTaken(connection);
  }

  #took({ output, lag }: Connection, pending: PendingQueue, lengthBytes: number): void {
    if (lengthBytes === 0) return;
    this.#work.units += lengthBytes >> writeShift;
    this.#totals.sentBytes += lengthBytes;
    pending.advance(lengthBytes);
    this.#totals.pendingBytes -= lengthBytes;
    output.progressMs = this.#totals.nowMs;
    lag.noteProgress();
  }
}
