import { answerBytesKept } from '../../base/limits.js';
import { apiErrors } from '../../stream/api/apiError.js';
import {
  DirectBudget,
  type DirectGet,
  type DirectProgress,
  DirectStatus,
  directBatch,
  directLasts,
  directMessage,
  directOne,
  endOfBatch,
  readDirectGet,
  withoutHeaders,
} from '../../stream/api/directGet.js';
import type { Steps, Stream } from '../../stream/stream.js';
import type { ApiRequest } from './apiRequest.js';
import type { ApiService } from './apiService.js';
import type { StreamSite } from './streamEndpoints.js';

/** Behind `DIRECT.GET` and the stream. */
const subjectToken = 3;

/** Answers direct gets: messages as they are stored, not as JSON. */
export class DirectGets {
  readonly #site: StreamSite;
  readonly #api: ApiService;

  constructor(site: StreamSite, api: ApiService) {
    this.#site = site;
    this.#api = api;
  }

  open(): void {
    const handle = (request: ApiRequest): void => void this.#answer(request);
    this.#api.openRaw('DIRECT.GET.*', 2, handle);
    this.#api.openRaw('DIRECT.GET.*.>', 2, handle);
    // there are no consumers
    this.#api.openRaw('CONSUMER.MSG.NEXT.*.*', 3, (request) => this.#api.sayNobody(request));
  }

  async #answer(request: ApiRequest): Promise<void> {
    try {
      const stream = await this.#site.streams.get(request.name);
      if (!stream.config.allow_direct) throw apiErrors.streamNotFound;
      if (request.requiresLevel) throw new DirectStatus('412 Required Api Level');
      const get = readDirectGet(request.body, request.tokens.slice(subjectToken).join('.'));
      await this.#serve(stream, request, get);
    } catch (error) {
      if (error === apiErrors.streamNotFound) this.#api.sayNobody(request);
      else if (error instanceof DirectStatus) this.#say(request, error);
      else throw error;
    }
  }

  #say(request: ApiRequest, { block }: DirectStatus): void {
    this.#api.say(request, block, block.length);
  }

  async #serve(stream: Stream, request: ApiRequest, get: DirectGet): Promise<void> {
    if (get.kind === 'one') {
      const sequence = await this.#site.slices.run(directOne(stream, get.fields));
      if (!(await this.#show(stream, request, sequence, withoutHeaders(get), null, null)))
        throw new DirectStatus('404 Message Not Found');
    } else if (get.kind === 'batch') await this.#serveBatch(stream, request, get);
    else await this.#serveLasts(stream, request, get);
  }

  async #serveBatch(stream: Stream, request: ApiRequest, get: DirectGet & { kind: 'batch' }): Promise<void> {
    const range = await this.#site.slices.run(directBatch(stream, get.fields, get.filter));
    const budget = new DirectBudget(get.fields);
    const noHeaders = withoutHeaders(get);
    let progress: DirectProgress = { pending: range.pending, last: 0 };
    for (let sequence = range.sequence; sequence !== 0 && !budget.spent; ) {
      const shown = { pending: progress.pending - 1, last: progress.last };
      if (await this.#show(stream, request, sequence, noHeaders, shown, budget))
        progress = { pending: noHeaders ? range.pending : shown.pending, last: sequence };
      sequence = await this.#site.slices.run(this.#next(stream, get, sequence));
    }
    this.#say(request, endOfBatch(progress, null));
  }

  *#next(stream: Stream, { filter }: DirectGet & { kind: 'batch' }, sequence: number): Steps<number> {
    yield* this.#untilSaid();
    return yield* stream.nextOf(filter, sequence + 1);
  }

  async #serveLasts(stream: Stream, request: ApiRequest, get: DirectGet & { kind: 'multi' }): Promise<void> {
    const { sequences, upTo } = await this.#site.slices.run(directLasts(stream, get.fields, get.filters));
    const budget = new DirectBudget(get.fields);
    let progress: DirectProgress = { pending: sequences.length, last: 0 };
    for (const sequence of sequences) {
      if (budget.spent) break;
      progress = { pending: progress.pending - 1, last: progress.last };
      if (await this.#show(stream, request, sequence, false, progress, budget))
        progress = { pending: progress.pending, last: sequence };
      await this.#site.slices.run(this.#untilSaid());
    }
    this.#say(request, endOfBatch(progress, upTo));
  }

  /** Lets what waits to be said be said: a large answer is not all there at once. */
  *#untilSaid(): Steps {
    while (this.#api.waitingBytes > answerBytesKept) yield;
  }

  /** Shows a message; resolves with whether it was there. */
  async #show(
    stream: Stream,
    request: ApiRequest,
    sequence: number,
    noHeaders: boolean,
    progress: DirectProgress | null,
    budget: DirectBudget | null,
  ): Promise<boolean> {
    const shown = await stream.read(sequence, (record) => {
      budget?.take(record);
      return directMessage(record, stream, noHeaders, progress);
    });
    if (shown === null) return false;
    this.#api.say(request, shown.bytes, shown.headerBytes);
    return true;
  }
}
