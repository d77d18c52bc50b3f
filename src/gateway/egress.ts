import { copyBytes } from '../base/bytes.js';
import { chunkBytesLarge, chunkBytesMedium, openBytesMax, skipRatio } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { copySpan, type Span } from '../base/span.js';
import { copyShift, cost, Work, writeShift } from '../base/work.js';
import type { DeliveryHead } from '../protocol/deliveryHead.js';
import { frameHeaderBytesMax, writeFrameHeader } from '../protocol/webSocketFrame.js';
import type { Audience } from './audience.js';
import { type Chunk, ChunkPool } from './chunkPool.js';
import { LagBounds } from './connection/lag.js';
import type { Output } from './connection/output.js';
import type { Connection } from './connection.js';
import { canSendDirectly, sendDirectly } from './native.js';
import { PendingQueue, type QueueMemory } from './pendingQueue.js';
import type { Linger } from './policies/wish.js';

/** What a connection may have pending, in bytes: `GatewayLimits` has it. */
export interface EgressLimits {
  readonly maxPendingBytes: number;
  readonly topicBufferBytes: number;
}

/** Told of what becomes of connections as they are written to. */
export interface EgressEvents {
  /** More waits for the connection than it may have. */
  onOverflow(connection: Connection): void;
  /** The connection has become full or lags, or does so no longer. */
  onFullness(connection: Connection): void;
  /** A connection with policed subscriptions did not take all that it was offered. */
  onBehind(connection: Connection): void;
  /** A connection that was told to be behind has nothing pending any more. */
  onTaken(connection: Connection): void;
  /** Nothing is left to send to a connection that was closing. */
  onDrained(connection: Connection): void;
}

/**
 * The way out: messages are encoded once an audience, and at the end of the turn every connection gets what its
 * audiences collected in one write. Nothing is copied a subscriber until a socket takes less than it was offered.
 */
export class Egress implements QueueMemory {
  /** Bytes that wait for connections that do not keep up. */
  pendingBytes = 0;
  /** Memory that this takes, in bytes. */
  heldBytes = 0;
  /** Deliveries made since the start. */
  delivered = 0;
  maxPendingBytes = 0;
  /** Whether deliveries for a connection are dropped while it has most of what it may have pending. */
  skipsLaggards = false;
  /** Deliveries dropped for that since the start. */
  skipped = 0;
  #lagBounds = new LagBounds(0, 0);
  /** The gateway's clock, in milliseconds, set once a turn. */
  nowMs = 0;
  readonly #events: EgressEvents;
  readonly #work: Work;
  /** Where memory for deliveries comes from. */
  readonly pool = new ChunkPool();
  /** Audiences that have a chunk in this turn, the chunks, and the connections that have something to be sent. */
  #audiences: Audience[] = [];
  #chunks: Chunk[] = [];
  #dirty: Connection[] = [];
  /** The lists of the turn before: those above change places with them, since a flush may begin the next turn's. */
  #spareAudiences: Audience[] = [];
  #spareChunks: Chunk[] = [];
  #spareDirty: Connection[] = [];
  #openBytes = 0;
  /** Connections for which something is held back, and when the first of it is due; infinite when nothing is. */
  readonly #batched: Connection[] = [];
  batchDueMs = Number.POSITIVE_INFINITY;
  readonly #scratch = new ScratchChunk(chunkBytesLarge);

  constructor(limits: EgressLimits, events: EgressEvents, work = new Work()) {
    this.#work = work;
    this.setLimits(limits);
    this.#events = events;
  }

  setLimits({ maxPendingBytes, topicBufferBytes }: EgressLimits): void {
    this.maxPendingBytes = maxPendingBytes;
    this.#lagBounds = new LagBounds(maxPendingBytes, topicBufferBytes);
  }

  /** Whether so much is open that the turn should end early. */
  get pressing(): boolean {
    return this.#openBytes >= openBytesMax;
  }

  /** Whether anything waits for the end of the turn. */
  get waiting(): boolean {
    return this.#audiences.length !== 0;
  }

  /** Encodes message `index` of a run once for all members of an audience. */
  deliver(audience: Audience, head: DeliveryHead, message: MessageView, index: number, withHeaders: boolean): void {
    const chunk = this.#reserve(audience, head.bytesMax(message, index));
    const start = audience.end;
    audience.end = head.encode(chunk.span, start, message, index, withHeaders);
    this.#openBytes += audience.end - start;
    audience.messages++;
  }

  /** Encodes a run of messages, each for every one of the heads. */
  deliverRun(audience: Audience, heads: DeliveryHead[], message: MessageView, withHeaders: boolean): void {
    if (message.count > 1 && heads.length === 1) {
      const head = heads[0];
      const lengthBytes = head.runBytesMax(message);
      if (lengthBytes <= chunkBytesLarge) {
        const chunk = this.#reserve(audience, lengthBytes);
        const start = audience.end;
        audience.end = head.encodeRun(chunk.span, start, message);
        this.#openBytes += audience.end - start;
        audience.messages += message.count;
        return;
      }
    }
    for (let i = 0; i < message.count; i++)
      for (let j = 0; j < heads.length; j++) this.deliver(audience, heads[j], message, i, withHeaders);
  }

  /** Sends bytes that are no delivery to one connection, in order with its deliveries. */
  write(connection: Connection, bytes: Uint8Array): void {
    if (connection.state === 'closed') return;
    connection.output.urgent = true;
    const audience = connection.solo;
    const chunk = this.#reserve(audience, bytes.length);
    audience.end = copyBytes(chunk.bytes, audience.end, bytes, 0, bytes.length);
  }

  /** Sends a delivery that is encoded already to one connection. */
  deliverEncoded(connection: Connection, span: Span, start: number, end: number): void {
    const audience = connection.solo;
    const chunk = this.#reserve(audience, end - start);
    audience.end = copySpan(chunk.span, audience.end, span, start, end);
    audience.messages++;
  }

  /** Sends a frame, or part of one, that is no content of the stream to a connection of a framed door, in order with the rest. */
  writeFrame(connection: Connection, bytes: Uint8Array): void {
    if (connection.state === 'closed') return;
    connection.output.urgent = true;
    const audience = connection.solo;
    if (!audience.open) this.#open(audience);
    this.#seal(audience);
    const chunk = this.#reserve(audience, bytes.length);
    const start = audience.end;
    const end = copyBytes(chunk.bytes, start, bytes, 0, bytes.length);
    addSegment(connection.output, chunk, start, end);
    audience.turnBytes += bytes.length;
    this.#beginSegment(audience, end);
  }

  /** Ends the turn: every connection with something to be sent is sent it. */
  flush(): void {
    const audiences = this.#audiences;
    const dirty = this.#dirty;
    const chunks = this.#chunks;
    for (let i = 0; i < audiences.length; i++) {
      const audience = audiences[i];
      if (audience.open) this.#close(audience);
      audience.chunk = null;
      audience.lastTurnBytes = audience.turnBytes;
      audience.turnBytes = 0;
    }
    this.#audiences = this.#spareAudiences;
    this.#dirty = this.#spareDirty;
    this.#chunks = this.#spareChunks;
    this.#openBytes = 0;
    for (let i = 0; i < dirty.length; i++) dirty[i].output.dirty = false;
    for (let i = 0; i < dirty.length; i++) this.#send(dirty[i]);
    if (this.#batched.length > 0) this.#sendDue();
    for (let i = 0; i < chunks.length; i++) this.pool.give(chunks[i]);
    audiences.length = 0;
    dirty.length = 0;
    chunks.length = 0;
    this.#spareAudiences = audiences;
    this.#spareDirty = dirty;
    this.#spareChunks = chunks;
  }

  /** Sends what is held back for a connection with the end of the turn. */
  hurry(connection: Connection): void {
    if (connection.output.batch === null) return;
    connection.output.urgent = true;
    if (connection.output.dirty) return;
    connection.output.dirty = true;
    this.#dirty.push(connection);
  }

  /** Whether nothing more is to be sent to a connection. */
  isDrained({ output }: Connection): boolean {
    return !output.dirty && output.pendingBytes === 0;
  }

  /** Forgets everything that waits for a connection: it is gone. */
  discard(connection: Connection): void {
    connection.output.segmentCount = 0;
    this.#dropBatch(connection);
    if (connection.output.pending === null) return;
    this.pendingBytes -= connection.output.pending.bytes;
    connection.output.pending.dispose(connection.output.inFlightBytes > 0);
    connection.output.pending = null;
  }

  /** Drops what waits for a connection but for the message that is on its way, so that last words can follow at once. */
  cutShort(connection: Connection): void {
    this.#dropBatch(connection);
    const pending = connection.output.pending;
    if (pending === null) return;
    const before = pending.bytes;
    pending.truncate(connection.output.inFlightBytes);
    this.pendingBytes -= before - pending.bytes;
  }

  #reserve(audience: Audience, lengthBytes: number): Chunk {
    if (!audience.open) this.#open(audience);
    const chunk = audience.chunk;
    if (chunk !== null && audience.end + lengthBytes <= chunk.bytes.length) return chunk;
    return this.#takeChunk(audience, lengthBytes);
  }

  #open(audience: Audience): void {
    const members = audience.members;
    for (let i = 0; i < members.length; i++) {
      const connection = members[i];
      if (connection.output.openAudience !== null) this.#close(connection.output.openAudience);
      connection.output.openAudience = audience;
      if (connection.output.dirty) continue;
      connection.output.dirty = true;
      this.#dirty.push(connection);
    }
    audience.open = true;
  }

  /** Gives every member a reference to the bytes collected so far. */
  #close(audience: Audience): void {
    this.#seal(audience);
    const members = audience.members;
    for (let i = 0; i < members.length; i++) members[i].output.openAudience = null;
    audience.open = false;
  }

  #seal(audience: Audience): void {
    const { members, start, end } = audience;
    const messages = audience.messages;
    this.delivered += messages * members.length;
    audience.messages = 0;
    if (start === end) return;
    const chunk = audience.chunk as Chunk;
    const code = audience.frameOpcode;
    const segmentStart = code === 0 ? start : writeFrameHeader(chunk.bytes, start, end - start, code);
    for (let i = 0; i < members.length; i++) {
      addSegment(members[i].output, chunk, segmentStart, end);
      members[i].output.segmentMessages += messages;
    }
    audience.turnBytes += end - segmentStart;
    this.#beginSegment(audience, end);
  }

  /** The next bytes begin at `position`, behind room for their frame's header where there is one. */
  #beginSegment(audience: Audience, position: number): void {
    const start = audience.frameOpcode === 0 ? position : position + frameHeaderBytesMax;
    audience.start = start;
    audience.end = start;
  }

  #takeChunk(audience: Audience, lengthBytes: number): Chunk {
    if (audience.chunk === null) this.#audiences.push(audience);
    else this.#seal(audience);
    // an audience that has filled one chunk in this turn, or much of one in the last, will fill another
    const expected = Math.min(Math.max(audience.turnBytes * 4, audience.lastTurnBytes * 1.25), chunkBytesLarge);
    const chunk = this.pool.take(Math.max(lengthBytes + frameHeaderBytesMax, expected));
    this.#chunks.push(chunk);
    audience.chunk = chunk;
    this.#beginSegment(audience, 0);
    return chunk;
  }

  /** Offers a connection's segments to the kernel; what it does not take is copied to the connection's own queue. */
  #send(connection: Connection): void {
    const count = connection.output.segmentCount;
    connection.output.segmentCount = 0;
    if (connection.state === 'closed' || connection.socket.destroyed) return;
    if (this.skipsLaggards && this.#skips(connection)) return;
    let sending = connection.output.pending === null || connection.output.pending.bytes === 0;
    if (connection.linger !== null && sending && this.#hold(connection, connection.linger, count)) return;
    connection.output.segmentMessages = 0;
    connection.output.urgent = false;
    if (connection.output.batch !== null) sending = this.#sendBatch(connection, connection.output.batch);
    for (let i = 0; i < count; ) {
      if (!sending) {
        this.#queue(
          connection,
          connection.output.segmentChunks[i],
          connection.output.segmentStarts[i],
          connection.output.segmentEnds[i],
        );
        i++;
        continue;
      }
      const gathered = i + 1 < count ? this.#gather(connection, i, count) : i;
      let chunk = connection.output.segmentChunks[i];
      let start = connection.output.segmentStarts[i];
      let end = connection.output.segmentEnds[i];
      if (gathered > i) {
        chunk = this.#scratch.chunk;
        start = 0;
        end = this.#scratch.used;
      }
      const sent = this.#offer(connection, chunk, start, end);
      if (start + sent < end) {
        this.#queue(connection, chunk, start + sent, end);
        sending = false;
      }
      i = gathered > i ? gathered : i + 1;
    }
    if (!sending) this.#behind(connection);
    else if (connection.state === 'closing') this.#events.onDrained(connection);
  }

  /** Drops what a connection was to be sent if it is far behind; what answers it, and what it has to acknowledge, is sent. */
  #skips(connection: Connection): boolean {
    if (connection.pendingBytes < this.maxPendingBytes * skipRatio || connection.state !== 'open') return false;
    if (connection.output.urgent || connection.imagesOwed > 0 || connection.unacknowledged !== null) return false;
    this.skipped += connection.output.segmentMessages;
    connection.output.segmentMessages = 0;
    return true;
  }

  /** Holds a connection's segments back if neither enough has come nor the time is up; returns whether it did. */
  #hold(connection: Connection, linger: Linger, count: number): boolean {
    const { batch, segmentStarts, segmentEnds, segmentChunks } = connection.output;
    if (connection.output.urgent || connection.state !== 'open') return false;
    if (batch !== null && this.nowMs >= connection.output.batchDueMs) return false;
    let lengthBytes = 0;
    for (let i = 0; i < count; i++) lengthBytes += segmentEnds[i] - segmentStarts[i];
    if ((batch?.bytes ?? 0) + lengthBytes >= linger.maxBytes) return false;
    if (connection.output.batchMessages + connection.output.segmentMessages >= linger.maxMessages) return false;
    if (lengthBytes === 0) return true;
    const held = batch ?? this.#beginBatch(connection, linger);
    for (let i = 0; i < count; i++) held.append(segmentChunks[i].bytes, segmentStarts[i], segmentEnds[i]);
    this.pendingBytes += lengthBytes;
    connection.output.batchMessages += connection.output.segmentMessages;
    connection.output.segmentMessages = 0;
    return true;
  }

  #beginBatch(connection: Connection, linger: Linger): PendingQueue {
    const batch = new PendingQueue(this.pool, this);
    connection.output.batch = batch;
    connection.output.batchMessages = 0;
    connection.output.batchDueMs = this.nowMs + linger.lingerUs / 1000;
    this.#batched.push(connection);
    return batch;
  }

  /** Sends what was held back; returns whether the kernel took it all. What it did not take is pending. */
  #sendBatch(connection: Connection, batch: PendingQueue): boolean {
    connection.output.batch = null;
    connection.output.batchMessages = 0;
    while (batch.bytes > 0) {
      const lengthBytes = batch.headEnd - batch.headStart;
      const sent = this.#offer(connection, batch.headChunk, batch.headStart, batch.headEnd);
      if (sent > 0) batch.advance(sent);
      this.pendingBytes -= sent;
      if (sent === lengthBytes) continue;
      connection.output.pending = batch;
      connection.output.progressMs = this.nowMs;
      return false;
    }
    return true;
  }

  /** Sends to the connections whose time is up, and finds out when the next one's is. */
  #sendDue(): void {
    let waiting = 0;
    this.batchDueMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#batched.length; i++) {
      const connection = this.#batched[i];
      if (connection.output.batch !== null && this.nowMs >= connection.output.batchDueMs) this.#send(connection);
      if (connection.output.batch === null) continue;
      this.#batched[waiting++] = connection;
      this.batchDueMs = Math.min(this.batchDueMs, connection.output.batchDueMs);
    }
    this.#batched.length = waiting;
  }

  #dropBatch(connection: Connection): void {
    if (connection.output.batch === null) return;
    this.pendingBytes -= connection.output.batch.bytes;
    connection.output.batch.dispose(false);
    connection.output.batch = null;
  }

  /** Copies consecutive small segments together, so that they go out in one write; returns the first that did not fit. */
  #gather(connection: Connection, from: number, count: number): number {
    const scratch = this.#scratch;
    scratch.used = 0;
    let i = from;
    for (; i < count; i++) {
      const start = connection.output.segmentStarts[i];
      const end = connection.output.segmentEnds[i];
      if (end - start > chunkBytesMedium || scratch.used + end - start > scratch.chunk.bytes.length) break;
      scratch.used = copyBytes(scratch.chunk.bytes, scratch.used, connection.output.segmentChunks[i].bytes, start, end);
    }
    return i;
  }

  #offer(connection: Connection, chunk: Chunk, start: number, end: number): number {
    this.#work.units += cost.write + ((end - start) >> writeShift);
    return canSendDirectly ? sendDirectly(connection.descriptor, chunk.address + start, end - start) : 0;
  }

  #queue(connection: Connection, chunk: Chunk, start: number, end: number): void {
    if (connection.output.pending === null) {
      connection.output.pending = new PendingQueue(this.pool, this);
      connection.output.progressMs = this.nowMs;
    }
    this.#work.units += (end - start) >> copyShift;
    connection.output.pending.append(chunk.bytes, start, end);
    this.pendingBytes += end - start;
  }

  /** Looks after a connection that has something pending. */
  #behind(connection: Connection): void {
    if (connection.output.inFlightBytes === 0) this.#writePending(connection);
    if (connection.pendingBytes > this.maxPendingBytes && connection.state === 'open')
      this.#events.onOverflow(connection);
    if (connection.policed > 0 && connection.pendingBytes > 0 && !connection.behind) this.#events.onBehind(connection);
    this.#noteFullness(connection);
  }

  #noteFullness(connection: Connection): void {
    if (connection.lag.judge(connection.pendingBytes, this.#lagBounds)) this.#events.onFullness(connection);
  }

  /** Lets the socket write the head of what is pending: it waits until the kernel has room, which we cannot. */
  #writePending(connection: Connection): void {
    const pending = connection.output.pending as PendingQueue;
    const start = pending.headStart;
    const end = pending.headEnd;
    connection.output.inFlightBytes = end - start;
    connection.socket.write(pending.headChunk.buffer.subarray(start, end), (error) => {
      if (!error) this.#onWritten(connection);
    });
  }

  #onWritten(connection: Connection): void {
    const pending = connection.output.pending;
    if (pending === null || connection.state === 'closed') return;
    this.#took(connection, connection.output.inFlightBytes);
    connection.output.inFlightBytes = 0;
    while (pending.bytes > 0 && canSendDirectly && !connection.socket.destroyed) {
      const offered = pending.headEnd - pending.headStart;
      const sent = sendDirectly(connection.descriptor, pending.headChunk.address + pending.headStart, offered);
      this.#took(connection, sent);
      if (sent < offered) break;
    }
    if (pending.bytes > 0) {
      if (!connection.socket.destroyed) this.#writePending(connection);
    } else {
      connection.output.pending = null;
      if (connection.state === 'closing') this.#events.onDrained(connection);
      else if (connection.behind || connection.imagesOwed > 0) this.#events.onTaken(connection);
    }
    this.#noteFullness(connection);
  }

  #took(connection: Connection, lengthBytes: number): void {
    if (lengthBytes === 0) return;
    (connection.output.pending as PendingQueue).advance(lengthBytes);
    this.pendingBytes -= lengthBytes;
    connection.output.progressMs = this.nowMs;
    connection.lag.noteProgress();
  }
}

function addSegment(output: Output, chunk: Chunk, start: number, end: number): void {
  const segment = output.segmentCount++;
  output.segmentChunks[segment] = chunk;
  output.segmentStarts[segment] = start;
  output.segmentEnds[segment] = end;
}

/** Where small segments are copied together before they are sent; nothing in it outlives the call that filled it. */
class ScratchChunk {
  readonly chunk: Chunk;
  used = 0;

  constructor(lengthBytes: number) {
    this.chunk = new ChunkPool().take(lengthBytes);
  }
}
