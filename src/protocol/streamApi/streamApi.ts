import { StreamError } from '../../base/streamError.js';
import type { MessageSelector, PurgeSelector, StoredMessageJson, StreamConfigJson, StreamInfoJson } from './json.js';

/** Carries a request to the API and brings the payload of what is answered. */
export type AskStreams = (subject: string, body: string) => Promise<string>;

interface Page {
  readonly total: number;
  readonly streams: readonly StreamInfoJson[];
}

/** JetStream's API of streams as a client speaks it, over whatever carries requests. All reject with StreamError, or as `ask` does. */
export class StreamApi {
  readonly #ask: AskStreams;
  readonly #prefix: string;

  /** @param domain of the server that is asked; '' for the one that is connected to */
  constructor(ask: AskStreams, domain = '') {
    this.#ask = ask;
    this.#prefix = apiPrefix(domain);
  }

  create(config: StreamConfigJson): Promise<StreamInfoJson> {
    return this.#request(`STREAM.CREATE.${config.name}`, config);
  }

  /** @param config all of it: what is left out goes back to what it is by itself */
  update(config: StreamConfigJson): Promise<StreamInfoJson> {
    return this.#request(`STREAM.UPDATE.${config.name}`, config);
  }

  info(name: string): Promise<StreamInfoJson> {
    return this.#request(`STREAM.INFO.${name}`);
  }

  /** All streams in the order of their names, or those that take some subject of a pattern. */
  async *list(subject?: string): AsyncGenerator<StreamInfoJson> {
    for (let offset = 0; ; ) {
      const { streams, total } = await this.#request<Page>('STREAM.LIST', { offset, ...(subject ? { subject } : {}) });
      yield* streams;
      offset += streams.length;
      if (streams.length === 0 || offset >= total) return;
    }
  }

  /** Returns how many messages are gone. */
  async purge(name: string, which: PurgeSelector = {}): Promise<number> {
    return (await this.#request<{ purged: number }>(`STREAM.PURGE.${name}`, which)).purged;
  }

  async delete(name: string): Promise<void> {
    await this.#request(`STREAM.DELETE.${name}`);
  }

  async message(name: string, which: MessageSelector): Promise<StoredMessageJson> {
    return (await this.#request<{ message: StoredMessageJson }>(`STREAM.MSG.GET.${name}`, which)).message;
  }

  async deleteMessage(name: string, seq: number): Promise<void> {
    await this.#request(`STREAM.MSG.DELETE.${name}`, { seq });
  }

  async #request<T>(endpoint: string, body?: object): Promise<T> {
    return readAnswer(await this.#ask(`${this.#prefix}.${endpoint}`, body === undefined ? '' : JSON.stringify(body)));
  }
}

/** What subjects of the API begin with. */
export function apiPrefix(domain: string): string {
  return domain === '' ? '$JS.API' : `$JS.${domain}.API`;
}

/**
 * Reads an answer of the API, or the acknowledgement of a publish.
 *
 * @throws StreamError when it says that something was refused
 */
export function readAnswer<T>(text: string): T {
  const answer = JSON.parse(text) as T & { error?: { code: number; err_code?: number; description?: string } };
  if (answer.error === undefined) return answer;
  const { code, err_code = 0, description = 'refused' } = answer.error;
  throw new StreamError(code, err_code, description);
}

/** Whether a text may be the name of a stream or of a consumer: it becomes a token of subjects. */
export function isStreamName(name: string): boolean {
  return /^[^\s.*>\\/\0]{1,255}$/.test(name);
}
