import { assert } from '../../base/assert.js';
import { latin1Bytes } from '../../base/bytes.js';
import { backlogDrainBytes, conflatedUnsentBytes } from '../../base/limits.js';
import type { LossWatch } from '../../base/lossWatch.js';
import type { MessageView } from '../../base/messageView.js';
import type { PolicyName, SlowPolicy } from '../../base/policy.js';
import { shownSubject } from '../../base/shown.js';
import { ownTallyRow, type TallyRow, tally } from '../../base/tally.js';
import type { DeliveryHead } from '../../protocol/deliveryHead.js';
import { latestName } from '../../protocol/messageKey.js';
import type { Topic } from '../../router/topic.js';
import type { HeldMessages } from '../../subscriber/heldMessages.js';
import type { SlowEvent } from '../../subscriber/slowPath.js';
import type { Connection } from '../connection.js';
import type { Egress } from '../egress.js';
import { EncodedDelivery } from '../encodedDelivery.js';
import { canPing, sendPing } from '../ping.js';
import type { Subscription } from '../subscription.js';
import { BacklogLetters, type GatewayLetters } from './backlogLetters.js';
import type { DeliveryOptions } from './deliveryOptions.js';
import { Pacing, pacingNow } from './pacing.js';
import type { PolicedGroup } from './policedGroup.js';
import { SubscriptionBacklog } from './subscriptionBacklog.js';

/** What slow subscribers bring about. */
export interface PolicingEvents {
  /** A subscription that is to be disconnected when it is slow has lost more than it may. */
  onLostTooMuch(connection: Connection): void;
  /** A subscription that has to get everything has more waiting than it may. */
  onTooMuch(topic: Topic, subscription: Subscription): void;
  /** It has little enough waiting again, or is gone. */
  onEnoughTaken(subscription: Subscription): void;
  /** A subscription has had its last message. */
  onLastMessage(subscription: Subscription): void;
  /** There is something to be done at the end of the turn. */
  onWork(): void;
}

const droppedBy: Readonly<Record<PolicyName, number>> = {
  disconnect: tally.droppedByDisconnect,
  'drop-new': tally.droppedByDropNew,
  'drop-old': tally.droppedByDropOld,
  block: tally.droppedByBlock,
  conflate: tally.droppedByConflate,
};

/** What is needed to make dead letters of what is dropped. */
interface Letters {
  readonly held: HeldMessages<Topic>;
  readonly lines: GatewayLetters;
}

/**
 * Subscriptions that have a policy. While their connection is behind their messages go to a backlog each, and from there to the
 * connection when it has taken what was pending: so little is pending for it that the policy decides what it gets. A connection
 * that conflates counts as behind all the time, and is given more only when it has read most of what it was given: what it has
 * not read gets old wherever it is.
 */
export class Policing {
  /** Moves whenever a connection with such subscriptions falls behind or has caught up. */
  splits = 0;
  /** Memory that backlogs take, in bytes. */
  heldBytes = 0;
  readonly losses: LossWatch<Subscription>;
  readonly #egress: Egress;
  readonly #events: PolicingEvents;
  /** Connections that are behind and may be given something. */
  #ready: Connection[] = [];
  /** Connections that have lost too much, to be ended at the end of the turn. */
  #lost: Connection[] = [];
  readonly #encoded = new EncodedDelivery();
  readonly #tally: TallyRow;
  readonly #letters: Letters | null;

  /**
   * @param row where what is dropped is counted
   * @param letters where it goes, of those that have named a subject for it
   */
  constructor(
    egress: Egress,
    losses: LossWatch<Subscription>,
    events: PolicingEvents,
    row = ownTallyRow(),
    letters: Letters | null = null,
  ) {
    this.#letters = letters;
    this.#tally = row;
    this.#egress = egress;
    this.losses = losses;
    this.#events = events;
  }

  /** Gives a subscription what was asked for it; returns whether its topics have to be planned anew. */
  apply(subscription: Subscription, options: DeliveryOptions | null): boolean {
    const before = subscription.slow;
    const after = options === null ? null : options.slow;
    if (subscription.options === options) return false;
    this.finish(subscription);
    subscription.options = options;
    const { connection } = subscription;
    this.#enlist(connection, after, 1);
    this.#enlist(connection, before, -1);
    if (after !== null && connection.pendingBytes > 0) this.onBehind(connection);
    return before !== null || after !== null;
  }

  /** The connection's socket did not take what it was offered. */
  onBehind(connection: Connection): void {
    this.#note(connection, 'notTaken');
  }

  /** A connection that is behind has taken all that was pending. */
  onTaken(connection: Connection): void {
    this.#wake(connection);
  }

  /** The client has answered a PING. */
  onPong(connection: Connection, pacing: Pacing): void {
    pacing.answered(this.#egress.nowMs);
    if (connection.backlogs.waiting.size > 0) this.#wake(connection);
  }

  /** What the client says is not read for now, its answers to PINGs neither: they are not waited for meanwhile. */
  onParked(connection: Connection): void {
    if (connection.backlogs.pacing !== null && connection.backlogs.waiting.size > 0) this.#wake(connection);
  }

  /** Keeps a run of messages for the members of a group that are behind. */
  keepRun(group: PolicedGroup, topic: Topic, message: MessageView): void {
    for (let i = 0; i < message.count; i++) {
      this.#encoded.encode(group.head, message, i, group.headers);
      for (const subscription of group.behind)
        if (subscription.connection.id !== message.exceptConnection) this.#offer(subscription, topic, message, i);
    }
    this.#encoded.release();
  }

  /** Keeps message `index` of a run for one subscription that is behind. */
  keep(subscription: Subscription, head: DeliveryHead, topic: Topic, message: MessageView, index: number): void {
    this.#encoded.encode(head, message, index, subscription.connection.options.headers);
    this.#offer(subscription, topic, message, index);
    this.#encoded.release();
  }

  /** Ends who lost too much, and gives connections that have room what waits for them. Before every flush of a turn's end. */
  doWork(): void {
    if (this.#lost.length > 0) for (const connection of this.#lost.splice(0)) this.#events.onLostTooMuch(connection);
    if (this.#ready.length === 0) return;
    const ready = this.#ready;
    this.#ready = [];
    for (const connection of ready) {
      connection.backlogs.ready = false;
      if (connection.state === 'open' && connection.backlogs.slowPath.lagging && connection.pendingBytes === 0)
        this.#drain(connection);
    }
    if (this.#ready.length > 0) this.#events.onWork();
  }

  /** Hands all that waits for a subscription to its connection: it ends, or is policed no more. */
  finish(subscription: Subscription): void {
    if (subscription.backlog === null) return;
    this.#handOver(subscription, subscription.backlog, Number.POSITIVE_INFINITY, null);
    this.forget(subscription);
  }

  /** The subscription ends; what came before still goes to its connection. */
  end(subscription: Subscription): void {
    const { connection } = subscription;
    this.finish(subscription);
    this.#enlist(connection, subscription.slow, -1);
    this.losses.forget(subscription);
    connection.requestedOptions?.ended(subscription);
  }

  /** Nobody waits for a connection's subscriptions any more: those that were to get everything are ended when they are slow. */
  stopBlocking(connection: Connection): void {
    for (const subscription of connection.subscriptions.values()) {
      const { options, backlog } = subscription;
      if (options?.slow?.policy !== 'block') continue;
      const slow: SlowPolicy = { ...options.slow, policy: 'disconnect', maxDrops: 0 };
      subscription.options = { ...options, slow };
      if (backlog !== null) backlog.policy = slow;
      this.#events.onEnoughTaken(subscription);
    }
  }

  /** Drops what waits for a subscription. */
  forget(subscription: Subscription): void {
    const { backlog, connection } = subscription;
    if (backlog === null) return;
    this.#noteHeld(connection, -backlog.heldBytes);
    backlog.clear();
    subscription.backlog = null;
    if (backlog.policy.policy === 'block') this.#events.onEnoughTaken(subscription);
    connection.backlogs.leave(subscription);
  }

  /** Policies keep a connection's backlogs at about `max_pending` in all; but of every subscription one message may wait. */
  #holdsTooMuch(connection: Connection): boolean {
    return connection.backlogs.heldBytes > 2 * this.#egress.maxPendingBytes;
  }

  #noteHeld(connection: Connection, bytes: number): void {
    connection.backlogs.heldBytes += bytes;
    this.heldBytes += bytes;
  }

  /** Counts a subscription in, or out, and has its connection paced while any of its subscriptions conflates. */
  #enlist(connection: Connection, policy: SlowPolicy | null, by: 1 | -1): void {
    if (policy === null) return;
    connection.backlogs.policed += by;
    if (policy.policy !== 'conflate') return;
    connection.backlogs.conflating += by;
    if (connection.backlogs.conflating === 0) {
      connection.backlogs.pacing = null;
      this.#wake(connection);
    } else if (!canPing(connection)) connection.transport.limitUnsent(conflatedUnsentBytes);
    else if (connection.backlogs.pacing === null) {
      connection.backlogs.pacing = new Pacing(this.#egress.nowMs);
      this.#note(connection, 'paced');
    }
  }

  #wake(connection: Connection): void {
    if (connection.backlogs.ready) return;
    connection.backlogs.ready = true;
    this.#ready.push(connection);
    this.#events.onWork();
  }

  /** Offers the delivery that was encoded last, of message `index`, to one subscription. */
  #offer(subscription: Subscription, topic: Topic, message: MessageView, index: number): void {
    const { connection } = subscription;
    if (connection.state !== 'open' || this.#holdsTooMuch(connection)) return;
    // what was published before a PING comes before its PONG, if there is room for it at all
    if (connection.backlogs.pacing !== null && this.#sendAtOnce(subscription, connection.backlogs.pacing)) return;
    subscription.backlog ??= this.#backlogOf(subscription);
    const backlog = subscription.backlog;
    const wasEmpty = backlog.empty;
    const { heldBytes: heldBefore, dropped: droppedBefore, replaced: replacedBefore } = backlog;
    const squeezed = connection.backlogs.heldBytes >= this.#egress.maxPendingBytes;
    const subject = message.shown === null ? topic.text : shownSubject(message.shown);
    const key = backlog.byKey ? latestName(subject, message, index) : subject;
    backlog.letters?.offer(topic, message, index);
    const outcome = backlog.offer(this.#encoded.span, 0, this.#encoded.end, key, squeezed);
    this.#noteHeld(connection, backlog.heldBytes - heldBefore);
    if (this.#holdsTooMuch(connection)) this.#lost.push(connection);
    this.#count(subscription, backlog.dropped - droppedBefore, backlog.replaced - replacedBefore);
    if (wasEmpty) {
      connection.backlogs.line(subscription);
      if (connection.backlogs.pacing !== null) this.#wake(connection);
    }
    if (outcome === 'ends') this.#lost.push(connection);
    else if (outcome === 'blocks') this.#hold(topic, subscription, backlog);
  }

  /** Gives the delivery that was encoded last to a paced connection that keeps up; returns whether it does. */
  #sendAtOnce(subscription: Subscription, pacing: Pacing): boolean {
    const { connection } = subscription;
    if (connection.backlogs.waiting.size > 0 || connection.pendingBytes > 0 || pacing.roomBytes === 0) return false;
    const { span, end } = this.#encoded;
    this.#egress.deliverEncoded(connection, span, 0, end);
    this.#pace(connection, pacing, end);
    if (++subscription.delivered === subscription.maxMessages) this.#events.onLastMessage(subscription);
    return true;
  }

  #pace(connection: Connection, pacing: Pacing, lengthBytes: number): void {
    if (pacing.sent(lengthBytes)) sendPing(this.#egress, connection);
  }

  #count(subscription: Subscription, dropped: number, replaced: number): void {
    subscription.replaced += replaced;
    this.#tally[tally.replaced] += replaced;
    if (dropped === 0) return;
    subscription.dropped += dropped;
    this.#tally[tally.dropped] += dropped;
    this.#tally[droppedBy[subscription.slow?.policy ?? 'disconnect']] += dropped;
    this.losses.note(subscription, dropped, this.#egress.nowMs);
  }

  /** Has the topic's publishers wait; what is under way already is taken, within what any slow connection may have. */
  #hold(topic: Topic, subscription: Subscription, backlog: SubscriptionBacklog): void {
    if (backlog.bytes > backlog.policy.maxBytes + this.#egress.maxPendingBytes)
      this.#lost.push(subscription.connection);
    this.#events.onTooMuch(topic, subscription);
  }

  #backlogOf(subscription: Subscription): SubscriptionBacklog {
    const { connection, subject, sid, options } = subscription;
    const policy = subscription.slow;
    assert(policy !== null, 'only what has a policy is kept back');
    const noticeOf = (lost: number): Uint8Array | null =>
      connection.dialect.lossNotice(latin1Bytes(subject), sid, lost, policy.policy, connection.options.headers);
    const letters =
      this.#letters === null || subscription.deadLetter === ''
        ? null
        : new BacklogLetters(subscription, policy.policy, this.#letters.held, this.#letters.lines);
    return new SubscriptionBacklog(policy, this.#egress.pool, options?.notice === true ? noticeOf : null, letters);
  }

  /** Gives a connection that has nothing pending some of what waits, from all its subscriptions in turn. */
  #drain(connection: Connection): void {
    const pacing = pacingNow(connection);
    let left = pacing === null ? backlogDrainBytes : Math.min(pacing.roomBytes, backlogDrainBytes);
    const share = Math.ceil(left / Math.max(1, connection.backlogs.waiting.size));
    const served: Subscription[] = [];
    for (const subscription of connection.backlogs.waiting) {
      if (left <= 0) break;
      const { backlog } = subscription;
      assert(backlog !== null, 'what waits has a backlog');
      left -= this.#handOver(subscription, backlog, Math.min(left, share), pacing);
      connection.backlogs.leave(subscription);
      if (!backlog.empty) served.push(subscription);
    }
    for (const subscription of served) connection.backlogs.line(subscription);
    if (connection.backlogs.waiting.size > 0) {
      if (pacing === null || pacing.roomBytes > 0) this.#wake(connection);
      return;
    }
    if (connection.backlogs.pacing !== null) return;
    this.#note(connection, 'caughtUp');
  }

  #note(connection: Connection, event: SlowEvent): void {
    if (connection.backlogs.slowPath.on(event)) this.splits++;
  }

  /** Moves up to about `bytes` from a backlog to its connection; returns how many. */
  #handOver(subscription: Subscription, backlog: SubscriptionBacklog, bytes: number, pacing: Pacing | null): number {
    const { connection, maxMessages } = subscription;
    const egress = this.#egress;
    const heldBefore = backlog.heldBytes;
    let moved = 0;
    const messagesMax = maxMessages === 0 ? Number.POSITIVE_INFINITY : maxMessages - subscription.delivered;
    subscription.delivered += backlog.drain(bytes, messagesMax, (span, start, end) => {
      egress.deliverEncoded(connection, span, start, end);
      moved += end - start;
      if (pacing !== null) this.#pace(connection, pacing, end - start);
    });
    this.#noteHeld(connection, backlog.heldBytes - heldBefore);
    if (backlog.policy.policy === 'block' && backlog.halfDrained) this.#events.onEnoughTaken(subscription);
    if (maxMessages !== 0 && subscription.delivered >= maxMessages) this.#events.onLastMessage(subscription);
    return moved;
  }
}
