import { inOneLine } from '../../base/inOneLine.js';
import { readAnswer, StreamApi } from '../../protocol/streamApi/streamApi.js';
import { checkNames, type Names } from '../checks.js';
import { codecs } from '../codecs.js';
import { ArgumentError, DecodeError, StreamError } from '../errors.js';
import { encodeHeaders } from '../headers.js';
import type { Requests } from '../requests.js';
import { TopicValues } from '../schema.js';
import { internalSubject, literalSubject } from '../subjects.js';
import { fieldsOf, type StreamPublishOptions } from './publishOptions.js';
import { StreamReader } from './reading.js';
import { checkReading, isSequence, type ReadOptions } from './readOptions.js';
import { StoredMessage } from './storedMessage.js';
import type { StoredSource } from './storedSource.js';
import { changedMetadata, configToJson, infoOf, type StreamConfig, type StreamInfo } from './streamConfig.js';

/** What a stream says of a message that it has stored. */
export interface PublishAck {
  /** The name of the stream that took it. */
  readonly stream: string;
  readonly sequence: number;
  /** Whether it was there already, under this sequence. */
  readonly duplicate: boolean;
}

/** Which messages go: all of them when nothing is said. */
export interface PurgeOptions {
  /** Those of a subject or a pattern. */
  readonly subject?: string | undefined;
  /** Those before a sequence. */
  readonly before?: number | undefined;
  /** All but the last so many; not with `before`. */
  readonly keep?: number | undefined;
}

const purgeOptionNames: Names<PurgeOptions> = { subject: true, before: true, keep: true };

/** A stream of the broker, which is there or is not: what is asked of it is asked of the one of that name. */
export class BrokerStream<T> {
  readonly name: string;
  readonly #requests: Requests;
  readonly #values: TopicValues<T>;
  readonly #timeoutMs: number | undefined;
  readonly #api: StreamApi;
  readonly #reader: StreamReader;

  /** @internal */
  constructor(requests: Requests, name: string, values: TopicValues<T>, timeoutMs: number | undefined) {
    this.name = name;
    this.#requests = requests;
    this.#values = values;
    this.#timeoutMs = timeoutMs;
    this.#api = new StreamApi((subject, body) => this.#ask(subject, body));
    this.#reader = new StreamReader(name, this.#api, requests, timeoutMs);
  }

  /**
   * Makes the stream, unless it is there and is the same.
   *
   * @throws rejects with ArgumentError; with StreamError (`STREAM_EXISTS` when there is another one of that name,
   * `SUBJECTS_OVERLAP`); and as all that is asked of a stream: TimeoutError, ClosedError
   */
  async create(config: StreamConfig = {}): Promise<StreamInfo> {
    return infoOf(await this.#api.create({ allow_direct: true, ...configToJson(this.name, config) }));
  }

  /**
   * Changes what is said, and leaves the rest.
   *
   * @throws rejects as `create`, or with StreamError `STREAM_NOT_FOUND`
   */
  async update(config: StreamConfig): Promise<StreamInfo> {
    const changes = configToJson(this.name, config);
    const { config: current } = await this.#api.info(this.name);
    const metadata = changedMetadata(config, current);
    return infoOf(await this.#api.update({ ...current, ...changes, ...(metadata && { metadata }) }));
  }

  /** @throws rejects with StreamError `STREAM_NOT_FOUND`, TimeoutError, ClosedError */
  async info(): Promise<StreamInfo> {
    return infoOf(await this.#api.info(this.name));
  }

  /**
   * Publishes a value to one of the stream's subjects.
   *
   * @returns resolves when it is stored; of a stream on disk, when it is on disk
   * @throws rejects with StreamError when the stream refuses it; NoRespondersError where nobody takes the subject; DecodeError
   * where somebody else answers there; and as
   * `broker.request` does
   */
  async publish(subject: string, value: T, options: StreamPublishOptions = {}): Promise<PublishAck> {
    const headers = encodeHeaders(fieldsOf(options));
    literalSubject(subject);
    const payload = this.#values.encode(subject, value);
    const { signal, timeoutMs = this.#timeoutMs } = options;
    const text = await this.#requests.ask<string>({ subject, headers, payload, timeoutMs, signal }, (answer, resolve) =>
      resolve(answer.payloadText),
    );
    return ackOf(subject, text);
  }

  /**
   * The message with a sequence; null when there is none.
   *
   * @throws rejects with ArgumentError, StreamError, TimeoutError, ClosedError
   */
  async get(sequence: number): Promise<StoredMessage<T> | null> {
    return this.#message(await this.#reader.one({ seq: checkedSequence(sequence, 'sequence') }));
  }

  /**
   * The last message of a subject or a pattern, of all when left out; null when there is none.
   *
   * @throws rejects with SubjectError, StreamError, TimeoutError, ClosedError
   */
  async last(subject = '>'): Promise<StoredMessage<T> | null> {
    internalSubject(subject);
    return this.#message(await this.#reader.one({ last_by_subj: subject }));
  }

  /**
   * The messages from somewhere on, in order; ends behind the last one that is there.
   *
   * @throws ArgumentError, SubjectError; iterating rejects with StreamError, TimeoutError, ClosedError, AbortedError
   */
  read(options: ReadOptions = {}): AsyncGenerator<StoredMessage<T>, void, void> {
    checkReading(options);
    return this.#read(options);
  }

  /**
   * Removes messages.
   *
   * @returns how many
   * @throws rejects with ArgumentError, SubjectError, StreamError, TimeoutError, ClosedError
   */
  async purge(options: PurgeOptions = {}): Promise<number> {
    checkNames(options, purgeOptionNames);
    const { subject, before, keep } = options;
    if (subject !== undefined) internalSubject(subject);
    if (before !== undefined && keep !== undefined) throw new ArgumentError('before and keep exclude each other');
    return await this.#api.purge(this.name, {
      ...(subject === undefined ? {} : { filter: subject }),
      ...(before === undefined ? {} : { seq: checkedSequence(before, 'before') }),
      ...(keep === undefined ? {} : { keep: checkedSequence(keep, 'keep') }),
    });
  }

  /**
   * Removes one message.
   *
   * @throws rejects with StreamError `MESSAGE_NOT_FOUND`, and as `purge`
   */
  async deleteMessage(sequence: number): Promise<void> {
    await this.#api.deleteMessage(this.name, checkedSequence(sequence, 'sequence'));
  }

  /**
   * Removes the stream, with all that is in it.
   *
   * @throws rejects with StreamError `STREAM_NOT_FOUND`, TimeoutError, ClosedError
   */
  async delete(): Promise<void> {
    await this.#api.delete(this.name);
  }

  async *#read(options: ReadOptions): AsyncGenerator<StoredMessage<T>, void, void> {
    for await (const source of this.#reader.all(options)) yield new StoredMessage(source, this.#values);
  }

  #message(source: StoredSource | null): StoredMessage<T> | null {
    return source === null ? null : new StoredMessage(source, this.#values);
  }

  async #ask(subject: string, body: string): Promise<string> {
    const options = { timeoutMs: this.#timeoutMs };
    return (await this.#requests.request(subject, body, text, text, options)).value;
  }
}

const text = new TopicValues(codecs.utf8, undefined, 'both');

/** @throws StreamError; DecodeError for what no stream says */
function ackOf(subject: string, answer: string): PublishAck {
  const { stream, seq, duplicate = false } = acknowledgement(subject, answer);
  if (typeof stream !== 'string' || typeof seq !== 'number')
    throw new DecodeError(subject, 'it is not what a stream answers');
  return { stream, sequence: seq, duplicate };
}

function acknowledgement(subject: string, answer: string): { stream?: string; seq?: number; duplicate?: boolean } {
  try {
    return readAnswer(answer);
  } catch (error) {
    throw error instanceof StreamError ? error : new DecodeError(subject, error);
  }
}

/** @throws ArgumentError */
function checkedSequence(value: number, name: string): number {
  if (isSequence(value)) return value;
  throw new ArgumentError(`${name}: ${inOneLine(value)} is not allowed; it must be a whole number from 1 on`);
}
