import { inOneLine } from '../base/inOneLine.js';
import { isStreamName } from '../protocol/streamApi/streamApi.js';
import type { EndpointCensus } from './census.js';
import { checkFunction, checkNames } from './checks.js';
import { type Codec, codecs } from './codecs.js';
import type { ClientEndpoint } from './endpoint.js';
import { ArgumentError, ClosedError } from './errors.js';
import type { Message } from './message.js';
import {
  checkTimeout,
  failureCodeHeader,
  failureHeader,
  type RequestOptions,
  type Requests,
  requestOptionNames,
} from './requests.js';
import { type StandardSchema, TopicValues, type Validate } from './schema.js';
import { BrokerStream } from './streams/brokerStream.js';
import { checkSubscribeOptions, type HandlerOptions, handlerOptionNames } from './subscribeOptions.js';
import type { HandlerSubscription } from './subscriptions.js';
import { Topic } from './topicHandle.js';
import { type QueueOptions, queueOptionNames, WorkQueue } from './workQueue.js';

/** How a topic's values look. */
export interface TopicOptions<T> {
  /** How values become bytes and back; JSON by default. */
  readonly codec?: Codec<T> | undefined;
  /** A Standard Schema (zod, valibot, …) that values have to meet. It must be synchronous. */
  readonly schema?: StandardSchema<T> | undefined;
  /** When the schema is applied: on `publish`, on `receive` (when `value` is read), or `both` (default). */
  readonly validate?: Validate | undefined;
}

/** How a stream is asked. */
export interface StreamOptions {
  /** How long to wait for an answer, in milliseconds; 10,000 by default. */
  readonly timeoutMs?: number | undefined;
}

export const topicOptionNames = { codec: true, schema: true, validate: true } as const satisfies {
  [K in keyof Required<TopicOptions<unknown>>]: true;
};

/** How answers to requests look. */
export interface AnswerOptions<R> {
  /** By default they have the codec of the requests. */
  readonly answer?: TopicOptions<R> | undefined;
}

const allRequestOptionNames = { ...requestOptionNames, ...topicOptionNames, answer: true } as const;
const replyOptionNames = { ...handlerOptionNames, ...topicOptionNames, answer: true } as const;
const allStreamOptionNames = { timeoutMs: true, ...topicOptionNames } as const;
const allQueueOptionNames = { ...queueOptionNames, ...topicOptionNames } as const;

/** The broker as one thread of the user's process sees it. */
export class BrokerClient {
  readonly #endpoint: ClientEndpoint;
  readonly #requests: Requests;

  /** @internal */
  constructor(endpoint: ClientEndpoint) {
    this.#endpoint = endpoint;
    this.#requests = endpoint.requests;
  }

  /**
   * A topic, or all topics of a pattern.
   *
   * @throws SubjectError, ArgumentError
   */
  topic<T>(subject: string, options: TopicOptions<T> = {}): Topic<T> {
    checkNames(options, topicOptionNames);
    return new Topic(this.#endpoint, subject, valuesOf(options));
  }

  /**
   * Asks whoever answers a subject, and waits for the first answer.
   *
   * @returns the answer; its `value` is decoded by `answer`, or else as the request is encoded
   * @throws rejects with NoRespondersError, TimeoutError, RequestFailedError, SubjectError, ArgumentError,
   * UnknownTopicError, PayloadTooLargeError, ClosedError, ValidationError, EncodeError, or AbortedError
   */
  async request<T = unknown, R = unknown>(
    subject: string,
    value: T,
    options: RequestOptions & TopicOptions<T> & AnswerOptions<R> = {},
  ): Promise<Message<R>> {
    checkNames(options, allRequestOptionNames);
    return await this.#requests.request(subject, value, valuesOf(options), answerValuesOf(options), options);
  }

  /**
   * Answers requests on a subject, or on all of a pattern, one after the other. What the handler returns is the answer;
   * when it throws, the requester is told so, and `onError` if there is one. With `group` several share the requests.
   *
   * @throws SubjectError, ArgumentError, ClosedError
   */
  reply<T = unknown, R = unknown>(
    subject: string,
    handler: (message: Message<T>) => R | Promise<R>,
    options: HandlerOptions<T> & TopicOptions<T> & AnswerOptions<R> = {},
  ): HandlerSubscription {
    checkNames(options, replyOptionNames);
    checkFunction(handler, 'the handler');
    const answers = answerValuesOf(options);
    const answer = async (message: Message<T>): Promise<void> => {
      const { reply } = message;
      if (reply === undefined) return;
      try {
        await new Topic(this.#endpoint, reply, answers).publish(await handler(message));
      } catch (error) {
        // the requester can be told nothing any more
        if (error instanceof ClosedError) throw error;
        options.onError?.(error, message);
        await this.#tellFailure(reply, error);
      }
    };
    const { codec, schema, validate, answer: _, ...handlerOptions } = options;
    return this.topic(subject, { codec, schema, validate }).subscribe(answer, handlerOptions);
  }

  /** Who asks in a way that cannot be answered, or is not there any more, must not be able to end whoever answers. */
  async #tellFailure(reply: string, failure: unknown): Promise<void> {
    try {
      await new Topic(this.#endpoint, reply, failures).publish('', { headers: failureOf(failure) });
    } catch (error) {
      process.emitWarning(`nobody was told that a request failed: ${(error as Error).message}`, 'BrokerWarning');
    }
  }

  /**
   * A work queue on a subject.
   *
   * @throws SubjectError, ArgumentError
   */
  queue<T>(name: string, options: QueueOptions & TopicOptions<T> = {}): WorkQueue<T> {
    checkNames(options, allQueueOptionNames);
    const { bufferCount = queueBufferCount, group = name, ...topicOptions } = options;
    const topic = this.topic(name, topicOptions);
    checkSubscribeOptions({ group, bufferCount }, false);
    return new WorkQueue(topic, () => topic.take(group, bufferCount));
  }

  /**
   * A stream, by its name: to make one, publish to it and read it.
   *
   * @throws ArgumentError
   */
  stream<T>(name: string, options: StreamOptions & TopicOptions<T> = {}): BrokerStream<T> {
    checkNames(options, allStreamOptionNames);
    if (typeof name !== 'string' || !isStreamName(name))
      throw new ArgumentError(`${inOneLine(name)} is no name: without blanks, dots, wildcards and slashes`);
    const { timeoutMs, ...topicOptions } = options;
    checkTimeout(timeoutMs);
    return new BrokerStream(this.#requests, name, valuesOf(topicOptions), timeoutMs);
  }

  /** What this thread's end of the broker holds at the moment: for monitoring, and to see that nothing is left behind. */
  endpointCensus(): EndpointCensus {
    return { ...this.#endpoint.census(), requests: this.#requests.pending };
  }
}

const queueBufferCount = 64;
const failures = new TopicValues(codecs.utf8, undefined, 'publish');

/** @throws ArgumentError */
function answerValuesOf<T, R>({ answer, codec }: TopicOptions<T> & AnswerOptions<R>): TopicValues<R> {
  if (answer !== undefined) checkNames(answer, topicOptionNames, 'answer');
  return valuesOf((answer ?? { codec }) as TopicOptions<R>);
}

function failureOf(error: unknown): Record<string, string> {
  const text = error instanceof Error ? error.message : String(error);
  return { [failureHeader]: text.replace(/[\r\n\0]+/g, ' '), [failureCodeHeader]: '500' };
}

/** @throws ArgumentError */
export function valuesOf<T>({ codec = codecs.json<T>(), schema, validate = 'both' }: TopicOptions<T>): TopicValues<T> {
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function')
    throw new ArgumentError('a codec has encode and decode');
  if (schema !== undefined && typeof schema?.['~standard']?.validate !== 'function')
    throw new ArgumentError('a schema must be a Standard Schema');
  if (!['publish', 'receive', 'both'].includes(validate))
    throw new ArgumentError('validate must be publish, receive or both');
  return new TopicValues(codec, schema, validate);
}
