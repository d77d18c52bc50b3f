import { assert } from '../../base/assert.js';
import type { MessageView } from '../../base/messageView.js';
import { complete, type Sliced } from '../../base/slices.js';
import { cost, type Work } from '../../base/work.js';
import { invalidDeliveryOptions } from '../../protocol/errors.js';
import type { Images } from '../../router/images.js';
import type { Interest } from '../../router/interest.js';
import type { Router } from '../../router/router.js';
import type { BrokerAnswers } from '../brokerAnswers.js';
import type { Verdicts } from '../commands/verdicts.js';
import { finishChore } from '../connection/chore.js';
import type { Connection } from '../connection.js';
import type { GatewayLimits } from '../options.js';
import { Subscription } from '../subscription.js';
import type { Subscriptions } from '../subscriptions.js';
import {
  type DeliveryOptions,
  type OptionsRequest,
  parseOptionsRequest,
  readOptionsRequest,
  whyNoBlock,
} from './deliveryOptions.js';
import type { Policing } from './policing.js';
import { RequestedOptions } from './requestedOptions.js';

/** Takes what clients ask for beyond NATS: messages to `$SHARDCAST.SUB`, and the defaults in CONNECT. */
export class OptionsRequests {
  readonly #limits: GatewayLimits;
  readonly #images: Images<Subscription>;
  readonly #answers: BrokerAnswers;
  readonly #policing: Policing;
  readonly #interest: Interest;
  readonly #work: Work;
  readonly #verdicts: Verdicts;
  readonly #subscriptions: Subscriptions;

  constructor(
    limits: GatewayLimits,
    images: Images<Subscription>,
    answers: BrokerAnswers,
    policing: Policing,
    { interest, work }: Router,
    verdicts: Verdicts,
    subscriptions: Subscriptions,
  ) {
    this.#subscriptions = subscriptions;
    this.#limits = limits;
    this.#images = images;
    this.#answers = answers;
    this.#policing = policing;
    this.#interest = interest;
    this.#work = work;
    this.#verdicts = verdicts;
  }

  /**
   * Takes requests of a run; returns how many. Requests are answered, and wrong ones that cannot be, refused. Behind one that is for more
   * subscriptions than the connection's share lasts for the rest of the run waits: what is left of it is the connection's chore.
   */
  ask(connection: Connection, message: MessageView): number {
    for (let i = 0; i < message.count; i++) {
      this.#work.units += cost.asking;
      const json = Buffer.from(message.bytes.subarray(message.payloadStart(i), message.ends[i]));
      connection.chore = this.#answered(connection, parseOptionsRequest(json.toString()), message.replyText(i));
      if (!finishChore(connection, this.#work)) return i + 1;
    }
    return message.count;
  }

  /** Takes what a CONNECT asks for all subscriptions: they are looked at before its next operation is. */
  askByDefault(connection: Connection, fields: Readonly<Record<string, unknown>>): void {
    const asked = readOptionsRequest(fields);
    const why = this.#takeDefault(connection, asked);
    if (why !== null) this.#verdicts.refuse(connection, invalidDeliveryOptions(why));
  }

  #takeDefault(connection: Connection, asked: OptionsRequest | string): string | null {
    if (typeof asked === 'string') return asked;
    if ((asked.subject ?? asked.sid) !== null) return 'CONNECT asks for the whole connection';
    const wrong = this.#take(connection, asked);
    if (wrong === null) connection.chore = this.#apply(connection, asked);
    return wrong;
  }

  /** Takes what a door's own command asks for a subscription; returns what is wrong, or null. */
  askFor(connection: Connection, asked: OptionsRequest): string | null {
    return complete(this.#takeAndApply(connection, asked));
  }

  /** Why the options may not be granted, by themselves or for a subscription that is there already; null when they may. */
  #whyNot(connection: Connection, { subject, queue, sid, options }: OptionsRequest): string | null {
    const there = sid === null ? undefined : connection.subscriptions.get(sid);
    const noBlock = whyNoBlock(options, subject ?? there?.subject ?? '', this.#limits);
    const group = there === undefined ? queue : there.queue;
    if (noBlock !== null || options === null) return noBlock;
    if (options.work === null) return this.#subscriptions.whyNoLetters(connection, options.deadLetter);
    if (group === null) return null;
    return this.#subscriptions.whyNoWork(connection, group, options.work);
  }

  /** Takes a request, piece by piece, and says what came of it. */
  *#answered(connection: Connection, asked: OptionsRequest | string, reply: string): Iterator<void> {
    const { requestId } = connection;
    const wrong = typeof asked === 'string' ? asked : yield* this.#takeAndApply(connection, asked);
    // the connection may be at another line by now
    const current = connection.requestId;
    connection.requestId = requestId;
    this.#say(connection, wrong, reply);
    connection.requestId = current;
  }

  *#takeAndApply(connection: Connection, asked: OptionsRequest): Sliced<string | null> {
    const wrong = this.#take(connection, asked);
    if (wrong === null) yield* this.#apply(connection, asked);
    return wrong;
  }

  #say(connection: Connection, wrong: string | null, reply: string): void {
    const answer = JSON.stringify(wrong === null ? { ok: true } : { error: wrong });
    const answered = reply !== '' && this.#answers.answer(connection, reply, answer);
    if (wrong === null || answered) this.#verdicts.accept(connection);
    else this.#verdicts.refusePublish(connection, 1, invalidDeliveryOptions(wrong));
  }

  /** Notes what is asked for; returns what is wrong, or null. */
  #take(connection: Connection, asked: OptionsRequest): string | null {
    const wrong = this.#whyNot(connection, asked);
    if (wrong !== null) return wrong;
    connection.requestedOptions ??= new RequestedOptions();
    if (!connection.requestedOptions.set(asked)) return 'too many wishes on one connection';
    if (asked.linger !== undefined) connection.linger = asked.linger;
    return null;
  }

  /** Gives the subscriptions that a request may be for their options, one after the other. */
  *#apply(connection: Connection, asked: OptionsRequest): Sliced<void> {
    const { requestedOptions } = connection;
    assert(requestedOptions !== null, 'what was taken is noted');
    for (const subscription of this.#concerned(connection, asked)) {
      if (connection.subscriptions.get(subscription.sid) === subscription)
        this.#treat(subscription, requestedOptions.for(subscription));
      this.#work.units += cost.subscription;
      yield;
    }
  }

  /** Subscriptions among which are all that a request is for: no more than it takes to find them. */
  #concerned(connection: Connection, { sid, subject }: OptionsRequest): Iterable<Subscription> {
    const { subscriptions } = connection;
    if (sid !== null) return [subscriptions.get(sid) ?? []].flat();
    if (subject === null) return subscriptions.values();
    const local = this.#interest.find(subject, connection.account)?.local ?? [];
    // those of others may come and go meanwhile, which changes the list
    return local.length < subscriptions.size ? local.map(Subscription.of) : subscriptions.values();
  }

  #treat(subscription: Subscription, options: DeliveryOptions | null): void {
    const asksAnew = options?.last === true && subscription.options?.last !== true;
    if (this.#policing.apply(subscription, options)) this.#interest.touchLocal(subscription);
    if (subscription.queue !== '') this.#subscriptions.setWork(subscription, options?.work ?? null);
    if (asksAnew && this.#images.requestAgain(subscription)) subscription.connection.imagesOwed++;
  }
}
