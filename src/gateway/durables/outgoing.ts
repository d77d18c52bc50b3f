import { byteText, readableText } from '../../base/bytes.js';
import { workMovedPerTurn } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import { placeOf } from '../../base/span.js';
import type { Exchange } from '../../exchange/exchange.js';
import { publishDenied } from '../../protocol/errors.js';
import { RequestLayout } from '../../router/requestLayout.js';
import type { Router } from '../../router/router.js';
import type { Topic } from '../../router/topic.js';
import type { ApiCallers } from '../apiCallers.js';
import type { Connection } from '../connection.js';

/** A request that a gateway makes of a stream for a connection. */
export interface OutgoingRequest {
  readonly connection: Connection;
  readonly subject: string;
  readonly body: string;
  /** Where the answer is awaited; '' for none. */
  readonly reply: string;
  /** Whether it needs the connection's right to its subject: an acknowledgement is of what it was given. */
  readonly needsRight: boolean;
  /** It will not be answered: why. */
  onRefused(why: string): void;
}

type Posted = 'posted' | 'waits';

/** Requests on their way to streams, one behind the other: what there is no room for waits, and what there is much of is published over turns. */
export class Outgoing {
  readonly #router: Router;
  readonly #exchange: Exchange<Topic>;
  readonly #self: number;
  readonly #callers: ApiCallers;
  readonly #requestTurn: () => void;
  readonly #waiting: OutgoingRequest[] = [];
  #first = 0;
  readonly #layout: RequestLayout;
  #postedThisTurn = 0;

  constructor(router: Router, exchange: Exchange<Topic>, self: number, callers: ApiCallers, requestTurn: () => void) {
    this.#callers = callers;
    this.#layout = new RequestLayout(router, callers.audience);
    this.#router = router;
    this.#exchange = exchange;
    this.#self = self;
    this.#requestTurn = requestTurn;
  }

  get size(): number {
    return this.#waiting.length - this.#first;
  }

  /** Publishes a request, now or when there is room. Not while something is being delivered. */
  post(request: OutgoingRequest): void {
    if (this.size === 0 && this.#postedThisTurn < workMovedPerTurn && this.#publish(request) === 'posted') return;
    this.#waiting.push(request);
    this.#requestTurn();
  }

  /** A turn's part of what waits. */
  doWork(): void {
    this.#postedThisTurn = 0;
    while (this.size > 0 && this.#postedThisTurn < workMovedPerTurn) {
      if (this.#publish(this.#waiting[this.#first] as OutgoingRequest) === 'waits') break;
      this.#first++;
    }
    if (this.#first < this.#waiting.length) this.#requestTurn();
    if (this.#first > this.#waiting.length / 2) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
  }

  #publish(request: OutgoingRequest): Posted {
    const { connection, subject } = request;
    const body = Buffer.from(request.body);
    const reply = Buffer.from(request.reply);
    const shared = request.needsRight ? null : this.#layout.share(byteText(subject), body, reply, connection.account);
    if (shared !== null) return this.#send(connection, shared, this.#layout.message);
    const { span, start, end } = placeOf(Buffer.from(subject));
    const topic = this.#router.topics.obtain(span, start, end, connection.account);
    if (!this.#router.ready(topic)) return 'waits';
    if (request.needsRight && connection.rights?.mayPublish(topic) === false)
      return this.#refused(request, readableText(publishDenied(topic.text).text));
    if (!topic.served) return this.#refused(request, 'nobody answers for streams');
    const message = this.#layout.lay(body, reply);
    message.caller = this.#callers.callerOf(connection, topic);
    const posted = this.#send(connection, topic, message);
    message.caller = null;
    return posted;
  }

  #send(connection: Connection, topic: Topic, message: MessageView): Posted {
    if (this.#exchange.shards[topic.owner].publish(topic, message) === 0) return 'waits';
    this.#postedThisTurn++;
    if (topic.owner !== this.#self) connection.order.noteSent();
    return 'posted';
  }

  #refused(request: OutgoingRequest, why: string): Posted {
    request.onRefused(why);
    return 'posted';
  }
}
