import { type InspectOptions, inspect } from 'node:util';
import { headerNames } from '../base/headerNames.js';
import type { Delivered } from './delivered.js';
import type { Headers } from './headers.js';
import type { TopicValues } from './schema.js';

/**
 * Where a message's fields come from.
 *
 * @internal
 */
export type MessageSource = Pick<Delivered, 'subject' | 'headers' | 'header' | 'reply' | 'redelivered' | 'copyPayload'>;

/**
 * A message as one subscriber sees it: a frozen view, decoded when asked. What it hands out is this subscriber's own,
 * so nobody sees what another makes of it.
 */
export class Message<T> {
  readonly #source: MessageSource;
  readonly #values: TopicValues<T>;
  readonly #acknowledge: ((source: MessageSource) => void) | null;
  #value: T | undefined;
  #decoded = false;
  /** Why it has no value. */
  #failure: unknown = null;
  #bytes: Uint8Array | null = null;

  /** @internal */
  constructor(
    source: MessageSource,
    values: TopicValues<T>,
    acknowledge: ((source: MessageSource) => void) | null = null,
  ) {
    this.#source = source;
    this.#values = values;
    this.#acknowledge = acknowledge;
    Object.freeze(this);
  }

  get subject(): string {
    return this.#source.subject;
  }

  get key(): string | undefined {
    return this.#source.header(headerNames.key);
  }

  get headers(): Headers {
    return this.#source.headers;
  }

  /**
   * The decoded value, decoded once.
   *
   * @throws DecodeError when the payload is none of the codec's; ValidationError when the topic's schema is applied on
   * receive and does not accept it
   */
  get value(): T {
    if (!this.#decoded) this.#decode();
    if (this.#failure !== null) throw this.#failure;
    return this.#value as T;
  }

  /**
   * Whether an error is the message's own: that it has no value.
   *
   * @internal
   */
  static isUnreadable(message: Message<unknown>, error: unknown): boolean {
    return error !== null && message.#failure === error;
  }

  /**
   * Where a message's fields come from.
   *
   * @internal
   */
  static sourceOf(message: Message<unknown>): MessageSource {
    return message.#source;
  }

  /** The payload as it came: a copy of this subscriber's own. */
  get bytes(): Uint8Array {
    this.#bytes ??= this.#source.copyPayload();
    return this.#bytes;
  }

  /** The subject where an answer is awaited; undefined when none is. */
  get reply(): string | undefined {
    return this.#source.reply || undefined;
  }

  /** Of a group with `prefetch`: whether a member has had it before and did not acknowledge it. */
  get redelivered(): boolean {
    return this.#source.redelivered;
  }

  get traceparent(): string | undefined {
    return this.#source.header(headerNames.traceparent);
  }

  get correlationId(): string | undefined {
    return this.#source.header(headerNames.correlationId);
  }

  /**
   * What `console.log` shows, instead of nothing: all fields are getters.
   *
   * @internal
   */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `Message ${inspect(this.toJSON(), options)}`;
  }

  /** The fields that are there; without a value, why there is none. */
  toJSON(): Record<string, unknown> {
    if (!this.#decoded) this.#decode();
    const { subject, key, headers, reply } = this;
    const read = this.#failure === null ? { value: this.#value } : { error: this.#failure };
    const fields = { subject, key, ...read, reply, headers };
    return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined));
  }

  #decode(): void {
    this.#decoded = true;
    try {
      this.#value = this.#values.decode(this.subject, this.#source.copyPayload());
    } catch (error) {
      this.#failure = error;
    }
  }

  /** Says that a member of a group with `prefetch` is done with the message. Without `prefetch` it does nothing. */
  ack(): void {
    this.#acknowledge?.(this.#source);
  }
}

Object.freeze(Message.prototype);
