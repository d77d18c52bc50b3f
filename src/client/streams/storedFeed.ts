import { randomBytes, randomUUID } from 'node:crypto';
import { Alarm } from '../../base/alarm.js';
import { byteText } from '../../base/bytes.js';
import { ackWaitMsDefault, durablePauseMs } from '../../base/limits.js';
import { ConsumerApi } from '../../protocol/streamApi/consumerApi.js';
import type { ConsumerConfigJson } from '../../protocol/streamApi/consumerJson.js';
import {
  nsPerMs,
  openDurable,
  orderedConfig,
  StoredReadingError,
  streamOf,
} from '../../protocol/streamApi/storedReading.js';
import { StreamApi } from '../../protocol/streamApi/streamApi.js';
import { answerText, isPullToken, Pulling } from '../../subscriber/pulling.js';
import type { WorkAnswer } from '../../subscriber/workState.js';
import { codecs } from '../codecs.js';
import type { Delivered } from '../delivered.js';
import type { ClientEndpoint } from '../endpoint.js';
import { BrokerError } from '../errors.js';
import { noBytes } from '../headers.js';
import { TopicValues } from '../schema.js';
import { optional } from '../sequencing.js';
import type { Subscription } from '../subscription.js';
import type { StoredTerms } from './storedOptions.js';

/** Of the time that a message may be unacknowledged: so much passes at most before one that waits here says that it does. */
const signsPerWait = 3;

/** Reads a stream for one subscription: asks a consumer for as much as there is room for, and passes on what is said of it. */
export class StoredFeed {
  /** What the subjects begin with at which it awaits messages. */
  readonly inbox = `_INBOX.${randomBytes(12).toString('hex')}.`;
  /** Resolves when messages come from now on; rejects when they never will. */
  readonly ready: Promise<void>;
  /** Told why there are no more messages, of a subscription that nobody asks. */
  onFailure: ((error: BrokerError) => void) | null = null;
  readonly terms: StoredTerms;
  readonly #endpoint: ClientEndpoint;
  readonly #topic: string;
  readonly #streams: StreamApi;
  readonly #name: string;
  #begin!: () => void;
  #subscription: Subscription | null = null;
  #consumer: { readonly name: string; readonly api: ConsumerApi; readonly pulling: Pulling } | null = null;
  #ackWaitMs = ackWaitMsDefault;
  /** Of one that is this subscription's alone: how often it was made, and the last message that it gave. */
  #made = 0;
  #lastSequence = 0;
  readonly #alarm = new Alarm(() => this.#onAlarm());
  /** When what waits here says so the next time, and when it is asked for more again. */
  #signMs = Number.POSITIVE_INFINITY;
  #againMs = Number.POSITIVE_INFINITY;

  /** @param topic what is read, as users write it */
  constructor(endpoint: ClientEndpoint, topic: string, terms: StoredTerms) {
    this.terms = terms;
    this.#endpoint = endpoint;
    this.#topic = topic;
    this.#name = terms.name ?? `sub-${randomUUID().slice(0, 8)}`;
    this.#streams = new StreamApi((subject, body) => this.#ask(subject, body));
    const begun = new Promise<void>((resolve) => {
      this.#begin = resolve;
    });
    this.ready = optional(begun.then(() => this.#open()));
  }

  /** Whether what it gives has to be acknowledged. */
  get acknowledges(): boolean {
    return this.terms.name !== null;
  }

  /** Its subscription has begun. */
  begin(subscription: Subscription): void {
    this.#subscription = subscription;
    this.#begin();
  }

  /** Whether what has come is a message of the stream, which the subscription gets; else it is the feed's own. */
  admits(message: Delivered): boolean {
    const numbers = ackNumbersOf(message.ackReply);
    if (numbers === null) {
      this.#onStatus(message);
      return false;
    }
    this.#consumer?.pulling.onMessage();
    this.#lastSequence = numbers.sequence;
    message.sequence = numbers.sequence;
    message.returns = numbers.deliveries - 1;
    message.workingSinceMs = performance.now();
    if (this.acknowledges && this.#signMs === Number.POSITIVE_INFINITY) {
      this.#signMs = message.workingSinceMs + this.#ackWaitMs / signsPerWait;
      this.#setAlarm();
    }
    return true;
  }

  /** The consumer takes a message up: its time begins now. */
  onTaken(message: Delivered): void {
    const nowMs = performance.now();
    if (this.acknowledges && nowMs - message.workingSinceMs > this.#ackWaitMs / (4 * signsPerWait))
      this.answer(message, 'working', 0);
    this.onRoom();
  }

  /** There is more room, or less waits. */
  onRoom(): void {
    const subscription = this.#subscription;
    if (subscription === null || subscription.ended || this.#consumer === null) return;
    const room = this.terms.prefetch - subscription.load;
    // small requests are for those that have nothing else to do
    if (subscription.backlog.count > 0 && room < this.terms.prefetch / 2) return;
    const { pulling, api, name } = this.#consumer;
    const pull = this.#againMs === Number.POSITIVE_INFINITY ? pulling.ask(room) : null;
    if (pull !== null) this.#tell(api.nextSubject(name), pull.body, this.inbox + pull.token);
  }

  /** Something is said of a message that the subscription has. */
  answer(message: Delivered, answer: WorkAnswer, delayMs: number, detail = ''): void {
    if (!this.acknowledges) return;
    this.#tell(message.ackReply, answerText(answer, delayMs, detail), '');
  }

  /** A message is done; resolves when the stream has that, on disk where it is there. */
  async confirm(message: Delivered): Promise<void> {
    const question = { subject: message.ackReply, headers: noBytes, payload: Buffer.from(answerText('ack', 0)) };
    await this.#endpoint.requests.ask<void>(question, (_, resolve) => resolve());
  }

  /** The subscription has ended. */
  end(): void {
    this.#alarm.clear();
    const consumer = this.#consumer;
    // it goes by itself where that cannot be said
    if (consumer !== null && !this.acknowledges) consumer.api.delete(consumer.name).catch(() => {});
  }

  async #open(): Promise<void> {
    try {
      const stream = this.terms.stream ?? (await streamOf(this.#streams, [this.#topic], 'stream'));
      const api = new ConsumerApi((subject, body) => this.#ask(subject, body), stream);
      const config = this.acknowledges ? await this.#durable(api, stream) : await this.#alone(api);
      const { name = this.#name } = config;
      this.#ackWaitMs = Math.max(config.ack_wait ?? 0, ...(config.backoff ?? [])) / nsPerMs || ackWaitMsDefault;
      this.#consumer = { name, api, pulling: new Pulling(config) };
      if (this.#subscription?.ended) this.end();
      else this.#subscription!.ackWaitMs = this.#ackWaitMs;
      this.onRoom();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  async #durable(api: ConsumerApi, stream: string): Promise<ConsumerConfigJson> {
    const config = await openDurable(api, this.#streams, stream, this.#name, this.#reading);
    if (config.ack_policy === 'explicit') return config;
    throw new StoredReadingError(
      `consumer ${this.#name} of stream ${stream} has acks ${config.ack_policy}, not explicit`,
    );
  }

  /** Makes a consumer behind what was read. */
  async #alone(api: ConsumerApi): Promise<ConsumerConfigJson> {
    const name = `${this.#name}-${++this.#made}`;
    return (await api.create(orderedConfig(name, this.#reading, this.#lastSequence))).config;
  }

  get #reading() {
    return { ...this.terms.reading, subjects: [this.#topic] };
  }

  #onStatus(message: Delivered): void {
    const token = message.text.slice(this.inbox.length);
    if (this.#consumer === null || !isPullToken(token)) return;
    const { status, description } = message.headerBlock;
    switch (this.#consumer.pulling.onStatus(token, status, description)) {
      case 'again':
        this.onRoom();
        break;
      case 'later':
        this.#againMs = performance.now() + durablePauseMs;
        this.#setAlarm();
        break;
      case 'lost':
        this.#onLost(description || `${status}`);
    }
  }

  /** The consumer is gone. One that is nobody else's is made anew. */
  #onLost(why: string): void {
    this.#consumer = null;
    if (this.acknowledges) this.#fail(new StoredReadingError(`the consumer gives no more messages: ${why}`));
    else void optional(this.#open());
  }

  #fail(error: unknown): void {
    const subscription = this.#subscription!;
    if (subscription.ended) return;
    const told = error instanceof BrokerError ? error : new StoredReadingError(String(error));
    subscription.end(told);
    this.onFailure?.(told);
  }

  #onAlarm(): void {
    const nowMs = performance.now();
    if (this.#againMs <= nowMs) {
      this.#againMs = Number.POSITIVE_INFINITY;
      this.onRoom();
    }
    if (this.#signMs <= nowMs) {
      const waiting = this.#subscription?.waiting ?? [];
      for (const message of waiting) this.answer(message, 'working', 0);
      for (const message of waiting) message.workingSinceMs = nowMs;
      this.#signMs = waiting.length === 0 ? Number.POSITIVE_INFINITY : nowMs + this.#ackWaitMs / signsPerWait;
    }
    this.#setAlarm();
  }

  #setAlarm(): void {
    this.#alarm.set(Math.min(this.#signMs, this.#againMs), performance.now());
  }

  async #ask(subject: string, body: string): Promise<string> {
    return (await this.#endpoint.requests.request(subject, body, text, text, {})).value;
  }

  #tell(subject: string, body: string, reply: string): void {
    this.#endpoint.publisher.tell(byteText(subject), Buffer.from(body), Buffer.from(reply));
  }
}

const text = new TopicValues(codecs.utf8, undefined, 'both');

/** What an acknowledgement's subject says, `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.…`; null for any other reply. */
function ackNumbersOf(reply: string): { readonly deliveries: number; readonly sequence: number } | null {
  if (!reply.startsWith('$JS.ACK.')) return null;
  const [, , , , deliveries, sequence] = reply.split('.');
  return { deliveries: Number(deliveries), sequence: Number(sequence) };
}
