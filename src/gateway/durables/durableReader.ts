import { randomBytes } from 'node:crypto';
import { ackConsumerSequence, ackDelivered, ackStreamSequence } from '../../base/ackNumbers.js';
import { assert } from '../../base/assert.js';
import type { Due } from '../../base/dueList.js';
import { durablePauseMs, durableUnreadBytesMax } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import { type Shown, shownSubject } from '../../base/shown.js';
import type { DeliveryMark } from '../../protocol/deliveryHead.js';
import { readHeaderBlock } from '../../protocol/headerBlock.js';
import type { ConsumerConfigJson } from '../../protocol/streamApi/consumerJson.js';
import { nsPerMs } from '../../protocol/streamApi/storedReading.js';
import type { Topic } from '../../router/topic.js';
import { answerText, isPullToken, Pulling } from '../../subscriber/pulling.js';
import type { Listener } from '../listener.js';
import type { Subscription } from '../subscription.js';
import { type DurableDelivery, DurableInFlight } from './durableInFlight.js';
import type { Question, Questions } from './questions.js';

/** What a durable subscription needs of the gateway around it. */
export interface DurableHost {
  readonly questions: Questions;
  readonly nowMs: number;
  /** Writes a message that has been given a number. */
  write(subscription: Subscription, mark: DeliveryMark, topic: Topic, message: MessageView, index: number): void;
  /** Says something to a stream for which no answer is awaited. */
  tell(subscription: Subscription, subject: string, body: string, reply: string, needsRight: boolean): void;
  /** It wants its turn: to ask for messages, or to be ended. */
  wake(reader: DurableReader): void;
  /** It wants no turn any more. */
  ended(reader: DurableReader): void;
  /** It wants to be woken at a time, whatever it wanted before. */
  wakeAt(reader: DurableReader, dueMs: number): void;
}

/** The consumer that a durable subscription reads by. */
interface Source {
  readonly stream: string;
  readonly name: string;
  /** Where it is asked for messages. */
  readonly nextSubject: string;
  readonly pulling: Pulling;
  readonly inFlight: DurableInFlight;
}

/** What one takes with its inbox, about, in bytes. */
const readerBytes = 600;

/** One durable subscription of a connection: asks a consumer for messages, numbers them for the client, and passes on what it says of them. */
export class DurableReader implements Listener, DeliveryMark, Due {
  dueTick = 0;
  // Of the delivery that is being written: see `DeliveryMark`.
  delivery = 0;
  deliveries = 1;
  sequence = 0;
  /** Whether it is on its gateway's list of those that want a turn. */
  awake = false;
  /** What the subjects begin with at which it awaits what it asks for. */
  readonly inbox = `_INBOX.${randomBytes(12).toString('hex')}.`;
  readonly #host: DurableHost;
  #subscription: Subscription | null = null;
  /** Null while it is being found, or made. */
  #source: Source | null = null;
  /** Why it cannot go on; null while it can. */
  #failure: string | null = null;
  #pausedUntilMs = 0;

  constructor(host: DurableHost) {
    this.#host = host;
  }

  get heldBytes(): number {
    return readerBytes + (this.#source === null ? 0 : this.#source.inFlight.heldBytes);
  }

  get failure(): string | null {
    return this.#failure;
  }

  get subscription(): Subscription {
    assert(this.#subscription !== null, 'a reader is used once its subscription has begun');
    return this.#subscription;
  }

  begin(subscription: Subscription): void {
    this.#subscription = subscription;
  }

  /** Its consumer is there: from now on messages come. */
  open(stream: string, name: string, nextSubject: string, config: ConsumerConfigJson, prefetch: number): void {
    const ackWaitMs = Math.max(config.ack_wait ?? 0, ...(config.backoff ?? [])) / nsPerMs;
    const inFlight = new DurableInFlight(prefetch, ackWaitMs);
    this.#source = { stream, name, nextSubject, pulling: new Pulling(config), inFlight };
    this.#host.wake(this);
  }

  set prefetch(prefetch: number) {
    if (this.#source === null) return;
    this.#source.inFlight.prefetch = prefetch;
    this.#host.wake(this);
  }

  onMessage(topic: Topic, message: MessageView, index: number): void {
    const { shown } = message;
    if (shown !== null && shown.replyBytes > 0) this.#onStored(shown, topic, message, index);
    else this.#onAnswer(shown === null ? topic.text : shownSubject(shown), message, index);
  }

  #onStored(shown: Shown, topic: Topic, message: MessageView, index: number): void {
    const { subscription } = this;
    const { connection } = subscription;
    const source = this.#source;
    if (source === null || connection.state !== 'open') return;
    source.pulling.onMessage();
    this.#host.wake(this);
    // who may have it gets it when its time is over
    if (connection.rights?.mayReceive(shownSubject(shown)) === false) return;
    const { numbers } = shown;
    this.sequence = numbers[ackStreamSequence];
    this.deliveries = numbers[ackDelivered];
    // one that comes again was somebody else's meanwhile, or its time was over
    this.#drop(source.inFlight.earlierOf(this.sequence));
    this.delivery = connection.unacknowledged.add(subscription);
    const { sequence, deliveries } = this;
    const consumerSequence = numbers[ackConsumerSequence];
    source.inFlight.add(this.delivery, { sequence, consumerSequence, deliveries }, this.#host.nowMs);
    if (source.inFlight.size === 1) this.#host.wakeAt(this, source.inFlight.dueMs);
    this.#host.write(subscription, this, topic, message, index);
  }

  #onAnswer(address: string, message: MessageView, index: number): void {
    if (!address.startsWith(this.inbox)) return;
    const token = address.slice(this.inbox.length);
    const start = message.starts[index];
    const payloadStart = message.payloadStart(index);
    const { status, description } = message.withHeaders
      ? readHeaderBlock(message.bytes, start, payloadStart)
      : { status: 0, description: '' };
    if (isPullToken(token)) this.#onStatus(token, status, description);
    else if (status !== 0) this.#host.questions.refuse(this, token, description || `${status}`);
    else
      this.#host.questions.answer(this, token, Buffer.from(message.bytes.subarray(payloadStart, message.ends[index])));
  }

  #onStatus(token: string, code: number, text: string): void {
    const fate = this.#source?.pulling.onStatus(token, code, text) ?? 'ignored';
    if (fate === 'ignored') return;
    if (fate === 'later') this.#pausedUntilMs = this.#host.nowMs + durablePauseMs;
    if (fate === 'lost') this.#failure = `the consumer gives no more messages: ${text || code}`;
    this.#host.wake(this);
  }

  /** Asks for more where there is room, and lets go of what is not its own any more. */
  doWork(): void {
    const source = this.#source;
    const { connection } = this.subscription;
    if (source === null || connection.state !== 'open') return;
    const { nowMs } = this.#host;
    for (let overdue = source.inFlight.overdue(nowMs); overdue !== 0; overdue = source.inFlight.overdue(nowMs))
      this.#drop(overdue);
    const isHeldUp = connection.pendingBytes > durableUnreadBytesMax || this.#pausedUntilMs > nowMs;
    const pull = isHeldUp ? null : source.pulling.ask(source.inFlight.room);
    if (pull !== null) this.#host.tell(this.subscription, source.nextSubject, pull.body, this.inbox + pull.token, true);
    const againMs = isHeldUp ? nowMs + durablePauseMs : Number.POSITIVE_INFINITY;
    const dueMs = Math.min(source.inFlight.dueMs, againMs);
    if (dueMs !== Number.POSITIVE_INFINITY) this.#host.wakeAt(this, dueMs);
  }

  /**
   * The client says something of a delivery that is in flight.
   *
   * @param delayMs of `nackLater`: for how long nobody gets the message
   * @returns the question whether that is done; null when nobody asks
   */
  say(delivery: number, body: string, isAtWork: boolean, asks: boolean): Question | null {
    const source = this.#source;
    assert(source !== null, 'what is in flight has come from a consumer');
    const held = isAtWork ? source.inFlight.renew(delivery, this.#host.nowMs) : this.#take(delivery);
    assert(held !== null, 'a delivery that its connection knows is in flight');
    const subject = ackSubject(source, held);
    if (asks) return this.#host.questions.ask(this, subject, body, false);
    this.#host.tell(this.subscription, subject, body, '', false);
    return null;
  }

  /** What was not acknowledged is for whoever takes the durable's messages next. */
  onEnd(): void {
    this.#host.ended(this);
    this.#host.questions.end(this);
    const source = this.#source;
    if (source === null) return;
    for (const delivery of source.inFlight.deliveries) {
      const held = this.#take(delivery);
      if (held !== null) this.#host.tell(this.subscription, ackSubject(source, held), answerText('nack', 0), '', false);
    }
  }

  #drop(delivery: number): void {
    if (delivery !== 0) this.#take(delivery);
  }

  #take(delivery: number): DurableDelivery | null {
    this.subscription.connection.unacknowledged.take(delivery);
    this.#host.wake(this);
    return this.#source?.inFlight.take(delivery) ?? null;
  }
}

function ackSubject({ stream, name }: Source, { deliveries, sequence, consumerSequence }: DurableDelivery): string {
  return `$JS.ACK.${stream}.${name}.${deliveries}.${sequence}.${consumerSequence}.0.0`;
}
