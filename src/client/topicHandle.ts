import { defaultTerms } from '../base/ackTerms.js';
import { latin1Bytes } from '../base/bytes.js';
import { subjectMatches } from '../protocol/subject.js';
import type { Topic as RoutedTopic } from '../router/topic.js';
import { checkNames, type Names, throwIfAborted } from './checks.js';
import { HandlerConsumer, IteratorConsumer, MessageMaker } from './consumers.js';
import type { ClientEndpoint } from './endpoint.js';
import { ClosedError, SubjectError } from './errors.js';
import type { Handler } from './handlers.js';
import { encodeHeaders, type MessageFields, messageFieldNames, noBytes } from './headers.js';
import { Message } from './message.js';
import type { TopicValues } from './schema.js';
import { optional } from './sequencing.js';
import { StoredFeed } from './streams/storedFeed.js';
import { type StoredTerms, storedTermsOf } from './streams/storedOptions.js';
import { internalSubject, literalSubject, replySubject } from './subjects.js';
import {
  ackWaitOf,
  checkSubscribeOptions,
  type HandlerOptions,
  handTermsOf,
  policyOf,
  prefetchOf,
  queueOf,
  type SubscribeOptions,
} from './subscribeOptions.js';
import { Subscription } from './subscription.js';
import { HandlerSubscription, MessageStream } from './subscriptions.js';
import { throwLater } from './throwLater.js';

/** How a value is published. */
export interface PublishOptions extends MessageFields {
  /** The literal subject, where the topic has wildcards. It must be one that the topic takes. */
  readonly subject?: string | undefined;
  /** Where an answer is awaited. */
  readonly reply?: string | undefined;
  /** Gives up while the message waits for room. */
  readonly signal?: AbortSignal | undefined;
}

const publishOptionNames: Names<PublishOptions> = {
  ...messageFieldNames,
  subject: true,
  reply: true,
  signal: true,
};

/** Values of one type on one subject, or on all subjects of a pattern. */
export class Topic<T> {
  /** The subject or pattern as it was given. */
  readonly subject: string;
  readonly #endpoint: ClientEndpoint;
  readonly #values: TopicValues<T>;
  /** As the broker's tables have it. */
  readonly #text: string;
  readonly #literal: boolean;
  /** Where the last publish went: most publishers repeat it. */
  #last: RoutedTopic | null = null;
  #lastSubject = '';

  /**
   * @throws SubjectError
   *
   * @internal
   */
  constructor(endpoint: ClientEndpoint, subject: string, values: TopicValues<T>) {
    const { text, kind } = internalSubject(subject);
    this.subject = subject;
    this.#endpoint = endpoint;
    this.#values = values;
    this.#text = text;
    this.#literal = kind === 'literal';
  }

  /** The same topic narrowed to one of its subjects. */
  at(subject: string): Topic<T> {
    this.#target(subject);
    return new Topic(this.#endpoint, subject, this.#values);
  }

  /**
   * Publishes a value, waiting for room where there is none.
   *
   * @returns resolves when the message is in its topic's order: whoever subscribes later does not get it; with whether
   * anybody wanted it
   * @throws rejects with SubjectError, ArgumentError, UnknownTopicError, PayloadTooLargeError, TopicFullError, ClosedError,
   * ValidationError, EncodeError, or AbortedError
   */
  publish(value: T, options?: PublishOptions): Promise<boolean> {
    try {
      const headers = checkedHeaders(options);
      throwIfAborted(options?.signal);
      const topic = this.#target(options?.subject);
      const payload = this.#values.encode(this.subject, value);
      return this.#endpoint.publisher.publishStored(topic, headers, payload, replyOf(options), options?.signal ?? null);
    } catch (error) {
      const failed = Promise.reject(error);
      return error instanceof ClosedError ? optional(failed) : failed;
    }
  }

  /**
   * Publishes a value and waits until it has been worked off: every handler of this process's subscribers has finished,
   * every iterator has asked for more, every member of a group with `prefetch` has acknowledged it, and every other gateway
   * has taken it for its clients. Whoever lost it to its policy, ended or went is not waited for. A handler that waits here
   * for a message that comes to itself waits for ever, or until the signal is aborted.
   *
   * @throws rejects as `publish`, and with SyncAbortedError, which names who is missing, when the signal is aborted after
   * the call: the message may have been published then
   */
  async publishSync(value: T, options: PublishOptions = {}): Promise<void> {
    const headers = checkedHeaders(options);
    throwIfAborted(options.signal);
    const topic = this.#target(options.subject);
    const payload = this.#values.encode(this.subject, value);
    await this.#endpoint.publisher.publishSync(topic, headers, payload, replyOf(options), options.signal);
  }

  /**
   * Publishes a value if there is room for it now.
   *
   * @returns false when the topic is full; nothing has been published then
   * @throws SubjectError, ArgumentError, UnknownTopicError, PayloadTooLargeError, ClosedError, ValidationError, EncodeError;
   * AbortedError when the signal was aborted before the call
   */
  offer(value: T, options?: PublishOptions): boolean {
    const headers = checkedHeaders(options);
    throwIfAborted(options?.signal);
    const topic = this.#target(options?.subject);
    return this.#endpoint.publisher.offer(topic, headers, this.#values.encode(this.subject, value), replyOf(options));
  }

  /**
   * Subscribes: to an iterator of messages, or with a handler that gets them one after the other. Everything published
   * after the call is seen.
   *
   * @throws ArgumentError, ClosedError
   */
  subscribe(options?: SubscribeOptions): MessageStream<T>;
  subscribe(handler: Handler<T>, options?: HandlerOptions<T>): HandlerSubscription;
  subscribe(
    first?: Handler<T> | SubscribeOptions,
    second: HandlerOptions<T> = {},
  ): MessageStream<T> | HandlerSubscription {
    if (typeof first !== 'function') return this.#stream(first === undefined ? {} : first);
    checkSubscribeOptions(second, true);
    const subscription = this.#subscription(second);
    const onError = second.onError ?? uncaught(this.subject, subscription);
    subscription.consumer = new HandlerConsumer(
      subscription,
      new MessageMaker(subscription, this.#values),
      first,
      guarded(onError),
    );
    if (subscription.feed !== null) subscription.feed.onFailure = (error) => warn(this.subject, error);
    this.#add(subscription, second.last);
    return new HandlerSubscription(subscription, second.signal);
  }

  #stream(options: SubscribeOptions): MessageStream<T> {
    checkSubscribeOptions(options, false);
    return this.#iterate(this.#subscription(options), options.signal, options.last);
  }

  #iterate(subscription: Subscription, signal: AbortSignal | undefined, last = false): MessageStream<T> {
    const consumer = new IteratorConsumer(subscription, new MessageMaker(subscription, this.#values));
    subscription.consumer = consumer;
    this.#add(subscription, last);
    return new MessageStream(subscription, consumer, signal);
  }

  /** Takes part in a group as one that has no more than `count` messages and is done with each that it has taken. */
  take(group: string, count: number): MessageStream<T> {
    const options = { group, bufferCount: count, prefetch: count };
    return this.#iterate(this.#subscription(options, true), undefined);
  }

  /** A subscription that reads a stream: its messages come to an inbox of its own. */
  #stored(terms: StoredTerms, options: SubscribeOptions): Subscription {
    const feed = new StoredFeed(this.#endpoint, this.subject, terms);
    const policy = policyOf({});
    const alone = !feed.acknowledges;
    return new Subscription(
      this.#endpoint,
      `${feed.inbox}*`,
      '',
      policy,
      terms.prefetch,
      null,
      alone,
      { ...defaultTerms, ackWaitMs: ackWaitOf(options) },
      feed,
    );
  }

  /** Begins a subscription. */
  #add(subscription: Subscription, last = false): void {
    this.#endpoint.add(subscription, last);
    if (subscription.feed === null) return;
    this.#endpoint.claimInbox(subscription);
    subscription.feed.begin(subscription);
  }

  #subscription(options: SubscribeOptions, acknowledgesItself = false): Subscription {
    const terms = storedTermsOf(options);
    if (terms !== null) return this.#stored(terms, options);
    const queue = queueOf(options.group);
    const { onDrop = null } = options;
    const prefetch = prefetchOf(options);
    return new Subscription(
      this.#endpoint,
      this.#text,
      queue,
      policyOf(options),
      prefetch,
      onDrop,
      acknowledgesItself,
      handTermsOf(options),
    );
  }

  /** The topic to publish to. */
  #target(subject: string | undefined): RoutedTopic {
    if (this.#last?.live && (subject === undefined ? this.#literal : subject === this.#lastSubject)) return this.#last;
    const text = subject === undefined ? this.#text : literalSubject(subject);
    if (subject === undefined && !this.#literal)
      throw new SubjectError(`${JSON.stringify(this.subject)} has a wildcard: say which subject to publish to`);
    if (subject !== undefined && !subjectMatches(this.#text, text))
      throw new SubjectError(`${JSON.stringify(subject)} is not a subject of ${JSON.stringify(this.subject)}`);
    this.#last = this.#endpoint.topicOf(text);
    this.#lastSubject = subject ?? this.subject;
    return this.#last;
  }
}

/** The headers block that the options ask for, once it is known that there are such options. */
function checkedHeaders(options: PublishOptions | undefined): Uint8Array {
  if (options === undefined) return noBytes;
  checkNames(options, publishOptionNames);
  return encodeHeaders(options);
}

function replyOf(options: PublishOptions | undefined): Uint8Array {
  return options?.reply === undefined ? noBytes : latin1Bytes(replySubject(options.reply));
}

/**
 * Of a handler without `onError`: its own errors are uncaught. Neither a message that cannot be read is one of them, nor
 * that the broker was stopped before the handler was done: nobody could catch that in time.
 */
function uncaught(subject: string, subscription: Subscription) {
  let isClosed = false;
  return (error: unknown, message: Message<unknown>): void => {
    if (error instanceof ClosedError) {
      if (!isClosed) warn(subject, error);
      isClosed = true;
    } else if (subscription.prefetch > 0) {
      // the message is done again, and so nothing is lost
      if (subscription.failed === 1) warn(subject, error);
    } else if (!Message.isUnreadable(message, error)) throwLater(error);
    else if (++subscription.unreadable === 1) warn(subject, error);
  };
}

function warn(subject: string, error: unknown): void {
  const what = error instanceof Error ? error.message : String(error);
  process.emitWarning(`a subscription to ${subject} without onError: ${what}`, 'BrokerWarning');
}

/** An error handler whose own errors do not stop the subscription. */
function guarded<T>(onError: (error: unknown, message: Message<T>) => void) {
  return (error: unknown, message: Message<T>): void => {
    try {
      onError(error, message);
    } catch (thrown) {
      throwLater(thrown);
    }
  };
}
