import { connect, type Socket } from 'node:net';
import { formatDurationMs } from '../options/units.js';
import { CliError } from './exit.js';

/** A message as the JSON lines of a broker show it. */
export interface LineDelivery {
  readonly topic: string;
  readonly payload: string;
  readonly encoding?: 'base64';
  readonly reply?: string;
  readonly key?: string;
  readonly traceparent?: string;
  readonly correlationId?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly delivery?: number;
}

interface Answer extends Partial<LineDelivery> {
  readonly id?: number;
  readonly error?: string;
}

/** A connection to the port for JSON lines, where deliveries can be acknowledged: NATS has no word for that. */
export class LinesConnection {
  /** Resolves when it has ended, with what went wrong if anything did. */
  readonly closed: Promise<Error | null>;
  readonly #socket: Socket;
  readonly #onDelivery: (delivery: LineDelivery) => void;
  readonly #asked = new Map<number, (error: CliError | null) => void>();
  #ids = 0;
  #rest = '';

  private constructor(socket: Socket, onDelivery: (delivery: LineDelivery) => void) {
    this.#socket = socket;
    this.#onDelivery = onDelivery;
    let failure: Error | null = null;
    this.closed = new Promise((resolve) => {
      socket.on('error', (error) => {
        failure = error;
      });
      socket.on('close', () => resolve(failure));
    });
    this.closed.then((error) => this.#abandon(error));
    socket.setEncoding('utf8').on('data', (text: string) => this.#onText(text));
  }

  /** @throws CliError */
  static async open(
    host: string,
    port: number,
    timeoutMs: number,
    onDelivery: (delivery: LineDelivery) => void,
  ): Promise<LinesConnection> {
    const socket = connect({ host, port, noDelay: true });
    const late = setTimeout(
      () => socket.destroy(new Error(`no answer within ${formatDurationMs(timeoutMs)}`)),
      timeoutMs,
    );
    const connection = new LinesConnection(socket, onDelivery);
    const failure = await Promise.race([
      connection.closed,
      new Promise<null>((resolve) => socket.once('connect', () => resolve(null))),
    ]);
    clearTimeout(late);
    if (failure === null) return connection;
    throw new CliError(`cannot connect to ${host}:${port}: ${failure.message}`, 1, { cause: failure });
  }

  send(command: object): void {
    this.#socket.write(`${JSON.stringify(command)}\n`);
  }

  /** @throws CliError with what the broker says, or that it is gone */
  ask(command: object): Promise<void> {
    const id = ++this.#ids;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, (error) => (error === null ? resolve() : reject(error)));
      this.send({ ...command, id });
    });
  }

  /** Says no more; resolves when the broker has taken all that was said. */
  async end(): Promise<void> {
    this.#socket.end();
    await this.closed;
  }

  #onText(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#onLine(JSON.parse(line) as Answer);
  }

  #onLine(answer: Answer): void {
    if (answer.topic !== undefined && answer.payload !== undefined) {
      this.#onDelivery(answer as LineDelivery);
      return;
    }
    const error = answer.error === undefined ? null : new CliError(answer.error);
    const asked = answer.id === undefined ? undefined : this.#asked.get(answer.id);
    if (asked !== undefined) {
      this.#asked.delete(answer.id!);
      asked(error);
    } else if (error !== null) {
      process.stderr.write(`shardcast: ${error.message}\n`);
    }
  }

  #abandon(error: Error | null): void {
    const gone = new CliError(`the broker closed the connection${error === null ? '' : `: ${error.message}`}`);
    for (const asked of this.#asked.values()) asked(gone);
    this.#asked.clear();
  }
}
