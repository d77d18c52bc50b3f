import { streamReadBytes, streamReadMessages } from '../../base/limits.js';
import { StreamError } from '../../base/streamError.js';
import type { MessageSelector } from '../../protocol/streamApi/json.js';
import type { StreamApi } from '../../protocol/streamApi/streamApi.js';
import { throwIfAborted } from '../checks.js';
import { NoRespondersError, RequestFailedError } from '../errors.js';
import { noBytes } from '../headers.js';
import type { Requests } from '../requests.js';
import type { ReadOptions } from './readOptions.js';
import { StoredSource } from './storedSource.js';

/** Reads the messages of one stream in order, some at a time. */
export class StreamReader {
  readonly #name: string;
  readonly #api: StreamApi;
  readonly #requests: Requests;
  readonly #timeoutMs: number | undefined;

  constructor(name: string, api: StreamApi, requests: Requests, timeoutMs: number | undefined) {
    this.#name = name;
    this.#api = api;
    this.#requests = requests;
    this.#timeoutMs = timeoutMs;
  }

  /** The one message that is asked for; null when there is none. */
  async one(which: MessageSelector): Promise<StoredSource | null> {
    try {
      return StoredSource.ofJson(await this.#api.message(this.#name, which));
    } catch (error) {
      if (error instanceof StreamError && error.code === 'MESSAGE_NOT_FOUND') return null;
      throw error;
    }
  }

  /** All that is there from somewhere on, up to what was stored when the last of it was asked for. */
  async *all({ from, subject = '>', signal }: ReadOptions): AsyncGenerator<StoredSource> {
    let next: MessageSelector | null = { next_by_subj: subject, ...startOf(from) };
    if (from === 'last') next = await this.#lastOf(subject);
    let isDirect = (await this.#api.info(this.#name)).config.allow_direct === true;
    while (next !== null) {
      throwIfAborted(signal);
      let found: readonly StoredSource[];
      try {
        found = await (isDirect ? this.#batch(next, signal) : this.#single(next));
      } catch (error) {
        // it may have been changed meanwhile
        if (!isDirect || !(error instanceof NoRespondersError)) throw error;
        isDirect = false;
        continue;
      }
      yield* found;
      const last: StoredSource | undefined = found.at(-1);
      next = last === undefined ? null : { next_by_subj: subject, seq: last.sequence + 1 };
    }
  }

  async #lastOf(subject: string): Promise<MessageSelector | null> {
    const last = await this.one({ last_by_subj: subject });
    return last === null ? null : { next_by_subj: subject, seq: last.sequence };
  }

  async #single(which: MessageSelector): Promise<readonly StoredSource[]> {
    const found = await this.one(which);
    return found === null ? [] : [found];
  }

  #batch(which: MessageSelector, signal: AbortSignal | undefined): Promise<readonly StoredSource[]> {
    const asked = { ...which, batch: streamReadMessages, max_bytes: streamReadBytes };
    const question = {
      subject: `$JS.API.DIRECT.GET.${this.#name}`,
      headers: noBytes,
      payload: Buffer.from(JSON.stringify(asked)),
      timeoutMs: this.#timeoutMs,
      signal,
    };
    const found: StoredSource[] = [];
    return this.#requests.ask(question, (delivered, resolve, reject) => {
      const { status } = delivered;
      if (status === 0) found.push(StoredSource.ofDirect(delivered));
      else if (status === 204 || status === 404) resolve(found);
      else reject(new RequestFailedError(question.subject, `${status} ${delivered.headerBlock.description}`));
    });
  }
}

function startOf(from: ReadOptions['from']): MessageSelector {
  if (from === undefined || from === 'last') return { seq: 1 };
  return typeof from === 'number' ? { seq: from } : { start_time: from.toISOString() };
}
