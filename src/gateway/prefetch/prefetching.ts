import { type AckTerms, defaultTerms } from '../../base/ackTerms.js';
import { assert } from '../../base/assert.js';
import { DueList } from '../../base/dueList.js';
import { healthTickMs, prefetchMessagesMax, workMovedPerTurn } from '../../base/limits.js';
import { MessageView } from '../../base/messageView.js';
import type { DeadReason } from '../../protocol/deadLetter.js';
import type { DeadLetters } from '../../router/deadLetters.js';
import { Rooms } from '../../router/rooms.js';
import type { Router } from '../../router/router.js';
import type { Topic } from '../../router/topic.js';
import type { HeldMessage, HeldMessages } from '../../subscriber/heldMessages.js';
import type { WorkAnswer, WorkOutcome } from '../../subscriber/workState.js';
import type { Connection } from '../connection.js';
import type { LocalQueue } from '../fanoutPlan.js';
import type { Subscription } from '../subscription.js';
import { InFlightDue, WorkInFlight } from './workInFlight.js';

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
  readonly #dues = new DueList<InFlightDue>(healthTickMs);
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

  /** What its thread keeps for groups: what members have in flight, and what waits on its shard, in bytes. */
  get heldBytes(): number {
    return this.#held.heldBytes;
  }

  /** What a new subscription keeps its unacknowledged messages in; null for one that does not acknowledge. */
  inFlightFor(prefetch: number, terms = defaultTerms, outlives = false): WorkInFlight | null {
    return prefetch === 0 ? null : new WorkInFlight(prefetch, terms, this.#held, outlives);
  }

  /** Gives a member that acknowledges another prefetch, and other terms. What it has in flight stays there. */
  change(subscription: Subscription, prefetch: number, terms: AckTerms = defaultTerms): void {
    const inFlight = inFlightOf(subscription);
    const waited = inFlight.terms.ackWaitMs;
    inFlight.terms = terms;
    if (terms.ackWaitMs !== waited) {
      if (inFlight.deadline !== null) this.#dues.remove(inFlight.deadline);
      this.#watch(subscription, inFlight);
    }
    if (inFlight.prefetch === prefetch) return;
    inFlight.prefetch = prefetch;
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
   * @param detail of `terminate`: why, as `deadDetail` has it
   */
  answer(connection: Connection, delivery: number, answer: WorkAnswer, delayMs: number, detail = ''): boolean {
    const subscription = connection.unacknowledged.find(delivery);
    if (subscription === null) return false;
    const inFlight = inFlightOf(subscription);
    const nowMs = this.#host.nowMs();
    inFlight.sign(nowMs);
    const outcome = inFlight.on(delivery, answer, nowMs);
    if (outcome === 'pausing') {
      this.#dues.put(inFlight.pause(subscription, delivery), nowMs + delayMs);
      return true;
    }
    this.#endPause(inFlight, delivery);
    if (outcome === 'working') this.#watch(subscription, inFlight);
    else this.#settle(subscription, inFlight, delivery, outcome, detail);
    return true;
  }

  /** A delivery is in flight no more: it is done, for another member, or for nobody. */
  #settle(
    subscription: Subscription,
    inFlight: WorkInFlight,
    delivery: number,
    outcome: WorkOutcome,
    detail = '',
  ): void {
    const { returns, dead } = inFlight.get(delivery);
    const isLast = outcome === 'returned' && inFlight.isLast(returns + 1);
    if (outcome === 'done' || (outcome === 'returned' && !isLast))
      this.#takeOut(subscription, inFlight, delivery, outcome === 'returned');
    else if (inFlight.terms.deadLetter === '' || dead) this.#takeOut(subscription, inFlight, delivery, false);
    else if (isLast) this.#bury(subscription, inFlight, delivery, 'max-deliver', returns + 1);
    else this.#bury(subscription, inFlight, delivery, 'terminated', returns + 1, detail);
  }

  /** Has a delivery become a dead letter once what is under way is: it stays in flight until there is room for it. */
  #bury(
    subscription: Subscription,
    inFlight: WorkInFlight,
    delivery: number,
    reason: DeadReason,
    deliveries: number,
    detail = '',
  ): void {
    subscription.connection.unacknowledged.take(delivery);
    const nowMs = this.#host.nowMs();
    inFlight.on(delivery, 'nackLater', nowMs);
    const pause = inFlight.pause(subscription, delivery);
    pause.reason = reason;
    pause.detail = detail;
    pause.deliveries = deliveries;
    this.#dues.put(pause, nowMs);
  }

  /** Takes a delivery out; what is returned is for another member, or for the same one again. */
  #takeOut(subscription: Subscription, inFlight: WorkInFlight, delivery: number, returned: boolean): void {
    subscription.connection.unacknowledged.take(delivery);
    const held = inFlight.take(delivery);
    if (returned) this.#giveUp(held, subscription.queue);
    this.#held.release(held);
    if (inFlight.count === 0) subscription.connection.unacknowledged.forget(subscription);
    this.#rooms.changed(subscription);
  }

  #giveUp(held: HeldMessage<Topic>, queue: string): void {
    held.countReturn();
    if (!this.#stopped) this.#return(held, queue);
  }

  #endPause(inFlight: WorkInFlight, delivery: number): void {
    const pause = inFlight.endPause(delivery);
    if (pause !== undefined) this.#dues.remove(pause);
  }

  /** Sees to it that somebody looks when a member has given no sign for too long. */
  #watch(subscription: Subscription, inFlight: WorkInFlight): void {
    inFlight.deadline ??= new InFlightDue(subscription, 0);
    if (inFlight.deadline.dueTick === 0 && inFlight.dueMs !== Number.POSITIVE_INFINITY)
      this.#dues.put(inFlight.deadline, inFlight.dueMs);
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

  #onDue(due: InFlightDue, nowMs: number): void {
    const { subscription, delivery } = due;
    const inFlight = inFlightOf(subscription);
    if (due.reason !== null) {
      const isPosted = this.#post(due, due.reason, inFlight);
      if (!isPosted) this.#dues.put(due, nowMs + healthTickMs);
      else {
        this.#endPause(inFlight, delivery);
        this.#takeOut(subscription, inFlight, delivery, false);
      }
      return;
    }
    // what is held back has a number; a member that gave no sign has something that it has worked on for longest
    const overdue = delivery !== 0 ? delivery : inFlight.dueMs <= nowMs ? inFlight.oldest : undefined;
    if (overdue !== undefined) {
      this.#endPause(inFlight, overdue);
      this.#settle(subscription, inFlight, overdue, inFlight.on(overdue, 'due', nowMs));
    }
    this.#watch(subscription, inFlight);
  }

  /** Publishes what nobody is to have again; false when it is to be tried again. What may not be published is gone. */
  #post(
    { subscription, delivery, detail, deliveries }: InFlightDue,
    reason: DeadReason,
    inFlight: WorkInFlight,
  ): boolean {
    const { queue, connection } = subscription;
    const { account, rights } = connection;
    const held = inFlight.get(delivery);
    this.#held.show(held, this.#view);
    const notes = { reason, detail, subject: held.topic.text, group: queue, deliveries, dropped: 0 };
    const sender = { deadLetter: inFlight.terms.deadLetter, account, rights };
    return this.#deadLetters.post(sender, this.#view, notes) !== 'waits';
  }

  /** A subscription has ended, and takes nothing any more. What it has it may still answer for where it is said to, within its time. */
  left(subscription: Subscription): void {
    const { inFlight, connection } = subscription;
    const stays = inFlight?.outlives === true && connection.state === 'open';
    if (!stays || connection.unacknowledged.count > prefetchMessagesMax) this.ended(subscription);
    else if (inFlight.count > 0) connection.unacknowledged.leave(subscription);
  }

  /** A subscription has ended, and takes nothing any more, or acknowledges nothing from now on: what it has not acknowledged is for another member. */
  ended(subscription: Subscription, inFlight = subscription.inFlight): void {
    const { queue, connection } = subscription;
    if (inFlight === null) return;
    connection.unacknowledged.forget(subscription);
    for (const delivery of inFlight.deliveryNumbers) connection.unacknowledged.take(delivery);
    for (const due of inFlight.endDues()) this.#dues.remove(due);
    for (const held of inFlight.takeAll()) {
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
    const { connection, inFlight } = subscription;
    if (inFlight !== null) {
      const held = this.#held.keep(topic, message, index);
      // what is kept is taken: a synchronous publisher waits for it no longer
      held.syncToken = 0;
      inFlight.give(connection.unacknowledged.add(subscription), held, this.#host.nowMs());
      this.#watch(subscription, inFlight);
      if (connection.parked) this.#host.onBusy();
      // those that had it went without a word
      if (inFlight.isLast(held.returns)) {
        if (inFlight.terms.deadLetter === '' || held.dead)
          this.#takeOut(subscription, inFlight, inFlight.delivery, false);
        else this.#bury(subscription, inFlight, inFlight.delivery, 'max-deliver', held.returns);
        return;
      }
    }
    this.#host.deliverTo(topic, members, member, message, index);
  }
}

/** What one that acknowledges has not acknowledged. */
function inFlightOf({ inFlight }: Subscription): WorkInFlight {
  assert(inFlight !== null, 'only who acknowledges has messages in flight');
  return inFlight;
}
