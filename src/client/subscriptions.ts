import type { IteratorConsumer } from './consumers.js';
import type { BrokerError } from './errors.js';
import type { Message } from './message.js';
import type { Subscription } from './subscription.js';

/** What users hold of a subscription. It ends by `unsubscribe`, its signal, `using`, or the broker's stop. */
abstract class SubscriptionHandle implements Disposable {
  /** @internal */
  protected readonly subscription: Subscription;

  /** @internal */
  protected constructor(subscription: Subscription, signal: AbortSignal | undefined) {
    this.subscription = subscription;
    if (signal === undefined) return;
    const end = (): void => subscription.end();
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    subscription.onEnd = () => signal.removeEventListener('abort', end);
  }

  /** Resolves when what is published from now on comes: at once, but for one that reads a stream, which may also reject. */
  get ready(): Promise<void> {
    return this.subscription.feed?.ready ?? Promise.resolve();
  }

  /** Messages lost to the subscription's policy so far. */
  get dropped(): number {
    return this.subscription.dropped;
  }

  /** Messages that wait. */
  get buffered(): number {
    return this.subscription.backlog.count;
  }

  /** Whether no more messages come. */
  get ended(): boolean {
    return this.subscription.ended;
  }

  /** Why it ended, when nobody asked it to: a `SlowConsumerError`. */
  get error(): BrokerError | null {
    return this.subscription.error;
  }

  /** Ends the subscription. What is buffered is still given, and everything that was in order before the call. */
  unsubscribe(): void {
    this.subscription.end();
  }

  [Symbol.dispose](): void {
    this.unsubscribe();
  }
}

/** A subscription with a handler. */
export class HandlerSubscription extends SubscriptionHandle {
  /** @internal */
  constructor(subscription: Subscription, signal: AbortSignal | undefined) {
    super(subscription, signal);
  }

  /** Without `onError`: messages whose `value` the handler could not read. */
  get unreadable(): number {
    return this.subscription.unreadable;
  }

  /** Messages with which the handler failed: it threw, or its promise was rejected. */
  get failed(): number {
    return this.subscription.failed;
  }
}

/** A subscription as an iterator of messages. Leaving a `for await` loop ends it. */
export class MessageStream<T> extends SubscriptionHandle implements AsyncIterableIterator<Message<T>> {
  readonly #consumer: IteratorConsumer<T>;

  /** @internal */
  constructor(subscription: Subscription, consumer: IteratorConsumer<T>, signal: AbortSignal | undefined) {
    super(subscription, signal);
    this.#consumer = consumer;
  }

  [Symbol.asyncIterator](): this {
    this.#consumer.isLoop = true;
    return this;
  }

  /**
   * The next message; done when the subscription has ended and everything buffered was given.
   *
   * @param signal ends this wait alone
   * @throws rejects with SlowConsumerError, once, when that ended the subscription; ArgumentError; AbortedError: no message is lost then
   */
  next(signal?: AbortSignal): Promise<IteratorResult<Message<T>, undefined>> {
    return this.#consumer.next(signal);
  }

  /** Ends the subscription and gives up what is buffered: to another member where there is a group. */
  return(): Promise<IteratorResult<Message<T>, undefined>> {
    this.#consumer.stop();
    return Promise.resolve({ value: undefined, done: true });
  }

  override [Symbol.dispose](): void {
    this.#consumer.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#consumer.stop();
  }
}
