import { assert } from '../../base/assert.js';
import { DueList } from '../../base/dueList.js';
import { defaultTerms, type HandTerms } from '../../base/handTerms.js';
import { healthTickMs, prefetchMessagesMax, workMovedPerTurn } from '../../base/limits.js';
import { MessageView } from '../../base/messageView.js';
import type { DeadReason } from '../../protocol/deadLetter.js';
import type { DeadLetters } from '../../router/deadLetters.js';
import { Rooms } from '../../router/rooms.js';
import type { Router } from '../../router/router.js';
import type { Topic } from '../../router/topic.js';
import type { HandAnswer, HandOutcome } from '../../subscriber/handState.js';
import type { HeldMessage, HeldMessages } from '../../subscriber/heldMessages.js';
import type { Connection } from '../connection.js';
import type { LocalQueue } from '../fanoutPlan.js';
import type { Subscription } from '../subscription.js';
import { Hand, HandDue } from './hand.js';

/** What handing out needs of the gateway's fan-out. */
export interface PrefetchingHost {
  /** Writes message `index` of a run to the member at a place of its group. */
  deliverTo(topic: Topic, members: LocalQueue, member: number, message: MessageView, index: number): void;
  /** Gives a message back to its shard, for whoever has room. */
  giveBack(topic: Topic, queue: string, message: MessageView, index: number): void;
  /** A parked connection has been given work: what it waits for may be that it goes on. */
  onBusy(): void;
  /** There is more to do than is done in a turn. */
  requestTurn(): void;
  nowMs(): number;
}

/**
 * Queue groups with members that acknowledge, on one gateway. Such a member is given so many messages as it may have unacknowledged;
 * what no member here has room for, and what one has not acknowledged when it goes, is its shard's again.
 */
export class Prefetching {
  readonly #router: Router;
  readonly #held: HeldMessages<Topic>;
  readonly #host: PrefetchingHost;
  readonly #rooms: Rooms;
  readonly #deadLetters: DeadLetters;
  readonly #view = new MessageView();
  /** Deliveries that are held back, and members that are to give a sign. */
  readonly #dues = new DueList<HandDue>(healthTickMs);
  #stopped = false;

  /** @param deadLetters publishes what nobody is to have again */
  constructor(router: Router, held: HeldMessages<Topic>, deadLetters: DeadLetters, host: PrefetchingHost) {
    this.#router = router;
    this.#held = held;
    this.#host = host;
    this.#rooms = new Rooms(router.interest);
    this.#deadLetters = deadLetters;
  }

  /** Whether the shards may have to be told of room. */
  get any(): boolean {
    return this.#rooms.any;
  }

  /** What its thread keeps for groups: what members have in hand, and what waits on its shard, in bytes. */
  get heldBytes(): number {
    return this.#held.heldBytes;
  }

  /** What a new subscription keeps its unacknowledged messages in; null for one that does not acknowledge. */
  handFor(prefetch: number, terms = defaultTerms, outlives = false): Hand | null {
    return prefetch === 0 ? null : new Hand(prefetch, terms, this.#held, outlives);
  }

  /** Gives a member that acknowledges another prefetch, and other terms. What it has in hand stays there. */
  change(subscription: Subscription, prefetch: number, terms: HandTerms = defaultTerms): void {
    const hand = handOf(subscription);
    const waited = hand.terms.ackWaitMs;
    hand.terms = terms;
    if (terms.ackWaitMs !== waited) {
      if (hand.deadline !== null) this.#dues.remove(hand.deadline);
      this.#watch(subscription, hand);
    }
    if (hand.prefetch === prefetch) return;
    hand.prefetch = prefetch;
    this.#rooms.rebounded(subscription);
  }

  /** Hands message `index` of a run out to a member of a group some of which acknowledge; false when none has room. */
  take(topic: Topic, queue: string, members: LocalQueue, message: MessageView, index: number): boolean {
    this.#rooms.came(topic, queue);
    const member = members.next(message.exceptConnection);
    if (member >= 0) {
      this.#give(topic, members, member, message, index);
      return true;
    }
    // who wants no echo leaves out a member that may have room
    if (message.exceptConnection === 0) this.#rooms.refused(topic, queue);
    this.#giveBack(topic, queue, message, index);
    return false;
  }

  /** A message for a group has come and was given to nobody. */
  skip(topic: Topic, queue: string): void {
    this.#rooms.came(topic, queue);
  }

  /** A client is done with a delivery; false when it has none of that number. */
  acknowledge(connection: Connection, delivery: number): boolean {
    return this.answer(connection, delivery, 'ack', 0);
  }

  /**
   * A client says something of a delivery; false when it has none of that number.
   *
   * @param delayMs of `nackLater`: for how long it is held back
   */
  answer(connection: Connection, delivery: number, answer: HandAnswer, delayMs: number): boolean {
    const subscription = connection.handedOut.find(delivery);
    if (subscription === null) return false;
    const hand = handOf(subscription);
    const nowMs = this.#host.nowMs();
    hand.sign(nowMs);
    const outcome = hand.on(delivery, answer, nowMs);
    if (outcome === 'pausing') {
      this.#dues.put(hand.pause(subscription, delivery), nowMs + delayMs);
      return true;
    }
    this.#endPause(hand, delivery);
    if (outcome === 'working') this.#watch(subscription, hand);
    else this.#settle(subscription, hand, delivery, outcome);
    return true;
  }

  /** A delivery does not stay in its hand: it is done, for another member, or for nobody. */
  #settle(subscription: Subscription, hand: Hand, delivery: number, outcome: HandOutcome): void {
    const { returns, dead } = hand.get(delivery);
    const isLast = outcome === 'returned' && hand.isLast(returns + 1);
    if (outcome === 'done' || (outcome === 'returned' && !isLast))
      this.#takeOut(subscription, hand, delivery, outcome === 'returned');
    else if (hand.terms.deadLetter === '' || dead) this.#takeOut(subscription, hand, delivery, false);
    else this.#bury(subscription, hand, delivery, isLast ? 'max-deliver' : 'terminated', returns + 1);
  }

  /** Has a delivery become a dead letter once what is under way is: it keeps its place in the hand until there is room for it. */
  #bury(subscription: Subscription, hand: Hand, delivery: number, reason: DeadReason, deliveries: number): void {
    subscription.connection.handedOut.take(delivery);
    const nowMs = this.#host.nowMs();
    hand.on(delivery, 'nackLater', nowMs);
    const pause = hand.pause(subscription, delivery);
    pause.reason = reason;
    pause.deliveries = deliveries;
    this.#dues.put(pause, nowMs);
  }

  /** Takes a delivery out of a hand; what is returned is for another member, or for the same one again. */
  #takeOut(subscription: Subscription, hand: Hand, delivery: number, returned: boolean): void {
    subscription.connection.handedOut.take(delivery);
    const held = hand.take(delivery);
    if (returned) this.#giveUp(held, subscription.queue);
    this.#held.release(held);
    if (hand.count === 0) subscription.connection.handedOut.forget(subscription);
    this.#rooms.changed(subscription);
  }

  #giveUp(held: HeldMessage<Topic>, queue: string): void {
    held.countReturn();
    if (!this.#stopped) this.#return(held, queue);
  }

  #endPause(hand: Hand, delivery: number): void {
    const pause = hand.endPause(delivery);
    if (pause !== undefined) this.#dues.remove(pause);
  }

  /** Sees to it that somebody looks when a member has given no sign for too long. */
  #watch(subscription: Subscription, hand: Hand): void {
    hand.deadline ??= new HandDue(subscription, 0);
    if (hand.deadline.dueTick === 0 && hand.dueMs !== Number.POSITIVE_INFINITY)
      this.#dues.put(hand.deadline, hand.dueMs);
  }

  /** Does what is due, so much of it a turn. */
  #doDue(): void {
    const nowMs = this.#host.nowMs();
    for (let moves = 0; moves < workMovedPerTurn; moves++) {
      const due = this.#dues.next(nowMs);
      if (due === null) return;
      this.#onDue(due, nowMs);
    }
    this.#host.requestTurn();
  }

  #onDue(due: HandDue, nowMs: number): void {
    const { subscription, delivery, reason } = due;
    const hand = handOf(subscription);
    if (reason !== null) {
      const isPosted = this.#post(subscription, hand, hand.get(delivery), reason, due.deliveries);
      if (!isPosted) this.#dues.put(due, nowMs + healthTickMs);
      else {
        this.#endPause(hand, delivery);
        this.#takeOut(subscription, hand, delivery, false);
      }
      return;
    }
    // what is held back has a number; a member that gave no sign has something that it has worked on for longest
    const overdue = delivery !== 0 ? delivery : hand.dueMs <= nowMs ? hand.oldest : undefined;
    if (overdue !== undefined) {
      this.#endPause(hand, overdue);
      this.#settle(subscription, hand, overdue, hand.on(overdue, 'due', nowMs));
    }
    this.#watch(subscription, hand);
  }

  /** Publishes what nobody is to have again; false when it is to be tried again. What may not be published is gone. */
  #post(
    { queue, connection }: Subscription,
    { terms }: Hand,
    held: HeldMessage<Topic>,
    reason: DeadReason,
    deliveries: number,
  ): boolean {
    const { account, rights } = connection;
    this.#held.show(held, this.#view);
    const notes = { reason, subject: held.topic.text, group: queue, deliveries, dropped: 0 };
    const sender = { deadLetter: terms.deadLetter, account, rights };
    return this.#deadLetters.post(sender, this.#view, notes) !== 'waits';
  }

  /** A subscription has ended, and takes nothing any more. What it has it may still answer for where it is said to, within its time. */
  left(subscription: Subscription): void {
    const { hand, connection } = subscription;
    const stays = hand?.outlives === true && connection.state === 'open';
    if (!stays || connection.handedOut.count > prefetchMessagesMax) this.ended(subscription);
    else if (hand.count > 0) connection.handedOut.leave(subscription);
  }

  /** A subscription has ended, and takes nothing any more, or acknowledges nothing from now on: what it has not acknowledged is for another member. */
  ended(subscription: Subscription, hand = subscription.hand): void {
    const { queue, connection } = subscription;
    if (hand === null) return;
    connection.handedOut.forget(subscription);
    for (const delivery of hand.deliveryNumbers) connection.handedOut.take(delivery);
    for (const due of hand.endDues()) this.#dues.remove(due);
    for (const held of hand.takeAll()) {
      this.#giveUp(held, queue);
      this.#held.release(held);
    }
  }

  /** Does what is due, and tells the shards who has room again. At every turn's end. */
  doWork(): void {
    if (this.#dues.size > 0) this.#doDue();
    if (this.#rooms.any) this.#rooms.tell();
  }

  /** All connections are going: nobody is left to be given anything. */
  stop(): void {
    this.#stopped = true;
  }

  #return(held: HeldMessage<Topic>, queue: string): void {
    const { topics } = this.#router;
    const { topic } = held;
    const live = topic.live ? topic : topics.obtain(topic.span, topic.start, topic.end, topic.account);
    this.#router.freshen(live);
    this.#held.show(held, this.#view);
    this.#giveBack(live, queue, this.#view, 0);
  }

  #giveBack(topic: Topic, queue: string, message: MessageView, index: number): void {
    message.work = true;
    this.#host.giveBack(topic, queue, message, index);
    message.work = false;
  }

  #give(topic: Topic, members: LocalQueue, member: number, message: MessageView, index: number): void {
    const subscription = members.members[member];
    const { connection, hand } = subscription;
    if (hand !== null) {
      const held = this.#held.keep(topic, message, index);
      // what is kept is taken: a synchronous publisher waits for it no longer
      held.syncToken = 0;
      hand.give(connection.handedOut.add(subscription), held, this.#host.nowMs());
      this.#watch(subscription, hand);
      if (connection.parked) this.#host.onBusy();
      // those that had it went without a word
      if (hand.isLast(held.returns)) {
        if (hand.terms.deadLetter === '' || held.dead) this.#takeOut(subscription, hand, hand.delivery, false);
        else this.#bury(subscription, hand, hand.delivery, 'max-deliver', held.returns);
        return;
      }
    }
    this.#host.deliverTo(topic, members, member, message, index);
  }
}

/** What one that acknowledges has not acknowledged. */
function handOf({ hand }: Subscription): Hand {
  assert(hand !== null, 'only who acknowledges has messages in hand');
  return hand;
}
