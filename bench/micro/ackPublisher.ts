import { once } from 'node:events';
import net from 'node:net';

const payloadBytes = 128;
const replyDigits = 9;
const blockMessages = 32;

const letterM = 'M'.charCodeAt(0);
const letterS = 's'.charCodeAt(0);
const digitZero = '0'.charCodeAt(0);

/** One connection that publishes with a reply of its own for each message, and so many that are not acknowledged. */
export class AckPublisher {
  acknowledged = 0;
  refused = 0;
  /** How long messages waited for their acknowledgement, of each block the last one, in microseconds. */
  readonly latenciesUs: number[] = [];
  readonly #socket: net.Socket;
  readonly #window: number;
  readonly #block: Buffer;
  /** Where the digits of each reply begin in the block. */
  readonly #digitsAt: number[] = [];
  #published = 0;
  readonly #sentAtMs: number[] = [];
  #stopping = false;
  #onIdle: () => void = () => {};
  /** The line that is being read; null between two. */
  #line: 'head' | 'payload' | 'ping' | null = null;
  #payloadNext = false;

  private constructor(socket: net.Socket, window: number, subject: string, inbox: string) {
    this.#socket = socket;
    this.#window = window;
    let text = '';
    for (let i = 0; i < blockMessages; i++) {
      text += `PUB ${subject} ${inbox}.`;
      this.#digitsAt.push(text.length);
      text += `${'0'.repeat(replyDigits)} ${payloadBytes}\r\n${'x'.repeat(payloadBytes)}\r\n`;
    }
    this.#block = Buffer.from(text, 'latin1');
    socket.on('data', (chunk) => this.#receive(chunk));
  }

  static async open(port: number, window: number, subject: string, inbox: string): Promise<AckPublisher> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    socket.write(
      `CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":false}\r\nSUB ${inbox}.* 1\r\nPING\r\n`,
    );
    for (let text = ''; !text.includes('PONG\r\n'); ) text += `${(await once(socket, 'data'))[0]}`;
    return new AckPublisher(socket, window, subject, inbox);
  }

  start(): void {
    this.#fill();
  }

  /** Resolves when all that was published is acknowledged. */
  stop(): Promise<void> {
    this.#stopping = true;
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#published === this.acknowledged) resolve();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #fill(): void {
    const out: Buffer[] = [];
    while (!this.#stopping && this.#published - this.acknowledged + blockMessages <= this.#window)
      out.push(this.#next());
    if (out.length > 0) this.#socket.write(out.length === 1 ? out[0]! : Buffer.concat(out));
    if (this.#stopping && this.#published === this.acknowledged) this.#onIdle();
  }

  #next(): Buffer {
    const block = Buffer.from(this.#block);
    for (const at of this.#digitsAt) {
      let rest = this.#published++;
      for (let i = at + replyDigits - 1; rest > 0; i--, rest = Math.floor(rest / 10))
        block[i] = digitZero + (rest % 10);
    }
    this.#sentAtMs.push(performance.now());
    return block;
  }

  #receive(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#line === null) this.#beginLine(chunk, at);
      const end = chunk.indexOf(10, at);
      if (end < 0) break;
      this.#endLine();
      at = end + 1;
    }
    this.#fill();
  }

  #beginLine(chunk: Buffer, at: number): void {
    if (this.#payloadNext) {
      this.#line = 'payload';
      // {"stream": or {"error":
      if (at + 2 < chunk.length && chunk[at + 2] !== letterS) this.refused++;
    } else this.#line = chunk[at] === letterM ? 'head' : 'ping';
  }

  #endLine(): void {
    this.#payloadNext = this.#line === 'head';
    if (this.#line === 'ping') this.#socket.write('PONG\r\n');
    if (this.#line === 'payload' && ++this.acknowledged % blockMessages === 0)
      this.latenciesUs.push((performance.now() - this.#sentAtMs.shift()!) * 1000);
    this.#line = null;
  }
}
