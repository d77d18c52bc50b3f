import type { WebSocket } from 'ws';
import { assert } from '../../base/assert.js';
import {
  deflatedSliceBytes,
  frameSliceBytes,
  handshakeSliceBytes,
  unauthenticatedBytesMax,
} from '../../base/limits.js';
import { cost, readShift } from '../../base/work.js';
import { lf } from '../../protocol/ascii.js';
import { errors } from '../../protocol/errors.js';
import { FrameCounter } from '../../protocol/frameCounter.js';
import { opcode, pongFrame } from '../../protocol/webSocketFrame.js';
import type { Connection, ConnectionLink } from '../connection.js';
import type { Inlet, InletOwner } from '../inlet.js';
import type { DoorName } from './door.js';
import { type StreamOwner, WebSocketStream } from './webSocketStream.js';
import type { WebSocketHost } from './webSockets.js';

const lineEnd = Buffer.of(lf);
/** What keeping one read takes beside its bytes, about, in bytes. */
const readObjectBytes = 256;

/** What `ws` keeps of a message that is not whole: what it has not taken apart yet, and what it has. */
interface Receiver {
  readonly _bufferedBytes: number;
  readonly _messageLength: number;
}

/** Longest reason that fits into the last frame, in bytes (RFC 6455, section 5.5). */
const closeReasonBytesMax = 123;

/**
 * One client of the WebSocket port: first a handshake, then what lies between a connection's socket and its reader. What comes
 * goes through `ws`, which takes the frames apart; what goes out does not, but for answers to pings and the last frame.
 */
export class WebSocketLink implements InletOwner, StreamOwner, ConnectionLink {
  readonly id: number;
  readonly remoteAddress: string;
  readonly stream = new WebSocketStream(this);
  readonly #inlet: Inlet;
  readonly #host: WebSocketHost;
  readonly #timer: NodeJS.Timeout;
  #connection: Connection | null = null;
  #socket: WebSocket | null = null;
  /** What is to be sent once it is known whether a connection comes of the handshake. */
  #answer: Buffer[] | null = null;
  /** What was read and has not been taken apart yet. */
  #unread: Buffer | null = null;
  readonly #frames = new FrameCounter();
  /** Messages of the bytes that are being taken apart; null at all other times. */
  #gathered: Buffer[] | null = null;
  /** Answers to pings among them. */
  #pongs: Uint8Array[] = [];
  #sliceBytes = frameSliceBytes;
  /** Whether the socket is not read because the stream is full. */
  #held = false;
  /** Whether it has been told already that no connection comes of it. */
  #refused = false;
  #unauthenticatedBytes = 0;
  /** Slices since the last whole message. */
  #reads = 0;
  heldBytes = 0;
  #closed = false;

  constructor(inlet: Inlet, id: number, remoteAddress: string, host: WebSocketHost) {
    this.#inlet = inlet;
    this.id = id;
    this.remoteAddress = remoteAddress;
    this.#host = host;
    this.#timer = setTimeout(() => this.abort('handshake timeout'), host.limits.authTimeoutMs);
    inlet.owner = this;
  }

  /** Has the handshake answered by `answer`, which calls `upgraded` before it returns where a connection comes of it. */
  upgrade(answer: () => void): void {
    this.#answer = [];
    answer();
    const held = this.#answer;
    this.#answer = null;
    for (const bytes of held ?? []) this.onWrite(bytes);
  }

  /** @param head what came behind the handshake already */
  upgraded(socket: WebSocket, door: DoorName, head: Uint8Array): void {
    this.#frames.add(head);
    clearTimeout(this.#timer);
    this.#socket = socket;
    // a few bytes may become many: what is taken apart can only be stopped between slices
    if (socket.extensions !== '') this.#sliceBytes = deflatedSliceBytes;
    const connection = this.#host.connect(this.id, this.#inlet, this.remoteAddress, door);
    connection.link = this;
    this.#connection = connection;
    for (const bytes of this.#answer ?? []) this.onWrite(bytes);
    this.#answer = null;
    socket.on('message', (data) => this.#onMessage(data as Buffer));
    socket.on('ping', (content) => this.#onPing(connection, content));
    socket.on('pong', () => this.#host.commands.pong(connection));
    socket.on('error', (error) => this.#host.lifecycle.endAfterFlush(connection, error.message));
    this.#host.begin(connection);
  }

  /** Ends it though no connection has come of it yet. */
  abort(reason: string): void {
    this.#inlet.socket.destroy();
    this.onClosed(reason);
  }

  // of the socket

  onRead(lengthBytes: number): boolean {
    const connection = this.#connection;
    const bytes = Buffer.from(this.#host.reading.buffer.subarray(0, lengthBytes));
    if (connection === null) return this.#shake(bytes);
    if (connection.state !== 'open') return true;
    if (!connection.login.authenticated && !this.#admit(connection, lengthBytes)) return true;
    connection.clock.hear();
    this.#unread = this.#unread === null ? bytes : Buffer.concat([this.#unread, bytes]);
    return this.#takeApart(connection);
  }

  onEnd(): void {
    if (this.#connection === null) this.stream.push(null);
    else this.#host.reading.onInputEnd(this.#connection);
  }

  onClosed(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#count(0);
    clearTimeout(this.#timer);
    this.stream.destroy();
    if (this.#connection === null) this.#host.handshakeEnded(this, reason);
    else this.#host.lifecycle.close(this.#connection, reason);
  }

  // of the stream

  onWrite(bytes: Buffer): void {
    if (this.#answer !== null && this.#connection === null) this.#answer.push(bytes);
    else if (this.#connection === null) this.#inlet.socket.write(bytes);
    else this.#host.writeFrame(this.#connection, bytes);
  }

  onWanted(): void {
    if (!this.#held || this.#connection?.parked || this.#connection?.share.deferred) return;
    this.#held = false;
    if (this.onResume()) this.#inlet.socket.resume();
  }

  onRefused(): void {
    this.#refused = true;
  }

  onFinished(): void {
    // what is still held back is a refusal: its end follows when the stream is destroyed
    if (this.#answer !== null && this.#connection === null) return;
    if (this.#connection === null) this.#inlet.socket.end();
    else this.#host.reading.onInputEnd(this.#connection);
  }

  onDestroyed(reason: string): void {
    this.#inlet.socket.destroySoon();
    this.onClosed(reason);
  }

  // of the connection

  close(code: number, reason: string): void {
    // `ws` lets go of it with the connection, which has last words to say at most
    this.#count(0);
    this.#socket?.close(code, reason.slice(0, closeReasonBytesMax));
  }

  onResume(): boolean {
    this.#socket?.resume();
    return this.#connection === null || this.#unread === null || this.#takeApart(this.#connection);
  }

  onConnectionClosed(): void {
    this.onClosed('connection closed');
  }

  /** Hands a handshake to `http`; false when it is to wait before there is more. */
  #shake(bytes: Buffer): boolean {
    let wanted = true;
    let at = 0;
    for (; at < bytes.length && !this.#over && this.#connection === null; at += handshakeSliceBytes)
      wanted = this.stream.push(bytes.subarray(at, at + handshakeSliceBytes));
    this.#held = !wanted;
    if (this.#connection === null || at >= bytes.length) return wanted;
    this.#unread = bytes.subarray(at);
    return this.#takeApart(this.#connection);
  }

  /** Whether nothing can come of the handshake any more. */
  get #over(): boolean {
    return this.#refused || this.stream.destroyed || this.stream.writableEnded;
  }

  /** Hands what was read to `ws`, as far as the connection's share lasts; false when the socket is not to be read for now. */
  #takeApart(connection: Connection): boolean {
    const { work, shares } = this.#host;
    const own = shares.begin(connection);
    this.#gathered = [];
    let wanted = true;
    while (this.#unread !== null && wanted && !work.spent && connection.state === 'open')
      wanted = this.#push(this.#unread);
    this.#held = !wanted;
    const messages = this.#gathered;
    this.#gathered = null;
    this.#sendPongs(connection);
    if (messages.length > 0) this.#reads = 1;
    if (connection.state === 'open') this.#count(this.#keptBytes());
    const reading = this.#feed(connection, messages);
    const spent = own && shares.end(connection);
    if (connection.state !== 'open') return true;
    if (!reading || !wanted) return false;
    if (!spent && this.#unread === null) return true;
    shares.defer(connection);
    return false;
  }

  /** Has a slice taken apart; returns whether there may be more. */
  #push(bytes: Buffer): boolean {
    const slice = bytes.subarray(0, this.#sliceBytes);
    this.#unread = slice.length === bytes.length ? null : bytes.subarray(slice.length);
    this.#reads++;
    const { frames, controls } = this.#frames;
    this.#frames.add(slice);
    this.#host.work.units +=
      (this.#frames.frames - frames) * cost.frame +
      (this.#frames.controls - controls) * cost.controlFrame +
      (slice.length >> readShift);
    return this.stream.push(slice);
  }

  #onMessage(message: Buffer): void {
    const connection = this.#connection;
    assert(connection !== null, 'messages come behind the handshake');
    const messages = this.#gathered ?? [];
    messages.push(message);
    if (connection.frameOpcode === opcode.text && message.at(-1) !== lf) messages.push(lineEnd);
    if (this.#gathered !== null || this.#feed(connection, messages)) return;
    this.#inlet.socket.pause();
    this.#socket?.pause();
  }

  #onPing(connection: Connection, content: Buffer): void {
    this.#pongs.push(pongFrame(content));
    if (this.#gathered === null) this.#sendPongs(connection);
  }

  /** Answers pings, all of what was taken apart in one piece. */
  #sendPongs(connection: Connection): void {
    if (this.#pongs.length === 0) return;
    const frames = Buffer.concat(this.#pongs);
    this.#pongs = [];
    this.#host.writeFrame(connection, frames);
  }

  /** Gives messages to the connection's reader as one stretch of input; false when it is not to be read for now. */
  #feed(connection: Connection, messages: readonly Buffer[]): boolean {
    const room = this.#host.reading.buffer;
    let used = 0;
    let reading = true;
    for (const message of messages) {
      for (let at = 0; at < message.length; ) {
        const copied = message.copy(room, used, at);
        at += copied;
        used += copied;
        if (used < room.length) continue;
        reading = this.#host.reading.onInput(connection, used);
        used = 0;
      }
    }
    if (used > 0) reading = this.#host.reading.onInput(connection, used);
    return reading;
  }

  /** Memory that a message takes which is not whole, and what has not been looked at yet. */
  #keptBytes(): number {
    const receiver = (this.#socket as unknown as { _receiver: Receiver })._receiver;
    return (
      receiver._bufferedBytes + receiver._messageLength + this.#reads * readObjectBytes + (this.#unread?.length ?? 0)
    );
  }

  #count(heldBytes: number): void {
    this.#host.links.heldBytes += heldBytes - this.heldBytes;
    this.heldBytes = heldBytes;
  }

  /** Who has not said who they are may not say much. */
  #admit(connection: Connection, lengthBytes: number): boolean {
    this.#unauthenticatedBytes += lengthBytes;
    if (this.#unauthenticatedBytes <= unauthenticatedBytesMax) return true;
    this.#host.lifecycle.fail(connection, errors.authorization);
    return false;
  }
}
