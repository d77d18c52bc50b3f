import { copyBytes } from '../../base/bytes.js';
import { chunkBytesLarge, chunkBytesMedium, skipRatio, turnSendBytes } from '../../base/limits.js';
import { type TallyRow, tally } from '../../base/tally.js';
import { cost, queueShift, type Work } from '../../base/work.js';
import { type Chunk, ChunkPool } from '../chunkPool.js';
import type { Connection } from '../connection.js';
import type { EgressEvents } from '../egress.js';
import { SentMeter } from '../meter.js';
import type { Batches } from './batches.js';
import type { OutputTotals } from './outputTotals.js';
import type { Pending } from './pending.js';
import type { PendingQueue } from './pendingQueue.js';
import type { Segments } from './segments.js';

/** Sends a connection what has collected for it in a turn, in one write where it can be. */
export class Sender {
  /** Whether deliveries for a connection are dropped while it has most of what it may have pending. */
  skipsLaggards = false;
  readonly #batches: Batches;
  readonly #pending: Pending;
  readonly #totals: OutputTotals;
  readonly #events: EgressEvents;
  readonly #work: Work;
  readonly #row: TallyRow;
  readonly #meter: SentMeter;
  /** Where small segments are copied together before they are sent; nothing in it outlives a send. */
  readonly #scratch = new ChunkPool().take(chunkBytesLarge);
  #scratchEnd = 0;

  constructor(
    batches: Batches,
    pending: Pending,
    totals: OutputTotals,
    events: EgressEvents,
    work: Work,
    row: TallyRow,
  ) {
    this.#batches = batches;
    this.#pending = pending;
    this.#totals = totals;
    this.#events = events;
    this.#work = work;
    this.#row = row;
    this.#meter = new SentMeter(row);
  }

  /** Offers a connection's segments to its transport; what is not taken is copied to the connection's own queue. */
  send(connection: Connection): void {
    const { output, linger } = connection;
    const { segments } = output;
    if (
      connection.state === 'closed' ||
      connection.socket.destroyed ||
      (this.skipsLaggards && this.#skips(connection))
    ) {
      segments.clear();
      return;
    }
    if (segments.messages > 0) this.#meter.noteSent(connection, segments);
    let sending = output.pendingBytes === 0;
    if (linger !== null && sending && this.#batches.linger(connection, linger)) return;
    output.urgent = false;
    const batch = this.#batches.take(connection);
    if (batch !== null) sending = this.#sendBatch(connection, batch);
    sending = this.#sendSegments(connection, segments, sending);
    // before anybody is told, who may write more
    segments.clear();
    if (!sending) this.#pending.look(connection);
    else if (connection.state === 'closing') this.#events.onDrained(connection);
  }

  /** @returns whether all was taken */
  #sendSegments(connection: Connection, segments: Segments, sending: boolean): boolean {
    const { chunks, starts, ends, count } = segments;
    let taking = sending;
    for (let i = 0; i < count; ) {
      const next = taking && i + 1 < count ? this.#gather(segments, i) : i;
      if (next > i) taking = this.#sendPart(connection, this.#scratch, 0, this.#scratchEnd);
      else if (taking && this.#putsOff(chunks[i])) taking = this.#putOff(connection, chunks[i], starts[i], ends[i]);
      else if (taking) taking = this.#sendPart(connection, chunks[i], starts[i], ends[i]);
      else this.#keep(connection, chunks[i], starts[i], ends[i], sending);
      i = next > i ? next : i + 1;
    }
    return taking;
  }

  /** Whether a chunk is not offered before a later turn, since this one has sent enough: nothing has to be copied for that. */
  #putsOff({ shared }: Chunk): boolean {
    return shared && this.#totals.sentBytes >= turnSendBytes;
  }

  /** @returns false: it was not taken */
  #putOff(connection: Connection, chunk: Chunk, start: number, end: number): false {
    this.#pending.add(connection, chunk, start, end);
    this.#pending.owe(connection);
    return false;
  }

  /** @returns whether all was taken; what was not is pending */
  #sendPart(connection: Connection, chunk: Chunk, start: number, end: number): boolean {
    const reached = start + this.#offer(connection, chunk, start, end);
    if (reached < end) this.#keep(connection, chunk, reached, end, true);
    return reached === end;
  }

  /** @param unforeseen whether the connection has fallen behind just now: that of one behind is counted when it comes */
  #keep(connection: Connection, chunk: Chunk, start: number, end: number, unforeseen: boolean): void {
    if (unforeseen && !chunk.shared) this.#work.units += (end - start) >> queueShift;
    this.#pending.add(connection, chunk, start, end);
  }

  /** Sends what was held back; returns whether all was taken. What was not is pending. */
  #sendBatch(connection: Connection, batch: PendingQueue): boolean {
    while (batch.bytes > 0) {
      const { headChunk, headStart, headEnd } = batch;
      const taken = this.#offer(connection, headChunk, headStart, headEnd);
      if (taken > 0) batch.advance(taken);
      this.#totals.pendingBytes -= taken;
      if (taken === headEnd - headStart) continue;
      this.#pending.adopt(connection, batch);
      return false;
    }
    return true;
  }

  /** Copies consecutive small segments together, so that they go out in one write; returns the first that did not fit. */
  #gather({ chunks, starts, ends, count }: Segments, from: number): number {
    const { bytes } = this.#scratch;
    let used = 0;
    let i = from;
    for (; i < count; i++) {
      const lengthBytes = ends[i] - starts[i];
      if (lengthBytes > chunkBytesMedium || used + lengthBytes > bytes.length) break;
      used = copyBytes(bytes, used, chunks[i].bytes, starts[i], ends[i]);
    }
    this.#scratchEnd = used;
    return i;
  }

  #offer(connection: Connection, chunk: Chunk, start: number, end: number): number {
    this.#work.units += cost.write;
    const taken = connection.transport.offer(chunk, start, end);
    this.#totals.sentBytes += taken;
    return taken;
  }

  /** Drops what a connection was to be sent if it is far behind; what answers it, and what it has to acknowledge, is sent. */
  #skips(connection: Connection): boolean {
    const { output } = connection;
    if (output.pendingBytes < this.#pending.maxBytes * skipRatio || connection.state !== 'open') return false;
    if (output.urgent || connection.imagesOwed > 0 || connection.unacknowledged.ever) return false;
    this.#row[tally.skipped] += output.segments.messages;
    return true;
  }
}
