import { once } from 'node:events';
import net from 'node:net';
import { type Pace, WindowPublisher } from './windowPublisher.js';

export const payloadBytes = 128;
/** In place of these a line has how many messages the publisher has sent before, which of so many subjects is next, and one of very many out of order. */
const counter = '{counter}';
const rotating = '{rotating}';
const scattered = '{scattered}';
export const rotatingSubjects = 10_000;
/** Each comes once in so many messages, far from the one before: prime to the factor. */
const scatteredSubjects = 1_000_000;
const scatterFactor = 611_953;

/** What stands in place of each: so many digits of a multiple of the count. */
const numbers = {
  [counter]: { length: 9, modulus: 10 ** 9, factor: 1 },
  [rotating]: { length: 5, modulus: rotatingSubjects, factor: 1 },
  [scattered]: { length: 6, modulus: scatteredSubjects, factor: scatterFactor },
} as const;

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
  /** How long the payloads of a block are, in turn; else all are `payloadBytes`. */
  readonly payloads?: readonly number[];
}

/** Its next message on one of many subjects in turn. */
export function rotatingSubject(prefix: string): string {
  return `${prefix}.${rotating}`;
}

/** Its next message on one of very many subjects, none near the one before. */
export function scatteredSubject(prefix: string): string {
  return `${prefix}.${scattered}`;
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
  readonly factor: number;
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
    for (let i = 0; i < this.blockMessages; i++) text += this.#message(text.length, i);
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
  #message(position: number, index: number): string {
    const { subject, inbox, headers = '', payloads = [payloadBytes] } = this.#load;
    const payload = 'x'.repeat(payloads[index % payloads.length]!);
    const block = headers === '' ? '' : `NATS/1.0\r\n${headers}\r\n`;
    const blockBytes = block.replace(counter, '0'.repeat(numbers[counter].length)).length;
    const sizes = block === '' ? `${payload.length}` : `${blockBytes} ${blockBytes + payload.length}`;
    let text = `${block === '' ? 'PUB' : 'HPUB'} ${subject} ${inbox}.${counter} ${sizes}\r\n${block}${payload}\r\n`;
    const digits: Digits[] = [];
    for (;;) {
      const found = /\{(counter|rotating|scattered)\}/.exec(text);
      if (found === null) break;
      const number = numbers[found[0] as keyof typeof numbers];
      digits.push({ at: position + found.index, ...number });
      text = text.replace(found[0], '0'.repeat(number.length));
    }
    this.#digits.push(digits);
    return text;
  }

  protected override nextBlock(): Buffer {
    const block = Buffer.from(this.#block);
    for (const digits of this.#digits) {
      for (const { at, length, modulus, factor } of digits) {
        let rest = ((this.published % modulus) * factor) % modulus;
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
