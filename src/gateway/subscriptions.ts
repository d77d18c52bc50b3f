import { systemAccount } from '../base/account.js';
import type { AckTerms } from '../base/ackTerms.js';
import { assert } from '../base/assert.js';
import { latin1Bytes } from '../base/bytes.js';
import { type TallyRow, tally } from '../base/tally.js';
import { cost, type Work } from '../base/work.js';
import type { Exchange } from '../exchange/exchange.js';
import { errors, invalidDeliveryOptions, type ProtocolError, subscriptionDenied } from '../protocol/errors.js';
import { classifySubject } from '../protocol/subject.js';
import { type WorkTerms, whyNoWork } from '../protocol/workTerms.js';
import type { DeadLetters } from '../router/deadLetters.js';
import type { Router } from '../router/router.js';
import { hasCaughtUp, mayLeaveGroup } from '../router/settling.js';
import type { Topic } from '../router/topic.js';
import type { Connection } from './connection.js';
import type { Delivery } from './delivery.js';
import { Departures } from './departures.js';
import type { Listener } from './listener.js';
import type { GatewayLimits } from './options.js';
import { type DeliveryOptions, whyNoBlock } from './policies/deliveryOptions.js';
import type { Policing } from './policies/policing.js';
import type { SubscriberCounts } from './subscriberCounts.js';
import { Subscription } from './subscription.js';

/** The parts of a gateway that have to know of a subscription. */
export interface SubscriptionParts {
  readonly limits: GatewayLimits;
  readonly router: Router;
  readonly exchange: Exchange<Topic>;
  readonly delivery: Delivery;
  readonly policing: Policing;
  readonly deadLetters: DeadLetters;
  readonly tally: TallyRow;
  readonly subscriberCounts: SubscriberCounts;
}

/** What came of a subscription that a client asked for; an error is for the client. */
export type Begun = 'begun' | 'waits' | ProtocolError;

/** Begins and ends the subscriptions of a gateway's connections. */
export class Subscriptions {
  readonly #parts: SubscriptionParts;
  readonly #work: Work;
  readonly #departures: Departures;

  constructor(parts: SubscriptionParts) {
    const { router, exchange } = parts;
    this.#parts = parts;
    this.#work = router.work;
    this.#departures = new Departures(
      router.work,
      (ended) => this.#depart(ended),
      () => exchange.controlClear,
    );
  }

  /** Subscriptions of connections that have ended, which have not been taken away yet. */
  get leaving(): number {
    return this.#departures.size;
  }

  /** A turn's part of taking these away; returns whether there is more to do. */
  doWork(): boolean {
    return this.#departures.doWork();
  }

  /**
   * Begins a subscription, or changes the prefetch of the one that has its sid: that one stays, whatever the subject, as with nats-server.
   *
   * @param prefetch of a member that acknowledges: how many messages it has unacknowledged at most; else 0
   * @param terms what it asks for besides
   */
  begin(
    connection: Connection,
    subject: string,
    queue: string,
    sid: string,
    prefetch: number,
    terms?: AckTerms,
  ): Begun {
    const { exchange, delivery } = this.#parts;
    // the others must hear of a subscription before they hear of anything that follows from it
    if (!exchange.controlClear) return 'waits';
    if (connection.rights?.maySubscribe(subject, queue) === false) return subscriptionDenied(subject, queue);
    const wrong = this.#deadLetterMistake(connection, terms);
    if (wrong !== null) return wrong;
    const there = connection.subscriptions.get(sid);
    if (there !== undefined) {
      // NATS's own SUB says nothing of it
      if (there.inFlight !== null && prefetch > 0) delivery.prefetching.change(there, prefetch, terms);
      return 'begun';
    }
    const subscription = new Subscription(connection, subject, queue, sid);
    subscription.inFlight = delivery.prefetching.inFlightFor(prefetch, terms);
    const options = connection.requestedOptions === null ? null : connection.requestedOptions.for(subscription);
    const noWork = options === null ? null : this.#giveWork(subscription, options);
    if (noWork !== null) return noWork;
    if (options?.last && queue === '' && !delivery.images.hasRoom(connection)) return 'waits';
    const error = this.#whyNot(subscription, options);
    if (error !== null) return error;
    this.#add(subscription, options);
    return 'begun';
  }

  /** Begins a subscription that the gateway itself makes for a connection, and awaits answers there: what comes goes to who listens. */
  listen(connection: Connection, subject: string, sid: string, listener: Listener): Subscription | ProtocolError {
    const { router } = this.#parts;
    const subscription = new Subscription(connection, subject, '', sid);
    subscription.listener = listener;
    const error = this.#whyNot(subscription, null);
    if (error !== null) return error;
    connection.durables++;
    connection.acknowledging++;
    this.#add(subscription, null);
    const entry = router.interest.find(subject, connection.account);
    assert(entry !== null, 'a subscription that has begun is known');
    router.interest.claimInbox(entry);
    return subscription;
  }

  /** Gives a subscription that is about to begin what its client has asked for as a member of a group. @returns why not, or null */
  #giveWork(subscription: Subscription, { work }: DeliveryOptions): ProtocolError | null {
    if (work === null || subscription.inFlight !== null) return null;
    const why = this.whyNoWork(subscription.connection, subscription.queue, work);
    if (why === null)
      subscription.inFlight = this.#parts.delivery.prefetching.inFlightFor(work.prefetch, work.terms, true);
    return why === null ? null : invalidDeliveryOptions(why);
  }

  /** Why a connection may not have what a policy drops published where it says; null when it may. */
  whyNoLetters({ rights, account }: Connection, deadLetter: string): string | null {
    return this.#parts.deadLetters.whyNot({ deadLetter, account, rights })?.text ?? null;
  }

  /** Why a connection's members of a group may not acknowledge by such terms; null when they may. */
  whyNoWork(connection: Connection, queue: string, { terms }: WorkTerms): string | null {
    if (!connection.dialect.marks) return 'in this format no delivery can say by what it is acknowledged';
    return whyNoWork(queue) ?? this.#deadLetterMistake(connection, terms)?.text ?? null;
  }

  /** Has a member of a group acknowledge from now on, by other terms, or no more: then what it has is for others. What its SUB said stays. */
  setWork(subscription: Subscription, work: WorkTerms | null): void {
    const { inFlight, connection } = subscription;
    const { delivery, router } = this.#parts;
    const { prefetching } = delivery;
    // one that is about to leave its group stays as it is
    if (subscription.part === null || (inFlight === null ? work === null : !inFlight.outlives)) return;
    if (inFlight !== null && work !== null) {
      prefetching.change(subscription, work.prefetch, work.terms);
      return;
    }
    const next = work === null ? null : prefetching.inFlightFor(work.prefetch, work.terms, true);
    connection.acknowledging += next === null ? -1 : 1;
    router.interest.rebindLocal(subscription, () => {
      subscription.inFlight = next;
    });
    prefetching.ended(subscription, inFlight);
  }

  /** Dead letters are published with what the member may do that has named their subject. */
  #deadLetterMistake({ rights, account }: Connection, terms: AckTerms | undefined): ProtocolError | null {
    if (terms === undefined) return null;
    return this.#parts.deadLetters.whyNot({ deadLetter: terms.deadLetter, account, rights });
  }

  /**
   * Ends a subscription after so many messages since it began, or now; one that is not there has ended already.
   *
   * @param maxMessages 0 for now
   * @returns false when the connection has to wait
   */
  limit(connection: Connection, sid: string, maxMessages: number): boolean {
    const { exchange, delivery, router } = this.#parts;
    const subscription = connection.subscriptions.get(sid);
    if (subscription === undefined) return true;
    // what was sequenced before the client asked is still its own
    if (!hasCaughtUp(connection.order, exchange)) return false;
    if (maxMessages > 0 && subscription.planned) delivery.settle();
    if (maxMessages > 0 && subscription.delivered < maxMessages) {
      // plans count those with a maximum one by one
      if (subscription.maxMessages === 0) router.interest.touchLocal(subscription);
      subscription.maxMessages = maxMessages;
    } else if (this.#mayEnd(connection, subscription)) this.end(subscription);
    else return false;
    return true;
  }

  /** Takes a subscription away. */
  end(subscription: Subscription): void {
    const { connection } = subscription;
    if (!connection.subscriptions.delete(subscription.sid)) return;
    if (subscription.inFlight !== null || subscription.listener !== null) connection.acknowledging--;
    this.#takeAway([subscription]);
  }

  /** Ends all of a connection's: they take nothing any more from when its state has changed on, which is before anything else happens. */
  endAll(connection: Connection): void {
    const { subscriptions } = connection;
    for (const left of connection.unacknowledged.left) this.#parts.delivery.prefetching.ended(left);
    if (subscriptions.size === 0) return;
    // what waits in backlogs comes before last words
    for (const subscription of [...connection.backlogs.waiting]) this.#parts.policing.finish(subscription);
    // an end is input too: what it leaves goes to members of whom others have told before
    this.#parts.exchange.drainControl();
    if (!this.#departures.takesNow(subscriptions.size)) {
      this.#parts.delivery.looks.change(connection);
      this.#departures.add(connection);
      return;
    }
    const ended = [...subscriptions.values()];
    subscriptions.clear();
    this.#depart(ended);
  }

  #depart(ended: readonly Subscription[]): void {
    this.#takeAway(ended);
    this.#work.units += ended.length * cost.departure;
  }

  /** @returns why there can be no such subscription, or null */
  #whyNot({ connection, subject }: Subscription, options: DeliveryOptions | null): ProtocolError | null {
    const { limits, router } = this.#parts;
    const bytes = latin1Bytes(subject);
    if (classifySubject(bytes, 0, bytes.length) === 'invalid') return errors.invalidSubject;
    const wrong = whyNoBlock(options, subject, limits);
    if (wrong !== null) return invalidDeliveryOptions(wrong);
    const { maxSubscriptions, subscriptionMemoryBytes } = limits;
    if (maxSubscriptions > 0 && connection.subscriptions.size >= maxSubscriptions) return errors.subscriptions;
    return router.interest.heldBytes >= subscriptionMemoryBytes ? errors.subscriptions : null;
  }

  #add(subscription: Subscription, options: DeliveryOptions | null): void {
    const { connection } = subscription;
    const { delivery, policing, router } = this.#parts;
    connection.subscriptions.set(subscription.sid, subscription);
    this.#parts.tally[tally.subscribed]++;
    if (connection.account === systemAccount) this.#parts.tally[tally.systemSubscribed]++;
    this.#parts.subscriberCounts.add(subscription);
    if (subscription.inFlight !== null) connection.acknowledging++;
    policing.apply(subscription, options);
    router.interest.addLocal(subscription);
    connection.awaited.forget();
    if (options?.last && delivery.images.requestFirst(subscription)) connection.imagesOwed++;
  }

  #unlisten({ connection, listener }: Subscription): void {
    connection.durables--;
    listener?.onEnd();
  }

  /** Whether a subscription may end now. */
  #mayEnd(connection: Connection, subscription: Subscription): boolean {
    const { exchange, router } = this.#parts;
    // what a member that acknowledges has not is given to others in any case
    if (subscription.queue === '' || subscription.inFlight !== null) return true;
    return mayLeaveGroup(connection.order, subscription, router.interest, exchange);
  }

  /** Has everybody forget subscriptions that their connection does not have any more. */
  #takeAway(ended: readonly Subscription[]): void {
    const { delivery, policing, router, subscriberCounts } = this.#parts;
    this.#parts.tally[tally.unsubscribed] += ended.length;
    for (const subscription of ended) {
      if (subscription.account === systemAccount) this.#parts.tally[tally.systemUnsubscribed]++;
      delivery.images.cancel(subscription);
      policing.end(subscription);
      subscriberCounts.remove(subscription);
      router.interest.removeLocal(subscription);
      subscription.connection.awaited.forget();
      if (subscription.listener !== null) this.#unlisten(subscription);
    }
    // given to others only now, when none of these is among them
    for (const subscription of ended) if (subscription.queue !== '') delivery.prefetching.left(subscription);
  }
}
