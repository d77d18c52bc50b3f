import { randomBytes } from 'node:crypto';
import { requestTimeoutMs } from '../base/limits.js';
import { policyBytesMax, policyMessagesMax, type SlowPolicy } from '../base/policy.js';
import { type Names, throwIfAborted } from './checks.js';
import type { Delivered } from './delivered.js';
import type { ClientEndpoint } from './endpoint.js';
import {
  AbortedError,
  ArgumentError,
  ClosedError,
  NoRespondersError,
  RequestFailedError,
  TimeoutError,
} from './errors.js';
import { encodeHeaders, type MessageFields, messageFieldNames } from './headers.js';
import { Message } from './message.js';
import type { TopicValues } from './schema.js';
import { literalSubject } from './subjects.js';
import { type Consumer, Subscription } from './subscription.js';

/** How a request is made. */
export interface RequestOptions extends MessageFields {
  /** How long to wait for the answer, in milliseconds; 10,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** Gives up when aborted. */
  readonly signal?: AbortSignal | undefined;
}

export const requestOptionNames: Names<RequestOptions> = { ...messageFieldNames, timeoutMs: true, signal: true };

/** Headers by which a responder says that it failed, as NATS's services do. */
export const failureHeader = 'Nats-Service-Error';
export const failureCodeHeader = 'Nats-Service-Error-Code';

/** A request under way. */
interface Pending {
  readonly subject: string;
  onAnswer(delivered: Delivered): void;
  reject(error: Error): void;
}

/** What is to be asked, laid out, and how long to wait for it. */
interface Question {
  readonly subject: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const timeoutMsMax = 2 ** 31 - 1;
/** Answers come one a request, so what waits is bounded by the requests under way. */
const inboxPolicy: SlowPolicy = {
  policy: 'drop-new',
  maxMessages: policyMessagesMax,
  maxBytes: policyBytesMax,
  maxDrops: 0,
  by: 'subject',
};

/**
 * Requests of one endpoint: all answers come through one subscription, which begins with the first request.
 *
 * @internal
 */
export class Requests implements Consumer {
  readonly #endpoint: ClientEndpoint;
  readonly #prefix = `_INBOX.${randomBytes(12).toString('hex')}.`;
  readonly #pending = new Map<string, Pending>();
  #inbox: Subscription | null = null;
  #count = 0;

  constructor(endpoint: ClientEndpoint) {
    this.#endpoint = endpoint;
  }

  readonly idle = true;
  readonly atWork = false;
  /** A handler that has yet to finish may wait for an answer. */
  readonly endsLast = true;

  /** Requests that nobody has answered yet. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Publishes a request and waits for the first answer.
   *
   * @throws rejects with NoRespondersError when nobody listens, TimeoutError, RequestFailedError, ClosedError,
   * AbortedError, and what a publish rejects with
   */
  async request<T, R>(
    subject: string,
    value: T,
    values: TopicValues<T>,
    answers: TopicValues<R>,
    options: RequestOptions,
  ): Promise<Message<R>> {
    const { signal, timeoutMs } = options;
    checkWaiting(options);
    literalSubject(subject);
    const headers = encodeHeaders(options);
    const payload = values.encode(subject, value);
    return await this.ask<Message<R>>(
      { subject, headers, payload, timeoutMs, signal },
      (delivered, resolve, reject) => {
        const failure = delivered.header(failureHeader);
        if (failure !== undefined) reject(new RequestFailedError(subject, failure));
        else resolve(new Message(delivered, answers));
      },
    );
  }

  /**
   * Publishes a request, and waits until its answers are what was asked for. That nobody listens is an error.
   *
   * @param onAnswer takes each answer, and says when that is enough
   * @throws rejects as `request`, and as `onAnswer` says
   */
  async ask<A>(
    question: Question,
    onAnswer: (delivered: Delivered, resolve: (answer: A) => void, reject: (error: Error) => void) => void,
  ): Promise<A> {
    checkWaiting(question);
    const { subject, headers, payload, signal, timeoutMs = requestTimeoutMs } = question;
    const topic = this.#endpoint.topicOf(literalSubject(subject));
    this.#open();
    const token = `${++this.#count}`;
    const reply = new Uint8Array(Buffer.from(this.#prefix + token));
    // settles early, so that a topic that is full does not keep the request beyond its time
    const given = new AbortController();
    const wanted = this.#endpoint.publisher.publish(topic, headers, payload, reply, given.signal);
    try {
      return await new Promise<A>((resolve, reject) => {
        const take = (delivered: Delivered): void => {
          if (delivered.status === 503) reject(new NoRespondersError(subject));
          else onAnswer(delivered, resolve, reject);
        };
        this.#await(token, { subject, onAnswer: take, reject }, timeoutMs, signal);
        wanted.then((anybody) => {
          if (!anybody) reject(new NoRespondersError(subject));
        }, reject);
      });
    } finally {
      this.#settle(token);
      given.abort();
    }
  }

  work(): void {
    const inbox = this.#inbox as Subscription;
    for (let delivered = inbox.take(); delivered !== null; delivered = inbox.take()) {
      this.#answer(delivered);
      inbox.done(delivered);
    }
  }

  end(): void {
    this.work();
    for (const pending of this.#pending.values()) pending.reject(new ClosedError());
  }

  #open(): void {
    if (this.#inbox !== null) return;
    const inbox = new Subscription(this.#endpoint, `${this.#prefix}*`, '', inboxPolicy, 0, null);
    inbox.consumer = this;
    this.#endpoint.add(inbox);
    this.#endpoint.claimInbox(inbox);
    this.#inbox = inbox;
  }

  #await(token: string, pending: Pending, timeoutMs: number, signal: AbortSignal | undefined): void {
    const timer = setTimeout(() => pending.reject(new TimeoutError(pending.subject, timeoutMs)), timeoutMs);
    const onAbort = (): void => pending.reject(new AbortedError(signal?.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#cleanUps.set(token, () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    });
    this.#pending.set(token, pending);
  }

  readonly #cleanUps = new Map<string, () => void>();

  #settle(token: string): void {
    this.#pending.delete(token);
    this.#cleanUps.get(token)?.();
    this.#cleanUps.delete(token);
  }

  #answer(delivered: Delivered): void {
    const pending = this.#pending.get(delivered.text.slice(this.#prefix.length));
    // an answer too many, or too late
    if (pending === undefined) return;
    pending.onAnswer(delivered);
  }
}

/** @throws ArgumentError, AbortedError */
function checkWaiting({ signal, timeoutMs }: Pick<RequestOptions, 'signal' | 'timeoutMs'>): void {
  throwIfAborted(signal);
  checkTimeout(timeoutMs);
}

/** @throws ArgumentError */
export function checkTimeout(timeoutMs = 0): void {
  if (!Number.isFinite(timeoutMs) || timeoutMs < 0 || timeoutMs > timeoutMsMax)
    throw new ArgumentError(`timeoutMs must be from 0 to ${timeoutMsMax}`);
}
