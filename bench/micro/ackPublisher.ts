import { once } from 'node:events';
import net from 'node:net';
import { type Pace, WindowPublisher } from './windowPublisher.js';

export const payloadBytes = 128;
const payload = 'x'.repeat(payloadBytes);
/** In place of these a line has how many messages the publisher has sent before, and which of so many subjects is next. */
const counter = '{counter}';
const counterDigits = 9;
const rotating = '{rotating}';
const rotatingDigits = 5;
export const rotatingSubjects = 10_000;

const letterM = 'M'.charCodeAt(0);
const letterS = 's'.charCodeAt(0);
const digitZero = '0'.charCodeAt(0);

/** What one publisher sends, and how. */
export interface AckLoad extends Pace {
  readonly subject: string;
  /** Where acknowledgements come; others have another one. */
  readonly inbox: string;
  /** Lines of a headers block. */
  readonly headers?: string;
}

/** Its next message on one of many subjects in turn. */
export function rotatingSubject(prefix: string): string {
  return `${prefix}.${rotating}`;
}

/** A header that is another one in each message. */
export function countingHeader(name: string): string {
  return `${name}: ${counter}\r\n`;
}

/** Where a number stands in a block. */
interface Digits {
  readonly at: number;
  readonly length: number;
  readonly modulus: number;
}

/** Publishes to a stream, with a reply of its own for each message. */
export class AckPublisher extends WindowPublisher {
  readonly #load: AckLoad;
  readonly #block: Buffer;
  /** Numbers of the block, message by message. */
  readonly #digits: Digits[][] = [];
  #line: 'head' | 'payload' | 'ping' = 'ping';
  #payloadNext = false;

  private constructor(socket: net.Socket, load: AckLoad) {
    super(socket, load);
    this.#load = load;
    let text = '';
    for (let i = 0; i < this.blockMessages; i++) text += this.#message(text.length);
    this.#block = Buffer.from(text, 'latin1');
  }

  static async open(port: number, load: AckLoad): Promise<AckPublisher> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    socket.write(
      `CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":false}\r\nSUB ${load.inbox}.* 1\r\nPING\r\n`,
    );
    for (let text = ''; !text.includes('PONG\r\n'); ) text += `${(await once(socket, 'data'))[0]}`;
    return new AckPublisher(socket, load);
  }

  /** The lines of a message that begins at a position of the block, zeros in place of its numbers. */
  #message(position: number): string {
    const { subject, inbox, headers = '' } = this.#load;
    const block = headers === '' ? '' : `NATS/1.0\r\n${headers}\r\n`;
    const blockBytes = block.replace(counter, '0'.repeat(counterDigits)).length;
    const sizes = block === '' ? `${payloadBytes}` : `${blockBytes} ${blockBytes + payloadBytes}`;
    let text = `${block === '' ? 'PUB' : 'HPUB'} ${subject} ${inbox}.${counter} ${sizes}\r\n${block}${payload}\r\n`;
    const digits: Digits[] = [];
    for (;;) {
      const found = /\{(counter|rotating)\}/.exec(text);
      if (found === null) break;
      const isCounter = found[0] === counter;
      const length = isCounter ? counterDigits : rotatingDigits;
      digits.push({ at: position + found.index, length, modulus: isCounter ? 10 ** length : rotatingSubjects });
      text = text.replace(found[0], '0'.repeat(length));
    }
    this.#digits.push(digits);
    return text;
  }

  protected override nextBlock(): Buffer {
    const block = Buffer.from(this.#block);
    for (const digits of this.#digits) {
      for (const { at, length, modulus } of digits) {
        let rest = this.published % modulus;
        for (let i = at + length - 1; rest > 0; i--, rest = Math.floor(rest / 10)) block[i] = digitZero + (rest % 10);
      }
      this.published++;
    }
    return block;
  }

  protected override beginLine(chunk: Buffer, at: number): void {
    if (this.#payloadNext) {
      this.#line = 'payload';
      // {"stream": or {"error":
      if (at + 2 < chunk.length && chunk[at + 2] !== letterS) this.refused++;
    } else this.#line = chunk[at] === letterM ? 'head' : 'ping';
  }

  protected override endLine(): void {
    this.#payloadNext = this.#line === 'head';
    if (this.#line === 'ping') this.socket.write('PONG\r\n');
    if (this.#line === 'payload') this.acknowledge();
  }
}
