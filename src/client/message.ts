import { type InspectOptions, inspect } from 'node:util';
import { headerNames } from '../base/headerNames.js';
import { nackDelayMsMax } from '../base/limits.js';
import { deadDetail } from '../protocol/deadLetter.js';
import type { WorkAnswer } from '../subscriber/workState.js';
import { checkNames, type Names } from './checks.js';
import type { Delivered } from './delivered.js';
import { ArgumentError } from './errors.js';
import type { Headers } from './headers.js';
import type { TopicValues } from './schema.js';

/**
 * Where a message's fields come from.
 *
 * @internal
 */
export type MessageSource = Pick<
  Delivered,
  'subject' | 'headers' | 'header' | 'reply' | 'redelivered' | 'deliveries' | 'sequence' | 'copyPayload' | 'payloadText'
>;

/**
 * Takes what a member of a group, or who reads with `durable`, says of a message.
 *
 * @internal
 */
export interface Answering {
  say(source: MessageSource, answer: WorkAnswer, delayMs: number, detail?: string): void;
  /** Says that it is done; resolves when that is kept. */
  confirm(source: MessageSource): Promise<void>;
}

/** How a message is acknowledged. */
export interface AckOptions {
  /** Whether to wait until it is kept: with `durable`, by the stream, on disk where that is. */
  readonly confirmed?: boolean | undefined;
}

const ackOptionNames: Names<AckOptions> = { confirmed: true };

/** How a message is given up. */
export interface NackOptions {
  /** How long it stays with this member before another gets it, in milliseconds: at once by default, a day at most. */
  readonly delayMs?: number | undefined;
}

/** Of `Message.terminate`. */
export interface TerminateOptions {
  /** Why: its dead letter says so, or the advisory of the consumer; one line, of at most 256 bytes. */
  readonly reason?: string | undefined;
}

const terminateOptionNames: Names<TerminateOptions> = { reason: true };
const nackOptionNames: Names<NackOptions> = { delayMs: true };

/**
 * A message as one subscriber sees it: a view that cannot be changed, decoded when asked. What it hands out is this subscriber's own,
 * so nobody sees what another makes of it. All fields are getters; to freeze each object besides takes as long as to make four of them.
 */
export class Message<T> {
  readonly #source: MessageSource;
  readonly #values: TopicValues<T>;
  readonly #answering: Answering | null;
  #value: T | undefined;
  #decoded = false;
  /** Why it has no value. */
  #failure: unknown = null;
  #bytes: Uint8Array | null = null;

  /** @internal */
  constructor(source: MessageSource, values: TopicValues<T>, answering: Answering | null = null) {
    this.#source = source;
    this.#values = values;
    this.#answering = answering;
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

  /** Of a group with `prefetch`, or with `durable`: whether somebody has had it before and did not acknowledge it. */
  get redelivered(): boolean {
    return this.#source.redelivered;
  }

  /** How often the message has been handed out, to members of a group with `prefetch` or with `durable`, this time among it. */
  get deliveries(): number {
    return this.#source.deliveries;
  }

  /** Its number in the stream that delivered it (`durable`, `replay`); undefined where none did. */
  get sequence(): number | undefined {
    return this.#source.sequence || undefined;
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
      this.#value = this.#values.decode(this.#source);
    } catch (error) {
      this.#failure = error;
    }
  }

  /** Says that a member of a group with `prefetch`, or who reads with `durable`, is done with the message. Else it does nothing. */
  ack(): void;
  /**
   * The same, and waits until nobody gets the message again whatever crashes.
   *
   * @throws ArgumentError; rejects with BrokerError `NOT_IN_FLIGHT` when the message is not this member's any more, TimeoutError, NoRespondersError when
   * the consumer is gone, ClosedError
   */
  ack(options: AckOptions & { readonly confirmed: true }): Promise<void>;
  ack(options: AckOptions): Promise<void> | void;
  ack(options: AckOptions = {}): Promise<void> | void {
    checkNames(options, ackOptionNames);
    const { confirmed = false } = options;
    if (typeof confirmed !== 'boolean') throw new ArgumentError('confirmed must be true or false');
    if (confirmed) return this.#answering === null ? Promise.resolve() : this.#answering.confirm(this.#source);
    this.#answering?.say(this.#source, 'ack', 0);
  }

  /**
   * Gives the message up: another member of the group gets it, or the same one again. Without `prefetch` and `durable` it does nothing.
   *
   * @throws ArgumentError
   */
  nack(options: NackOptions = {}): void {
    checkNames(options, nackOptionNames);
    const { delayMs = 0 } = options;
    if (!Number.isInteger(delayMs) || delayMs < 0 || delayMs > nackDelayMsMax)
      throw new ArgumentError(`delayMs must be a whole number from 0 to ${nackDelayMsMax}`);
    this.#answering?.say(this.#source, delayMs === 0 ? 'nack' : 'nackLater', delayMs);
  }

  /** Says that the member is still at it: its time to acknowledge begins anew. Without `prefetch` and `durable` it does nothing. */
  working(): void {
    this.#answering?.say(this.#source, 'working', 0);
  }

  /**
   * Says that nobody is to have the message again, though it is not done. Without `prefetch` and `durable` it does nothing.
   *
   * @throws ArgumentError
   */
  terminate(options: TerminateOptions = {}): void {
    checkNames(options, terminateOptionNames);
    const { reason = '' } = options;
    if (typeof reason !== 'string') throw new ArgumentError('reason must be a string');
    this.#answering?.say(this.#source, 'terminate', 0, deadDetail(reason));
  }
}

Object.freeze(Message.prototype);
