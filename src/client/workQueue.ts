import type { Message } from './message.js';
import type { MessageStream } from './subscriptions.js';
import type { PublishOptions, Topic } from './topicHandle.js';

/** How a queue's handle keeps what waits to be taken. */
export interface QueueOptions {
  /** Most messages that wait in this handle before the queue's publishers wait, 64 by default. */
  readonly bufferCount?: number | undefined;
  /** The group whose members share the messages: the queue's own subject by default. */
  readonly group?: string | undefined;
}

/**
 * A work queue: each message put into it is taken once, by one caller of one handle, wherever in the process or on the
 * network. The handle is a member of the queue's group from its making on; when it is closed, what waits in it goes to
 * another member.
 */
export class WorkQueue<T> implements Disposable {
  readonly subject: string;
  readonly #topic: Topic<T>;
  readonly #stream: MessageStream<T>;

  constructor(topic: Topic<T>, stream: MessageStream<T>) {
    this.subject = topic.subject;
    this.#topic = topic;
    this.#stream = stream;
  }

  /** Messages that wait in this handle. */
  get buffered(): number {
    return this.#stream.buffered;
  }

  /** Puts a value into the queue; as `publish`. */
  put(value: T, options?: PublishOptions): Promise<boolean> {
    return this.#topic.publish(value, options);
  }

  /**
   * Takes the next message, waiting for one.
   *
   * @returns undefined once the queue is closed
   * @throws rejects with the signal's reason; no message is lost then
   */
  async take(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Message<T> | undefined> {
    options.signal?.throwIfAborted();
    const { value } = await this.#stream.next(options.signal);
    return value;
  }

  /** Leaves the group; what waits here goes to another member. */
  close(): void {
    this.#stream[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
