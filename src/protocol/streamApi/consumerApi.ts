import type { ConsumerConfigJson, ConsumerInfoJson } from './consumerJson.js';
import { type AskStreams, apiPrefix, readAnswer } from './streamApi.js';

interface Page {
  readonly total: number;
  readonly consumers: readonly ConsumerInfoJson[];
}

/** Whether a consumer is paused, and until when. */
export interface PausedJson {
  readonly paused: boolean;
  readonly pause_until?: string;
}

/** JetStream's API of a stream's consumers as a client speaks it, over whatever carries requests. All reject with StreamError, or as `ask` does. */
export class ConsumerApi {
  readonly #ask: AskStreams;
  readonly #prefix: string;
  readonly #stream: string;

  /** @param domain of the server that is asked; '' for the one that is connected to */
  constructor(ask: AskStreams, stream: string, domain = '') {
    this.#ask = ask;
    this.#prefix = `${apiPrefix(domain)}.CONSUMER`;
    this.#stream = stream;
  }

  /** Makes a consumer, or finds it as it should be. */
  create(config: ConsumerConfigJson & { readonly name: string }): Promise<ConsumerInfoJson> {
    const body = { stream_name: this.#stream, config, action: 'create' };
    return this.#request(`CREATE.${this.#stream}.${config.name}`, body);
  }

  info(name: string): Promise<ConsumerInfoJson> {
    return this.#request(`INFO.${this.#stream}.${name}`);
  }

  /** All consumers in the order of their names. */
  async *list(): AsyncGenerator<ConsumerInfoJson> {
    for (let offset = 0; ; ) {
      const { consumers, total } = await this.#request<Page>(`LIST.${this.#stream}`, { offset });
      yield* consumers;
      offset += consumers.length;
      if (consumers.length === 0 || offset >= total) return;
    }
  }

  async delete(name: string): Promise<void> {
    await this.#request(`DELETE.${this.#stream}.${name}`);
  }

  /** @param until RFC 3339; left out, the consumer resumes */
  pause(name: string, until?: string): Promise<PausedJson> {
    return this.#request(`PAUSE.${this.#stream}.${name}`, until === undefined ? {} : { pause_until: until });
  }

  /** Where messages are asked for. */
  nextSubject(name: string): string {
    return `${this.#prefix}.MSG.NEXT.${this.#stream}.${name}`;
  }

  async #request<T>(endpoint: string, body?: object): Promise<T> {
    return readAnswer(await this.#ask(`${this.#prefix}.${endpoint}`, body === undefined ? '' : JSON.stringify(body)));
  }
}
