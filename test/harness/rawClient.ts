import { once } from 'node:events';
import net from 'node:net';
import { afterEach } from 'vitest';
import { type Frame, FrameReader, type Message, show } from './frames.js';
import { Waits } from './waits.js';

const open = new Set<RawClient>();

function isReply({ op }: Frame): boolean {
  return op !== 'INFO' && op !== 'PING';
}

export interface ConnectOptions {
  readonly [name: string]: unknown;
}

/** Quiet and lenient, as every client library asks for; NATS's own defaults are verbose and pedantic. */
const quiet: ConnectOptions = { verbose: false, pedantic: false, headers: true, no_responders: true, lang: 'raw' };

export function connectLine(options: ConnectOptions = {}): string {
  return `CONNECT ${JSON.stringify({ ...quiet, ...options })}\r\n`;
}

/** A TCP client that says exactly what the test says, and waits for events, never for time. */
export class RawClient {
  /** Frames received and not yet taken by a wait. */
  readonly frames: Frame[] = [];
  /** Set to see frames as they come; they are then not kept. */
  onFrame: ((frame: Frame) => void) | undefined;
  closed = false;
  readonly socket: net.Socket;
  readonly #reader = new FrameReader();
  readonly #waits = new Waits(this);
  /** Why what the server sends cannot be understood, if that is so. */
  broken: string | undefined;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#receive(chunk));
    // A reset is one more way of being closed; the tests say what must have been received before it.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#waits.wake();
    });
    open.add(this);
  }

  /** A connection whose INFO has been read and nothing sent. */
  static async open(port: number): Promise<RawClient> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** A connection that has sent CONNECT and seen its PONG. */
  static async connect(port: number, options: ConnectOptions = {}): Promise<RawClient> {
    const client = await RawClient.open(port);
    const replies = await client.exchange(connectLine(options));
    if (replies.some((reply) => reply.startsWith('-ERR'))) throw new Error(`refused: ${replies}`);
    return client;
  }

  /** Strings are sent as latin1, one byte a character. */
  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends and waits until the kernel has it, so that what follows cannot share its segment. */
  async sendAlone(bytes: string | Buffer): Promise<void> {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    await new Promise<void>((resolve) => this.socket.write(buffer, () => setImmediate(resolve)));
  }

  /** The next frame. */
  async next(): Promise<Frame> {
    await this.#waits.until(() => this.frames.length > 0, 'a frame');
    return this.frames.shift() as Frame;
  }

  async info(): Promise<Readonly<Record<string, unknown>>> {
    const frame = await this.next();
    if (frame.op !== 'INFO') throw new Error(`expected INFO, got ${show(frame)}`);
    return frame.info;
  }

  /** Frames up to and with the first that matches. */
  async readUntil(matches: (frame: Frame) => boolean, what: string): Promise<Frame[]> {
    await this.#waits.until(() => this.frames.some(matches), what);
    return this.frames.splice(0, this.frames.findIndex(matches) + 1);
  }

  /** The same, or everything when the server closes the connection first. */
  async readUntilOrClosed(matches: (frame: Frame) => boolean): Promise<Frame[]> {
    await this.#waits.until(() => this.closed || this.frames.some(matches), 'a frame, or the end', true);
    const at = this.frames.findIndex(matches);
    return this.frames.splice(0, at < 0 ? this.frames.length : at + 1);
  }

  /** Resolves when the server has closed the connection. */
  waitClosed(): Promise<void> {
    return this.#waits.until(() => this.closed, 'the end of the connection', true);
  }

  /** The next `count` messages; PINGs between them are answered, anything else is an error. */
  async messages(count: number): Promise<Message[]> {
    const messages: Message[] = [];
    while (messages.length < count) {
      const frame = await this.next();
      if (frame.op === 'MSG') messages.push(frame);
      else if (frame.op === 'PING') this.send('PONG\r\n');
      else throw new Error(`expected message ${messages.length + 1} of ${count}, got ${show(frame)}`);
    }
    return messages;
  }

  /** Sends, then PING; what came back before its PONG, as text; INFO and the server's own PINGs left out. */
  async exchange(bytes: string | Buffer = ''): Promise<string[]> {
    this.send(bytes);
    this.send('PING\r\n');
    const frames = await this.readUntil((frame) => frame.op === 'PONG', 'PONG');
    // The server pings when it likes; a busy machine must not turn that into another transcript, nor a stale connection.
    for (const { op } of frames) if (op === 'PING') this.send('PONG\r\n');
    return frames.slice(0, -1).filter(isReply).map(show);
  }

  /** Sends; everything that comes of it, PONGs and INFOs too: up to the error of a mark behind it. */
  async everythingFrom(bytes: string): Promise<Frame[]> {
    this.send(`${bytes}SUB a..mark 9\r\n`);
    const isMark = (frame: Frame): boolean => frame.op === '-ERR' && frame.text === 'Invalid Subject';
    return (await this.readUntil(isMark, 'the mark')).slice(0, -1);
  }

  /** Sends PING and waits for its PONG; what came before it stays among the frames. */
  async exchangeKeeping(): Promise<void> {
    const isPong = ({ op }: Frame): boolean => op === 'PONG';
    this.send('PING\r\n');
    await this.#waits.until(() => this.frames.some(isPong), 'PONG');
    this.frames.splice(this.frames.findIndex(isPong), 1);
  }

  /** What came until the server closed the connection, as text; INFO and the server's own PINGs left out. */
  async expectClosed(keep: (frame: Frame) => boolean = isReply): Promise<string[]> {
    await this.#waits.until(() => this.closed, 'the end of the connection', true);
    return this.frames.splice(0).filter(keep).map(show);
  }

  close(): void {
    open.delete(this);
    this.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) {
        if (this.onFrame) this.onFrame(frame);
        else this.frames.push(frame);
      }
    } catch (error) {
      this.broken = (error as Error).message;
    }
    this.#waits.wake();
  }

  /** What came and is not taken yet, for the error of a wait. */
  received(): string {
    return this.frames.map(show).join('\n');
  }
}

/** A transcript on a connection of its own: CONNECT as given, the bytes, PING; the replies before its PONG. */
export async function talk(port: number, bytes: string | Buffer, options: ConnectOptions = {}): Promise<string[]> {
  const client = await RawClient.connect(port, options);
  const replies = await client.exchange(bytes);
  client.close();
  return replies;
}

/** The same where the broker is to end the connection: all replies up to there. */
export async function talkUntilClosed(
  port: number,
  bytes: string | Buffer,
  options: ConnectOptions = {},
): Promise<string[]> {
  const client = await RawClient.connect(port, options);
  client.send(bytes);
  return client.expectClosed();
}

afterEach(() => {
  for (const client of [...open]) client.close();
});
