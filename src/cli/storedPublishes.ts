import { createInbox, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { StreamError } from '../base/streamError.js';
import { formatDurationMs } from '../options/units.js';
import { readAnswer, StreamApi } from '../protocol/streamApi/streamApi.js';
import { CliError } from './exit.js';

/** How long acknowledgements may keep away altogether, in milliseconds. */
const silenceMsMax = 30_000;

/**
 * Publishes to a stream. A PONG says that a server has read what it was sent, not that it is stored: an acknowledgement does. Others who take
 * the subject may answer, too; what is no acknowledgement of the stream is none.
 */
export class StoredPublishes {
  readonly #connection: NatsConnection;
  readonly #subject: string;
  readonly #stream: string;
  readonly #inbox = createInbox();
  /** By the last token of their replies. */
  readonly #waiting = new Set<string>();
  #published = 0;
  #failure: CliError | null = null;
  #lastMs = 0;
  #onChange: () => void = () => {};

  private constructor(connection: NatsConnection, subject: string, stream: string) {
    this.#connection = connection;
    this.#subject = subject;
    this.#stream = stream;
    connection.subscribe(`${this.#inbox}.*`, { callback: (_, message) => this.#onAnswer(message) });
  }

  /** Finds the stream that takes a subject; null where there is none, or none that acknowledges. */
  static async find(connection: NatsConnection, subject: string, timeoutMs: number): Promise<StoredPublishes | null> {
    // a server without streams does not say that it has them
    if ((connection.info as { jetstream?: boolean } | undefined)?.jetstream !== true) return null;
    const api = new StreamApi(async (endpoint, body) =>
      (await connection.request(endpoint, body, { timeout: timeoutMs })).string(),
    );
    try {
      for await (const { config } of api.list(subject))
        return config.no_ack === true ? null : new StoredPublishes(connection, subject, config.name);
    } catch {
      // who may not ask, or is not answered, has what a server without streams gives
    }
    return null;
  }

  publish(payload: Uint8Array, headers: MsgHdrs | undefined): void {
    const token = `${++this.#published}`;
    this.#waiting.add(token);
    this.#connection.publish(this.#subject, payload, {
      reply: `${this.#inbox}.${token}`,
      ...(headers ? { headers } : {}),
    });
  }

  /**
   * Waits until all that was published is stored.
   *
   * @throws CliError when the stream has refused something, or says nothing any more
   */
  async stored(): Promise<void> {
    this.#lastMs = performance.now();
    while (this.#waiting.size > 0 && this.#failure === null) await this.#change();
    if (this.#failure !== null) throw this.#failure;
  }

  async #change(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#onChange = resolve;
      timer = setTimeout(resolve, this.#lastMs + silenceMsMax - performance.now());
    });
    clearTimeout(timer);
    if (performance.now() - this.#lastMs >= silenceMsMax)
      this.#failure ??= new CliError(
        `stream ${this.#stream} acknowledged nothing within ${formatDurationMs(silenceMsMax)}`,
      );
  }

  #onAnswer(message: Msg): void {
    const token = message.subject.slice(this.#inbox.length + 1);
    if (!this.#waiting.has(token) || !this.#isAcknowledged(message)) return;
    this.#waiting.delete(token);
    this.#lastMs = performance.now();
    this.#onChange();
  }

  /** Whether it is the stream's answer; that may be a refusal. */
  #isAcknowledged(message: Msg): boolean {
    try {
      return readAnswer<{ stream?: string }>(message.string()).stream === this.#stream;
    } catch (error) {
      if (!(error instanceof StreamError)) return false;
      const text = `stream ${this.#stream}: ${error.message} (${error.errorNumber})`;
      this.#failure ??= new CliError(text, 1, { cause: error });
      return true;
    }
  }
}
