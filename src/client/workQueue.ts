import { checkNames, type Names, throwIfAborted } from './checks.js';
import type { Message } from './message.js';
import type { MessageStream } from './subscriptions.js';
import type { PublishOptions, Topic } from './topicHandle.js';

/** How a queue's handle keeps what waits to be taken. */
export interface QueueOptions {
  /** Most messages that wait in this handle, 64 by default; more wait in the broker for any handle with room. */
  readonly bufferCount?: number | undefined;
  /** The group whose members share the messages: the queue's own subject by default. */
  readonly group?: string | undefined;
}

export const queueOptionNames: Names<QueueOptions> = { bufferCount: true, group: true };

/** How a message is taken. */
export interface TakeOptions {
  /** Gives up when aborted. */
  readonly signal?: AbortSignal | undefined;
}

const takeOptionNames: Names<TakeOptions> = { signal: true };

/**
 * A work queue: each message put into it is taken once, by one caller of one handle, wherever in the process or on the
 * network. A handle is a member of the queue's group from its first `take` on, so that one which only puts keeps no messages from
 * those who take; when it is closed, what waits in it goes to another member.
 */
export class WorkQueue<T> implements Disposable {
  readonly subject: string;
  readonly #topic: Topic<T>;
  readonly #join: () => MessageStream<T>;
  #stream: MessageStream<T> | null = null;
  #closed = false;

  /**
   * @param join makes the handle a member of the queue's group
   *
   * @internal
   */
  constructor(topic: Topic<T>, join: () => MessageStream<T>) {
    this.subject = topic.subject;
    this.#topic = topic;
    this.#join = join;
  }

  /** Messages that wait in this handle. */
  get buffered(): number {
    return this.#stream?.buffered ?? 0;
  }

  /** Puts a value into the queue; as `publish`. */
  put(value: T, options?: PublishOptions): Promise<boolean> {
    return this.#topic.publish(value, options);
  }

  /**
   * Takes the next message, waiting for one.
   *
   * @returns undefined once the handle is closed, or the broker has stopped
   * @throws rejects with AbortedError: no message is lost then; ArgumentError; with ClosedError when the first take is after the stop
   */
  async take(options: TakeOptions = {}): Promise<Message<T> | undefined> {
    checkNames(options, takeOptionNames);
    throwIfAborted(options.signal);
    if (this.#closed) return undefined;
    this.#stream ??= this.#join();
    const { value } = await this.#stream.next(options.signal);
    return value;
  }

  /** Leaves the group; what waits here goes to another member. */
  close(): void {
    this.#closed = true;
    this.#stream?.[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
