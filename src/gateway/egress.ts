import { assert } from '../base/assert.js';
import { copyBytes } from '../base/bytes.js';
import { emptyList } from '../base/emptyList.js';
import {
  chunkBytesLarge,
  chunkBytesMedium,
  copiedBytesMax,
  longMessageBytes,
  openBytesMax,
  turnSendBytes,
} from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { type ShownRun, shownBytesOf } from '../base/shownRun.js';
import { copySpan, type Span } from '../base/span.js';
import { ownTallyRow } from '../base/tally.js';
import { bulkShift, Work } from '../base/work.js';
import type { DeliveryHead, ShownRunEncoder } from '../protocol/deliveryHead.js';
import { frameHeaderBytesMax, writeFrameHeader } from '../protocol/webSocketFrame.js';
import type { Audience } from './audience.js';
import { type Chunk, ChunkPool } from './chunkPool.js';
import type { Connection } from './connection.js';
import type { KernelOutput } from './mixed/outputs.js';
import { Batches } from './output/batches.js';
import { OutputTotals } from './output/outputTotals.js';
import { type EgressLimits, Pending } from './output/pending.js';
import { Sender } from './output/sender.js';

/** What comes for an audience is counted as work in pieces of so many bytes, and when it is sent. */
const chargeBytes = 2 * 1024;

/** Told of what becomes of connections as they are written to. */
export interface EgressEvents {
  /** More waits for the connection than it may have. */
  onOverflow(connection: Connection): void;
  /** The connection has become full or lags, or does so no longer. */
  onFullness(connection: Connection): void;
  /** A connection with policed subscriptions did not take all that it was offered. */
  onBehind(connection: Connection): void;
  /** Something is left to be sent in a later turn. */
  onOwed(): void;
  /** A connection that was told to be behind has nothing pending any more. */
  onTaken(connection: Connection): void;
  /** Nothing is left to send to a connection that was closing. */
  onDrained(connection: Connection): void;
}

/**
 * The way out: messages are encoded once an audience, and at the end of the turn every connection gets what its
 * audiences collected in one write. Nothing is copied a subscriber until a socket takes less than it was offered.
 */
export class Egress {
  /** Deliveries made since the start. */
  delivered = 0;
  /** Where memory for deliveries comes from. */
  readonly pool = new ChunkPool();
  readonly #totals = new OutputTotals();
  readonly #batches = new Batches(this.pool, this.#totals);
  readonly #pending: Pending;
  readonly #sender: Sender;
  readonly #work: Work;
  /** Audiences that have a chunk in this turn, the chunks, and the connections that have something to be sent. */
  #audiences: Audience[] = [];
  #chunks: Chunk[] = [];
  #dirty: Connection[] = [];
  /** The lists of the turn before: those above change places with them, since a flush may begin the next turn's. */
  #spareAudiences: Audience[] = [];
  #spareChunks: Chunk[] = [];
  #spareDirty: Connection[] = [];
  #openBytes = 0;

  /** @param row where what is sent is counted */
  constructor(limits: EgressLimits, events: EgressEvents, work = new Work(), row = ownTallyRow()) {
    this.#work = work;
    this.#pending = new Pending(this.pool, this.#totals, events, work);
    this.#sender = new Sender(this.#batches, this.#pending, this.#totals, events, work, row);
    this.setLimits(limits);
  }

  setLimits(limits: EgressLimits): void {
    this.#pending.setLimits(limits);
  }

  /** Sets whether deliveries for a connection are dropped while it has most of what it may have pending. */
  setSkipsLaggards(skips: boolean): void {
    this.#sender.skipsLaggards = skips;
  }

  /** The gateway's clock, in milliseconds, set once a turn. */
  get nowMs(): number {
    return this.#totals.nowMs;
  }

  set nowMs(nowMs: number) {
    this.#totals.nowMs = nowMs;
  }

  /** What one connection may have pending, in bytes. */
  get maxPendingBytes(): number {
    return this.#pending.maxBytes;
  }

  /** Bytes that wait for connections that do not keep up, or linger. */
  get pendingBytes(): number {
    return this.#totals.pendingBytes;
  }

  /** Memory that this takes, in bytes. */
  get heldBytes(): number {
    return this.#totals.heldBytes;
  }

  /** When the first of what is held back is due, by the gateway's clock; infinite when nothing is. */
  get batchDueMs(): number {
    return this.#batches.dueMs;
  }

  /** Whether so much is open that the turn should end early. */
  get pressing(): boolean {
    return this.#openBytes >= openBytesMax;
  }

  /** Whether anything waits for the end of a turn. */
  get waiting(): boolean {
    return this.#audiences.length !== 0 || this.#pending.owing;
  }

  /** Encodes message `index` of a run once for all members of an audience. */
  deliver(audience: Audience, head: DeliveryHead, message: MessageView, index: number, withHeaders: boolean): void {
    const chunk = this.#reserve(audience, head.bytesMax(message, index));
    audience.messageBytes += messageBytesOf(message, index, withHeaders);
    this.#take(audience, head.encode(chunk.span, audience.end, message, index, withHeaders), 1);
  }

  /** Encodes a run of messages, each for every one of the heads. */
  deliverRun(audience: Audience, heads: DeliveryHead[], message: MessageView, withHeaders: boolean): void {
    if (message.count > 1 && heads.length === 1) {
      const head = heads[0];
      const lengthBytes = head.runBytesMax(message);
      if (lengthBytes <= chunkBytesLarge) {
        const chunk = this.#reserve(audience, lengthBytes);
        audience.messageBytes += runBytesOf(message, withHeaders);
        this.#take(audience, head.encodeRun(chunk.span, audience.end, message, withHeaders), message.count);
        return;
      }
    }
    for (let i = 0; i < message.count; i++)
      for (let j = 0; j < heads.length; j++) this.deliver(audience, heads[j], message, i, withHeaders);
  }

  /** Encodes a run of messages that show what they are; false, and nothing is written, when each is to be encoded by itself. */
  deliverShown(audience: Audience, encoder: ShownRunEncoder, run: ShownRun, withHeaders: boolean): boolean {
    const lengthBytes = encoder.shownRunBytesMax(run);
    if (lengthBytes === 0 || lengthBytes > chunkBytesLarge) return false;
    const { span } = this.#reserve(audience, lengthBytes);
    if (span.address < 0) return false;
    audience.messageBytes += shownBytesOf(run, withHeaders);
    this.#take(audience, encoder.encodeShownRun(span, audience.end, run, withHeaders), run.count);
    return true;
  }

  /** Opens an output for the kernel, with room for so much; false when its chunk lies outside of the kernel's memory. */
  openOutput(output: KernelOutput, lengthBytes: number): boolean {
    const { audience } = output;
    const { span, bytes } = this.#reserve(audience, lengthBytes);
    if (span.address < 0) return false;
    output.open(span.address + audience.end, span.address + bytes.length);
    return true;
  }

  /** What the kernel has written to an output is its audience's. */
  takeOutput(output: KernelOutput): void {
    const { audience } = output;
    audience.messageBytes += output.takeMessageBytes();
    this.#take(audience, output.cursor - chunkOf(audience).span.address, output.takeMessages());
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
    audience.messageBytes += connection.dialect.messageBytes(span, start, end);
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
    connection.output.segments.add(chunk, start, end, 0, 0);
    audience.turnBytes += bytes.length;
    this.#beginSegment(audience, end);
  }

  /** Ends the turn: every connection with something to be sent is sent it, or is in a later turn where that is very much for all of them. */
  flush(): void {
    // what was sent to those that read again since the last turn does not keep anybody waiting who is owed
    this.#totals.sentBytes = 0;
    this.#pending.sendOwed();
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
    for (let i = 0; i < dirty.length; i++) this.#sender.send(dirty[i]);
    this.#batches.sendDue(this.#send);
    for (let i = 0; i < chunks.length; i++) this.pool.give(chunks[i]);
    emptyList(audiences);
    emptyList(dirty);
    emptyList(chunks);
    this.#spareAudiences = audiences;
    this.#spareDirty = dirty;
    this.#spareChunks = chunks;
    this.#totals.sentBytes = 0;
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
    connection.output.segments.clear();
    this.#batches.drop(connection);
    this.#pending.discard(connection);
  }

  /** Drops what waits for a connection but for the message that is on its way, so that last words can follow at once. */
  cutShort(connection: Connection): void {
    this.#batches.drop(connection);
    this.#pending.cutShort(connection);
  }

  #reserve(audience: Audience, lengthBytes: number): Chunk {
    if (audience.kernelOutput !== null) audience.kernelOutput.close();
    if (!audience.open) this.#open(audience);
    const chunk = audience.chunk;
    if (chunk !== null && audience.end + lengthBytes <= chunk.bytes.length) return chunk;
    return this.#takeChunk(audience, lengthBytes);
  }

  #open(audience: Audience): void {
    const members = audience.members;
    audience.behind = 0;
    for (let i = 0; i < members.length; i++) {
      const connection = members[i];
      if (connection.output.pending !== null) audience.behind++;
      if (connection.output.openAudience !== null) this.#close(connection.output.openAudience);
      connection.output.openAudience = audience;
      if (connection.output.dirty) continue;
      connection.output.dirty = true;
      this.#dirty.push(connection);
    }
    audience.open = true;
  }

  /** An audience's messages reach so far now. */
  #take(audience: Audience, end: number, messages: number): void {
    const lengthBytes = end - audience.end;
    this.#openBytes += lengthBytes;
    audience.end = end;
    audience.messages += messages;
    if (end - audience.charged >= chargeBytes) this.#chargeRun(audience, lengthBytes, messages);
  }

  /** Counts what has come, and what the last of it costs by its length: what is long comes here with every message. */
  #chargeRun(audience: Audience, lengthBytes: number, messages: number): void {
    if (lengthBytes >= messages * longMessageBytes) this.#work.units += lengthBytes >> bulkShift;
    this.#charge(audience);
  }

  /** Counts what it will cost to send what has come, while whoever published it has its share of the turn. */
  #charge(audience: Audience): void {
    this.#work.units += audience.unitsOf(audience.end - audience.charged);
    audience.charged = audience.end;
  }

  /** Gives every member a reference to the bytes collected so far. */
  #close(audience: Audience): void {
    this.#seal(audience);
    const members = audience.members;
    for (let i = 0; i < members.length; i++) members[i].output.openAudience = null;
    audience.open = false;
  }

  #seal(audience: Audience): void {
    if (audience.kernelOutput !== null) audience.kernelOutput.close();
    const { members, start, end } = audience;
    const { messages, messageBytes } = audience;
    this.delivered += messages * members.length;
    audience.messages = 0;
    audience.messageBytes = 0;
    if (start === end) return;
    this.#charge(audience);
    const chunk = chunkOf(audience);
    const code = audience.frameOpcode;
    const segmentStart = code === 0 ? start : writeFrameHeader(chunk.bytes, start, end - start, code);
    for (let i = 0; i < members.length; i++)
      members[i].output.segments.add(chunk, segmentStart, end, messages, messageBytes);
    audience.turnBytes += end - segmentStart;
    this.#beginSegment(audience, end);
  }

  /** The next bytes begin at `position`, behind room for their frame's header where there is one. */
  #beginSegment(audience: Audience, position: number): void {
    const start = audience.frameOpcode === 0 ? position : position + frameHeaderBytesMax;
    audience.start = start;
    audience.end = start;
    audience.charged = start;
  }

  #takeChunk(audience: Audience, lengthBytes: number): Chunk {
    if (audience.chunk === null) this.#audiences.push(audience);
    else this.#seal(audience);
    // an audience that has filled one chunk in this turn, or much of one in the last, will fill another
    const expected = Math.min(Math.max(audience.turnBytes * 4, audience.lastTurnBytes * 1.25), chunkBytesLarge);
    const chunk = isMuch(audience, lengthBytes)
      ? this.pool.takeShared(lengthBytes + frameHeaderBytesMax)
      : this.pool.take(Math.max(lengthBytes + frameHeaderBytesMax, expected));
    this.#chunks.push(chunk);
    audience.chunk = chunk;
    this.#beginSegment(audience, 0);
    return chunk;
  }

  readonly #send = (connection: Connection): void => this.#sender.send(connection);
}

/** Whether one message is more to send to all of an audience than a turn sends, or much to be copied for those of it that are behind. */
function isMuch({ members, behind }: Audience, lengthBytes: number): boolean {
  if (lengthBytes <= chunkBytesMedium) return false;
  return lengthBytes * members.length > turnSendBytes || lengthBytes * behind > copiedBytesMax;
}

function chunkOf({ chunk }: Audience): Chunk {
  assert(chunk !== null, 'what an audience gets lies in a chunk');
  return chunk;
}

/** What a message has of headers and payload for a subscriber that takes headers, or does not. */
function messageBytesOf(message: MessageView, index: number, withHeaders: boolean): number {
  return message.ends[index] - (withHeaders ? message.starts[index] : message.payloadStart(index));
}

function runBytesOf(message: MessageView, withHeaders: boolean): number {
  const { count } = message;
  let bytes = message.messageBytes(count);
  if (!withHeaders && message.withHeaders) for (let i = 0; i < count; i++) bytes -= message.headerBytes(i);
  return bytes;
}
