import { latin1Bytes } from '../base/bytes.js';
import { MessageView } from '../base/messageView.js';
import { Span } from '../base/span.js';
import { cost, localShift, type Work } from '../base/work.js';
import { noRespondersMessage, topicFullMessage, unknownDeliveryMessage } from '../protocol/encoder.js';
import { classifyPublished } from '../protocol/subject.js';
import type { Interest } from '../router/interest.js';
import type { InterestEntry } from '../router/interestEntry.js';
import type { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';
import type { Connection } from './connection.js';
import type { Egress } from './egress.js';
import { Subscription } from './subscription.js';

/** What the broker itself answers requests, where they were read: it goes to the requester's own subscription that takes the reply. */
export class BrokerAnswers {
  readonly #interest: Interest;
  readonly #work: Work;
  readonly #egress: Egress;
  readonly #answer = new MessageView();

  constructor({ interest, work }: Router, egress: Egress) {
    this.#interest = interest;
    this.#work = work;
    this.#egress = egress;
  }

  /** Tells who sent the first `count` requests of a run that nobody listens, on its own subscriptions that take the replies. */
  noResponders(connection: Connection, topic: Topic, message: MessageView, count: number): void {
    const status = noRespondersMessage(topic.text);
    for (let i = 0; i < count; i++) this.#sayStatus(connection, message, i, status);
  }

  /** Tells a requester that the topic is full, on its own subscriptions that take the reply; returns false when it has none. */
  topicFull(connection: Connection, message: MessageView, index: number): boolean {
    return this.#sayStatus(connection, message, index, topicFullMessage);
  }

  /** Tells a client that there is no delivery of which it says something, or nothing was said, as it is told that nobody listens. */
  unknownDelivery(connection: Connection, message: MessageView, index: number): void {
    this.#sayStatus(connection, message, index, unknownDeliveryMessage);
  }

  /** @param status a headers block and CR LF */
  #sayStatus(connection: Connection, message: MessageView, index: number, status: Span): boolean {
    this.#answer.set(status, 0, status.bytes.length - 2);
    this.#answer.setHeaders(this.#answer.ends[0]);
    return this.#reply(connection, message.replyText(index), this.#answer);
  }

  /** Answers a request to the broker itself; returns false when the requester does not listen for the answer. */
  answer(connection: Connection, reply: string, text: string): boolean {
    const bytes = Buffer.from(`${text}\r\n`);
    this.#answer.set(new Span(bytes), 0, bytes.length - 2);
    return this.#reply(connection, reply, this.#answer);
  }

  /** Sends what the broker itself has to say to a request to the requester's own subscription that takes the reply. */
  #reply(connection: Connection, reply: string, answer: MessageView): boolean {
    if (classifyPublished(latin1Bytes(reply), 0, reply.length) === 'invalid') return false;
    if (connection.rights?.mayReceive(reply) === false) return false;
    const entries: InterestEntry[] = [];
    this.#work.units += this.#interest.match(reply, entries, connection.account) * cost.node;
    for (const entry of entries) {
      this.#work.units += entry.local.length >> localShift;
      for (const local of entry.local) {
        const subscription = Subscription.of(local);
        if (subscription.connection !== connection || subscription.queue !== '') continue;
        const head = connection.dialect.head(latin1Bytes(reply), subscription.sid, null);
        this.#egress.deliver(connection.solo, head, answer, 0, true);
        return true;
      }
    }
    return false;
  }
}
