import { ApiError, apiErrors } from '../../stream/api/apiError.js';
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
import { numberOf } from '../../stream/api/requests.js';
import type { Steps } from '../../stream/steps.js';
import type { Stream } from '../../stream/stream.js';
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
    const handle = (request: ApiRequest): Promise<void> => this.#answer(request);
    const sayNobody = async (request: ApiRequest): Promise<void> => this.#api.sayNobody(request);
    this.#api.openRaw('DIRECT.GET.*', 'owner', handle, sayNobody);
    this.#api.openRaw('DIRECT.GET.*.>', 'owner', handle, sayNobody);
  }

  async #answer(request: ApiRequest): Promise<void> {
    try {
      const stream = await this.#site.streams.get(request.name);
      if (!stream.config.allow_direct) throw apiErrors.streamNotFound;
      await this.#site.slices.run(this.#serve(stream, request));
    } catch (error) {
      if (error === apiErrors.streamNotFound) this.#api.sayNobody(request);
      else if (error instanceof DirectStatus) this.#say(request, error);
      // the storage cannot show a message
      else if (error instanceof ApiError) this.#say(request, new DirectStatus(`${error.code} ${error.message}`));
      else throw error;
    }
  }

  #say(request: ApiRequest, { block }: DirectStatus): void {
    this.#api.say(request, block, block.length);
  }

  *#serve(stream: Stream, request: ApiRequest): Steps {
    if (request.requiresLevel) throw new DirectStatus('412 Required Api Level');
    const get = readDirectGet(request.body, request.tokens.slice(subjectToken).join('.'));
    if (get.kind === 'one') {
      const sequence = yield* directOne(stream, get.fields);
      if (!(yield* this.#show(stream, request, sequence, withoutHeaders(get), null, null)))
        throw new DirectStatus('404 Message Not Found');
    } else if (get.kind === 'batch') yield* this.#serveBatch(stream, request, get);
    else yield* this.#serveLasts(stream, request, get);
  }

  *#serveBatch(stream: Stream, request: ApiRequest, get: DirectGet & { kind: 'batch' }): Steps {
    const range = yield* directBatch(stream, get.fields, get.filter);
    const budget = new DirectBudget(numberOf(get.fields, 'batch'), get.fields);
    const noHeaders = withoutHeaders(get);
    let progress: DirectProgress = { pending: range.pending, last: 0 };
    for (let sequence = range.sequence; sequence !== 0 && !budget.spent; ) {
      const shown = { pending: progress.pending - 1, last: progress.last };
      if (yield* this.#show(stream, request, sequence, noHeaders, shown, budget))
        progress = { pending: noHeaders ? range.pending : shown.pending, last: sequence };
      yield* this.#untilSaid(stream);
      sequence = yield* stream.search.nextOf(get.filter, sequence + 1);
    }
    this.#say(request, endOfBatch(progress, null));
  }

  *#serveLasts(stream: Stream, request: ApiRequest, get: DirectGet & { kind: 'multi' }): Steps {
    const { sequences, upTo } = yield* directLasts(stream, get.fields, get.filters);
    const messages = numberOf(get.fields, 'batch');
    const budget = new DirectBudget(messages > 0 ? messages : sequences.length, get.fields);
    let progress: DirectProgress = { pending: sequences.length, last: 0 };
    for (const sequence of sequences) {
      if (budget.spent) break;
      progress = { pending: progress.pending - 1, last: progress.last };
      if (yield* this.#show(stream, request, sequence, false, progress, budget))
        progress = { pending: progress.pending, last: sequence };
      yield* this.#untilSaid(stream);
    }
    this.#say(request, endOfBatch(progress, upTo));
  }

  /** Lets what waits to be said be said: a large answer is not all there at once. */
  *#untilSaid({ place }: Stream): Steps {
    yield;
    const said = this.#api.untilSaid(place);
    if (said !== null) yield said;
  }

  /** Shows a message; returns whether it was there. */
  *#show(
    stream: Stream,
    request: ApiRequest,
    sequence: number,
    noHeaders: boolean,
    progress: DirectProgress | null,
    budget: DirectBudget | null,
  ): Steps<boolean> {
    const shown = yield* stream.read(sequence, (record) => {
      budget?.take(record);
      return directMessage(record, stream, noHeaders, progress);
    });
    if (shown === null) return false;
    this.#api.say(request, shown.bytes, shown.headerBytes);
    return true;
  }
}
