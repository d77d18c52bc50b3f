import { byteText, latin1Bytes, readableText } from '../../base/bytes.js';
import { answerSmallBytes } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import { placeOf, Span } from '../../base/span.js';
import { noRespondersMessage } from '../../protocol/encoder.js';
import { readHeaderBlock } from '../../protocol/headerBlock.js';
import { type Endpoint, inDomain, noName, outOfDomain } from '../../router/services.js';
import type { Topic } from '../../router/topic.js';
import { ApiError, apiErrors } from '../../stream/api/apiError.js';
import { type JsonObject, writeJson } from '../../stream/api/json.js';
import type { ServerFacts } from '../../stream/api/streamInfo.js';
import type { StreamPlace } from '../../stream/extensions.js';
import type { Steps } from '../../stream/steps.js';
import type { Stream } from '../../stream/stream.js';
import { bodyStart, requestSubject } from '../requestParts.js';
import type { Service, ShardServices } from '../services.js';
import type { AnswerQueues } from './answerQueues.js';
import type { ApiAudits } from './apiAudits.js';
import type { Answerer, ApiRequest, JsonEndpoint, JsonHandler } from './apiRequest.js';
import type { Slices } from './slices.js';

const prefix = '$JS.API.';
const prefixTokens = 2;
const typePrefix = 'io.nats.jetstream.api.v1.';
const levelHeader = 'Nats-Required-Api-Level';

/** The streams of a shard, which have answered so many requests, and so many of them with an error. */
export interface ApiStreams {
  answered: number;
  failed: number;
  /** The stream of that name, whatever is done with it; null when there is none. */
  peek(name: string): Stream | null;
}

/** What a service does that does not answer with JSON; resolves when it has. */
export type RawHandler = (request: ApiRequest) => Promise<void>;

/** What the API of a shard works with. */
export interface ApiSite {
  readonly services: Pick<ShardServices, 'open'>;
  readonly answers: AnswerQueues;
  readonly server: ServerFacts;
  readonly streams: ApiStreams;
  readonly slices: Slices;
  readonly requestTurn: () => void;
  readonly audits: Pick<ApiAudits, 'tell'>;
  /** What requests that are not answered yet may take, and answers that are not said yet, in bytes each. */
  readonly requestBytesMax: number;
}

/** Answers requests to the API on one shard. */
export class ApiService {
  readonly #site: ApiSite;
  /** What requests take that are not answered yet, in bytes. */
  #requestBytes = 0;

  constructor(site: ApiSite) {
    this.#site = site;
  }

  open(endpoint: JsonEndpoint): void {
    const { pattern, answerer, handle, anyLevel = false } = endpoint;
    const begun: JsonHandler = async (request) => {
      if (!anyLevel) checkLevel(request);
      return await this.#site.slices.run(begin(request, handle));
    };
    const answerBy =
      (handler: JsonHandler): RawHandler =>
      (request) =>
        this.#answer(request, endpoint, handler);
    this.openRaw(pattern, answerer, answerBy(begun), answerBy(refuse));
  }

  /** @param whenFull what is done instead while too many requests wait for their answers */
  openRaw(pattern: string, answerer: Answerer, handle: RawHandler, whenFull: RawHandler): void {
    const nameToken = answerer === 'owner' ? pattern.split('.').indexOf('*') : noName;
    const endpoint: Endpoint = {
      pattern: `${prefix}${pattern}`,
      nameToken: nameToken === noName ? noName : nameToken + prefixTokens,
    };
    const { domain } = this.#site.server;
    const serve = (isInDomain: boolean): Service => ({
      onRequests: (topic, requests) => {
        for (let i = 0; i < requests.count; i++)
          this.#serve(this.#requestOf(topic, requests, i, isInDomain, nameToken), handle, whenFull);
      },
    });
    this.#site.services.open(endpoint, serve(false));
    if (domain !== '') this.#site.services.open(inDomain(endpoint, domain), serve(true));
  }

  #serve(request: ApiRequest, handle: RawHandler, whenFull: RawHandler): void {
    if (this.#requestBytes > this.#site.requestBytesMax) {
      void whenFull(request);
      return;
    }
    const bytes = request.body.length + request.caller.length + requestBytesEach;
    this.#requestBytes += bytes;
    void handle(request).finally(() => {
      this.#requestBytes -= bytes;
    });
  }

  /** Resolves when most of what is to be said of a place's streams was said; null when it was. */
  untilSaid(place: StreamPlace): Promise<void> | null {
    return this.#site.answers.untilSaid(place);
  }

  /** Says a message on the reply of a request, once what it tells of a stream lasts; one without a reply is not answered. */
  say({ reply, name }: ApiRequest, message: Uint8Array, headerBytes = 0): void {
    if (reply.length === 0) return;
    const stream = this.#site.streams.peek(name);
    this.#site.answers.add(placeOf(reply), new Span(message), 0, message.length, headerBytes, stream);
    this.#site.requestTurn();
  }

  /** Answers as if nobody listened. */
  sayNobody(request: ApiRequest, subject = `${prefix}${request.tokens.join('.')}`): void {
    const { bytes } = noRespondersMessage(subject);
    this.say(request, bytes.subarray(0, bytes.length - 2), bytes.length - 2);
  }

  #requestOf(topic: Topic, requests: MessageView, index: number, isInDomain: boolean, nameToken: number): ApiRequest {
    const { bytes, starts, ends } = requests;
    const asked = requestSubject(topic, requests, index);
    const subject = isInDomain ? outOfDomain(asked) : asked;
    const tokens = subject.slice(prefix.length).split('.');
    const payloadStart = requests.payloadStart(index);
    const { caller } = requests;
    const level = requests.headerBytes(index) === 0 ? '' : levelOf(bytes, starts[index], payloadStart);
    return {
      tokens,
      name: nameToken === noName ? '' : readableText(tokens[nameToken] as string),
      body: Buffer.from(bytes.subarray(bodyStart(topic, requests, index), ends[index])).toString(),
      reply: requests.withReplies
        ? bytes.slice(requests.replyStarts[index], requests.replyEnds[index])
        : new Uint8Array(0),
      requiresLevel: level !== '' && !(/^[+-]?\d+$/.test(level) && Number(level) <= this.#site.server.level),
      caller: caller === null ? '' : Buffer.from(caller).toString(),
    };
  }

  async #answer(request: ApiRequest, endpoint: JsonEndpoint, handle: JsonHandler): Promise<void> {
    const { type, whenFailed = {}, audits = 'all' } = endpoint;
    const fields = await this.#fieldsOf(request, whenFailed, handle);
    // what is said of very much is written in a slice of its own
    const written = 'error' in fields ? writeAnswer(type, fields) : await this.#site.slices.run(writing(type, fields));
    const answer = this.#bounded(written, type, whenFailed);
    this.#site.streams.answered++;
    if ('error' in fields) this.#site.streams.failed++;
    this.say(request, answer);
    if (request.caller === '') return;
    if (audits === 'all' || (audits === 'failures' && 'error' in fields)) this.#audit(request, answer);
  }

  /** Tells whoever listens what was asked and answered; not while too much waits to be said. */
  #audit(request: ApiRequest, answer: Uint8Array): void {
    const { answers, audits, streams, requestBytesMax, requestTurn } = this.#site;
    if (answers.bytes + answer.length + request.body.length > requestBytesMax) return;
    audits.tell(request, answer, streams.peek(request.name));
    requestTurn();
  }

  /** An answer, or if it is long and too much waits to be said already, one that refuses. */
  #bounded(answer: Uint8Array, type: string, whenFailed: JsonObject): Uint8Array {
    if (answer.length <= answerSmallBytes || this.#site.answers.bytes + answer.length <= this.#site.requestBytesMax)
      return answer;
    return writeAnswer(type, failed(apiErrors.insufficientResources, whenFailed));
  }

  async #fieldsOf(request: ApiRequest, whenFailed: JsonObject, handle: JsonHandler): Promise<JsonObject> {
    try {
      return await handle(request);
    } catch (error) {
      if (error instanceof ApiError) return failed(error, whenFailed);
      // our own mistake: it ends the thread
      queueMicrotask(() => {
        throw error;
      });
      throw error;
    }
  }
}

/** What a request takes beside its body, about, in bytes. */
const requestBytesEach = 1_024;

/** A request is a step of a turn's slice, however many come at once. */
// biome-ignore lint/correctness/useYield: a walk of one step
function* begin(request: ApiRequest, handle: JsonHandler): Steps<JsonObject | Promise<JsonObject>> {
  return handle(request);
}

function writeAnswer(type: string, fields: JsonObject): Uint8Array {
  return latin1Bytes(byteText(writeJson({ type: `${typePrefix}${type}_response`, ...fields })));
}

// biome-ignore lint/correctness/useYield: a walk of one step
function* writing(type: string, fields: JsonObject): Steps<Uint8Array> {
  return writeAnswer(type, fields);
}

function failed(error: ApiError, whenFailed: JsonObject): JsonObject {
  return { error: error.toJson(), ...whenFailed };
}

/** @throws ApiError for a request that requires more than this server has */
export function checkLevel({ requiresLevel }: ApiRequest): void {
  if (requiresLevel) throw apiErrors.apiLevel;
}

function refuse(): never {
  throw apiErrors.insufficientResources;
}

function levelOf(bytes: Uint8Array, start: number, end: number): string {
  return readHeaderBlock(bytes, start, end).values.get(levelHeader)?.[0] ?? '';
}
