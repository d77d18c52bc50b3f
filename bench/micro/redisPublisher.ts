import { once } from 'node:events';
import net from 'node:net';
import { payloadBytes } from './ackPublisher.js';
import { WindowPublisher } from './windowPublisher.js';

const dollar = '$'.charCodeAt(0);

/** Adds to a stream of Redis. */
export class RedisPublisher extends WindowPublisher {
  readonly #block: Buffer;
  /** Of an answer: its length and its text are a line each, an error is one. */
  #linesLeft = 0;

  private constructor(socket: net.Socket, window: number, stream: string) {
    super(socket, { window });
    const parts = ['XADD', stream, '*', 'd', 'x'.repeat(payloadBytes)].map((part) => `$${part.length}\r\n${part}\r\n`);
    this.#block = Buffer.from(`*${parts.length}\r\n${parts.join('')}`.repeat(this.blockMessages), 'latin1');
  }

  static async open(port: number, window: number, stream: string): Promise<RedisPublisher> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RedisPublisher(socket, window, stream);
  }

  protected override nextBlock(): Buffer {
    this.published += this.blockMessages;
    return this.#block;
  }

  protected override beginLine(chunk: Buffer, at: number): void {
    if (this.#linesLeft > 0) return;
    this.#linesLeft = chunk[at] === dollar ? 2 : 1;
    if (chunk[at] !== dollar) this.refused++;
  }

  protected override endLine(): void {
    if (--this.#linesLeft === 0) this.acknowledge();
  }
}
