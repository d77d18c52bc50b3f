import { byteText, readableText } from '../../base/bytes.js';
import { DueList } from '../../base/dueList.js';
import { durableOutgoingMax, durablesPerConnectionMax, healthTickMs } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import { StreamError } from '../../base/streamError.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { DeliveryMark } from '../../protocol/deliveryHead.js';
import { errors, subscriptionDenied } from '../../protocol/errors.js';
import type { JsonDurable } from '../../protocol/jsonDurable.js';
import { ConsumerApi } from '../../protocol/streamApi/consumerApi.js';
import { openDurable, StoredReadingError, streamOf } from '../../protocol/streamApi/storedReading.js';
import { type AskStreams, StreamApi } from '../../protocol/streamApi/streamApi.js';
import type { Router } from '../../router/router.js';
import type { Topic } from '../../router/topic.js';
import { answerText } from '../../subscriber/pulling.js';
import type { WorkAnswer } from '../../subscriber/workState.js';
import type { ApiCallers } from '../apiCallers.js';
import type { Connection } from '../connection.js';
import type { Egress } from '../egress.js';
import type { Subscription } from '../subscription.js';
import type { Subscriptions } from '../subscriptions.js';
import { type DurableHost, DurableReader } from './durableReader.js';
import { Outgoing } from './outgoing.js';
import { NoAnswerError, Questions } from './questions.js';

/** The parts of a gateway that durable subscriptions use. */
export interface DurablesParts {
  readonly self: number;
  readonly router: Router;
  readonly exchange: Exchange<Topic>;
  readonly egress: Egress;
  readonly subscriptions: Subscriptions;
  readonly apiCallers: ApiCallers;
  /** Whoever is parked may try again. */
  relieve(): void;
}

/** What came of a command: it is carried out, its connection has to wait, or it is wrong. */
export type DurableOutcome = 'done' | 'waits' | { readonly mistake: string };

/**
 * Subscriptions that go on where their name left off, for clients of doors that know nothing of consumers: each is a client of JetStream's API on its
 * connection's behalf, with its rights, as a client that speaks NATS would be.
 */
export class Durables implements DurableHost {
  readonly questions: Questions;
  readonly #parts: DurablesParts;
  readonly #outgoing: Outgoing;
  readonly #dues = new DueList<DurableReader>(healthTickMs);
  #awake: DurableReader[] = [];
  /** Whether somebody waits until less is on its way to streams. */
  #isAwaited = false;

  constructor(parts: DurablesParts) {
    this.#parts = parts;
    const requestTurn = () => parts.relieve();
    this.#outgoing = new Outgoing(parts.router, parts.exchange, parts.self, parts.apiCallers, requestTurn);
    this.questions = new Questions(
      (request) => this.#outgoing.post(request),
      requestTurn,
      () => this.nowMs,
    );
  }

  get nowMs(): number {
    return performance.now();
  }

  /**
   * Begins a durable subscription, or changes the prefetch of the one that has its sid. The connection's next line waits until it has begun.
   *
   * @param topic one character a byte of its UTF-8
   */
  begin(connection: Connection, topic: string, sid: string, durable: JsonDurable): DurableOutcome {
    if (!this.#parts.exchange.controlClear) return 'waits';
    const there = connection.subscriptions.get(sid);
    if (there !== undefined) {
      (there.listener as DurableReader).prefetch = durable.prefetch;
      this.#accept(connection, connection.requestId);
      return 'done';
    }
    if (connection.rights?.maySubscribe(topic, '') === false)
      return { mistake: readableText(subscriptionDenied(topic, '').text) };
    if (connection.durables >= durablesPerConnectionMax) return { mistake: errors.subscriptions.text };
    const reader = new DurableReader(this);
    const begun = this.#parts.subscriptions.listen(connection, `${reader.inbox}*`, sid, reader);
    if (!('connection' in begun)) return { mistake: begun.text };
    reader.begin(begun);
    connection.opening = true;
    void this.#open(reader, readableText(topic), durable, connection.requestId);
    return 'done';
  }

  /** A client says something of a delivery of a durable subscription. False when the connection has to wait. */
  answer(
    connection: Connection,
    reader: DurableReader,
    delivery: number,
    answer: WorkAnswer,
    delayMs: number,
    detail: string,
  ): boolean {
    if (this.#outgoing.size >= durableOutgoingMax) {
      this.#isAwaited = true;
      return false;
    }
    const { requestId } = connection;
    const question = reader.say(
      delivery,
      answerText(answer, delayMs, detail),
      answer === 'working',
      requestId !== null,
    );
    if (question === null) return true;
    connection.storing++;
    connection.confirming++;
    question.answer.then(
      () => this.#confirm(connection, () => this.#accept(connection, requestId)),
      (error: unknown) => this.#confirm(connection, () => this.#refuse(connection, whyOf(error), requestId)),
    );
    return true;
  }

  ended(reader: DurableReader): void {
    this.#dues.remove(reader);
  }

  write(subscription: Subscription, mark: DeliveryMark, topic: Topic, message: MessageView, index: number): void {
    const { connection, sid } = subscription;
    const head = connection.dialect.head(topic.subject, sid, mark);
    this.#parts.egress.deliver(connection.solo, head, message, index, connection.options.headers);
    subscription.delivered++;
  }

  tell({ connection }: Subscription, subject: string, body: string, reply: string, needsRight: boolean): void {
    const onRefused = (why: string) => this.#refuse(connection, why, null);
    this.#outgoing.post({ connection, subject, body, reply, needsRight, onRefused });
  }

  wake(reader: DurableReader): void {
    if (reader.awake) return;
    reader.awake = true;
    this.#awake.push(reader);
    this.#parts.relieve();
  }

  wakeAt(reader: DurableReader, dueMs: number): void {
    this.#dues.put(reader, dueMs);
  }

  /** Asks for what there is room for, and does what is due. At every turn's end. */
  doWork(): void {
    this.#outgoing.doWork();
    this.questions.doWork();
    if (this.#dues.size > 0) {
      const { nowMs } = this;
      for (let due = this.#dues.next(nowMs); due !== null; due = this.#dues.next(nowMs)) this.wake(due);
    }
    if (this.#awake.length > 0) {
      const awake = this.#awake;
      this.#awake = [];
      for (const reader of awake) this.#work(reader);
    }
    if (!this.#isAwaited || this.#outgoing.size >= durableOutgoingMax) return;
    this.#isAwaited = false;
    this.#parts.relieve();
  }

  #work(reader: DurableReader): void {
    reader.awake = false;
    const { connection, sid } = reader.subscription;
    if (connection.subscriptions.get(sid) !== reader.subscription) return;
    if (reader.failure === null) reader.doWork();
    else this.#fail(reader, reader.failure, null);
  }

  /** Finds the stream and the consumer, or makes it. */
  async #open(reader: DurableReader, topic: string, durable: JsonDurable, requestId: string | null): Promise<void> {
    const { connection } = reader.subscription;
    const ask: AskStreams = (subject, body) => this.questions.ask(reader, subject, body, true).answer;
    try {
      const streams = new StreamApi(ask);
      const stream = durable.stream || (await streamOf(streams, [topic], '"stream"'));
      const api = new ConsumerApi(ask, stream);
      const config = await openDurable(api, streams, stream, durable.name, { ...durable.reading, subjects: [topic] });
      if (config.ack_policy !== 'explicit')
        throw new StoredReadingError(
          `consumer ${durable.name} of stream ${stream} has acks ${config.ack_policy}, not explicit`,
        );
      if (connection.state !== 'open') return;
      reader.open(stream, durable.name, api.nextSubject(durable.name), config, durable.prefetch);
      this.#accept(connection, requestId);
    } catch (error) {
      this.#fail(reader, whyOf(error), requestId);
    } finally {
      connection.opening = false;
      this.#parts.relieve();
    }
  }

  #fail({ subscription }: DurableReader, why: string, requestId: string | null): void {
    this.#refuse(subscription.connection, why, requestId);
    this.#parts.subscriptions.end(subscription);
  }

  #accept(connection: Connection, requestId: string | null): void {
    if (requestId === null || connection.state !== 'open') return;
    this.#parts.egress.write(connection, connection.dialect.ok(requestId));
  }

  #refuse(connection: Connection, why: string, requestId: string | null): void {
    if (connection.state !== 'open') return;
    this.#parts.egress.write(connection, connection.dialect.error(byteText(why), requestId));
  }

  #confirm(connection: Connection, say: () => void): void {
    connection.storing--;
    connection.confirming--;
    say();
    this.#parts.relieve();
  }
}

/** What went wrong, in words for the client. */
function whyOf(error: unknown): string {
  if (error instanceof StreamError) return `${error.message} (${error.errorNumber})`;
  if (error instanceof StoredReadingError || error instanceof NoAnswerError) return error.message;
  return 'what was answered cannot be read';
}
