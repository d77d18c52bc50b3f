import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Line, LineReader, wordsOf } from './lineReader.js';

const connectLine = 'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"lang":"raw"}\r\n';

/** A connection that speaks for itself: what it is sent goes to whoever reads. */
export class Peer {
  readonly socket: Socket;

  private constructor(socket: Socket, onLine: (line: Line) => void) {
    this.socket = socket;
    const reader = new LineReader((line) => {
      const isPing = line.payloadBytes < 0 && line.bytes[line.start + 1] === 73;
      if (isPing && line.bytes[line.start] === 80) socket.write('PONG\r\n');
      else if (line.payloadBytes >= 0) onLine(line);
    });
    socket.on('data', (chunk) => reader.push(chunk));
    // whoever ends it says so
    socket.on('error', () => {});
  }

  static async open(port: number, onLine: (line: Line) => void): Promise<Peer> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const peer = new Peer(socket, onLine);
    socket.write(connectLine);
    return peer;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Asks a server's API. @throws when it refuses */
export class Api {
  readonly #peer: Peer;
  readonly #answers: ((text: string) => void)[];

  private constructor(peer: Peer, answers: ((text: string) => void)[]) {
    this.#peer = peer;
    this.#answers = answers;
  }

  static async open(port: number): Promise<Api> {
    const answers: ((text: string) => void)[] = [];
    const peer = await Peer.open(port, (line) => answers.shift()?.(textOf(line)));
    peer.socket.write('SUB api.answer 1\r\n');
    return new Api(peer, answers);
  }

  /** One request behind the other. */
  async ask(subject: string, body: unknown = null): Promise<Record<string, unknown>> {
    const text = body === null ? '' : JSON.stringify(body);
    const answer = new Promise<string>((resolve) => this.#answers.push(resolve));
    this.#peer.socket.write(`PUB $JS.API.${subject} api.answer ${text.length}\r\n${text}\r\n`);
    const fields = JSON.parse(await answer) as Record<string, unknown>;
    if (fields.error !== undefined) throw new Error(`${subject}: ${JSON.stringify(fields.error)}`);
    return fields;
  }

  close(): void {
    this.#peer.close();
  }
}

function textOf(line: Line): string {
  const start = line.end + 2;
  const [operation, , , , headerBytes] = wordsOf(line);
  const skipped = operation === 'HMSG' ? Number(headerBytes) : 0;
  return line.bytes.toString('utf8', start + skipped, start + line.payloadBytes);
}
