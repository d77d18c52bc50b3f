import type { MessageView } from '../../base/messageView.js';
import { invalidWish, type ProtocolError } from '../../protocol/errors.js';
import type { Interest } from '../../router/interest.js';
import type { Connection } from '../connection.js';
import type { Delivery } from '../delivery.js';
import type { GatewayLimits } from '../options.js';
import type { Policing } from './policing.js';
import { type Asked, parseAsked, readAsked, whyNoBlock } from './wish.js';
import { Wishes } from './wishes.js';

/** Tells a client whether what it sent was right. */
interface Judge {
  refuse(connection: Connection, error: ProtocolError): void;
  refusePublish(connection: Connection, count: number, error: ProtocolError): number;
  accept(connection: Connection): void;
}

/** Takes what clients ask for beyond NATS: messages to `$SHARDCAST.SUB`, and the defaults in CONNECT. */
export class Asking {
  readonly #limits: GatewayLimits;
  readonly #delivery: Delivery;
  readonly #policing: Policing;
  readonly #interest: Interest;
  readonly #judge: Judge;

  constructor(limits: GatewayLimits, delivery: Delivery, policing: Policing, interest: Interest, judge: Judge) {
    this.#limits = limits;
    this.#delivery = delivery;
    this.#policing = policing;
    this.#interest = interest;
    this.#judge = judge;
  }

  /** Takes a run of requests; returns how many, which is all. Requests are answered, and wrong ones that cannot be, refused. */
  ask(connection: Connection, message: MessageView): number {
    for (let i = 0; i < message.count; i++) {
      const json = Buffer.from(message.bytes.subarray(message.starts[i] + message.headerBytes, message.ends[i]));
      const wrong = this.#take(connection, parseAsked(json.toString()));
      const wantsAnswer = message.replyEnd !== message.replyStart;
      const answer = JSON.stringify(wrong === null ? { ok: true } : { error: wrong });
      const answered = wantsAnswer && this.#delivery.answer(connection, message, answer);
      if (wrong === null || answered) this.#judge.accept(connection);
      else this.#judge.refusePublish(connection, 1, invalidWish(wrong));
    }
    return message.count;
  }

  /** Takes what a CONNECT asks for all subscriptions. */
  askByDefault(connection: Connection, fields: Readonly<Record<string, unknown>>): void {
    const asked = readAsked(fields);
    const wrong = typeof asked !== 'string' && (asked.subject ?? asked.sid) !== null;
    const why = this.#take(connection, wrong ? 'CONNECT asks for the whole connection' : asked);
    if (why !== null) this.#judge.refuse(connection, invalidWish(why));
  }

  /** Takes what a door's own command asks for; returns what is wrong, or null. */
  askFor(connection: Connection, asked: Asked): string | null {
    return this.#take(connection, asked);
  }

  /** Why the wish may not be granted, for itself or for a subscription that is there already; null when it may. */
  #whyNot(connection: Connection, { subject, sid, wish }: Asked): string | null {
    const there = sid === null ? undefined : connection.subscriptions.get(sid);
    return whyNoBlock(wish, subject ?? there?.subject ?? '', this.#limits);
  }

  /** Returns what is wrong, or null. */
  #take(connection: Connection, asked: Asked | string): string | null {
    if (typeof asked === 'string') return asked;
    const wrong = this.#whyNot(connection, asked);
    if (wrong !== null) return wrong;
    connection.wishes ??= new Wishes();
    if (!connection.wishes.set(asked)) return 'too many wishes on one connection';
    if (asked.linger !== undefined) connection.linger = asked.linger;
    for (const subscription of connection.subscriptions.values()) {
      const wish = connection.wishes.for(subscription);
      const asksAnew = wish?.last === true && subscription.wish?.last !== true;
      if (this.#policing.apply(subscription, wish)) this.#interest.touchLocal(subscription);
      if (asksAnew && this.#delivery.images.requestAgain(subscription)) connection.imagesOwed++;
    }
    return null;
  }
}
