import { heldWorkBytesMax, workMovedPerTurn } from '../../base/limits.js';
import { MessageView } from '../../base/messageView.js';
import { isWildcardSubject, subjectMatches } from '../../protocol/subject.js';
import type { Router } from '../../router/router.js';
import type { QueueRoute, Topic } from '../../router/topic.js';
import type { Connection } from '../connection.js';
import type { LocalQueue } from '../fanoutPlan.js';
import type { Subscription } from '../subscription.js';
import { Hand, type HeldMemory } from './hand.js';
import { HeldMessage } from './heldMessage.js';
import { WaitingWork } from './waitingWork.js';

/** What handing out needs of the gateway's fan-out. */
export interface PrefetchingHost {
  /** The members of a group on this gateway that take a topic, which is fresh; undefined when there are none. */
  membersOf(topic: Topic, queue: string): LocalQueue | undefined;
  /** Writes message `index` of a run to the member at a place of its group. */
  deliverTo(topic: Topic, members: LocalQueue, member: number, message: MessageView, index: number): void;
  /** Gives a message to its shard, for a member on another gateway. */
  giveBack(topic: Topic, queue: string, message: MessageView, index: number): void;
  /** More waits of a group than may: publishers of the topic wait for it, unless it returns false. */
  onTooMuch(topic: Topic, work: WaitingWork): boolean;
  /** Little enough waits. */
  onEnoughTaken(work: WaitingWork): void;
}

/**
 * Queue groups with members that acknowledge. Such a member is given so many messages as it may have unacknowledged. When no member
 * of this gateway has room, the group's turns go to other gateways, and where none of them has room either, messages
 * wait: for whoever has room first. What a member has not acknowledged when it goes is given to another.
 */
export class Prefetching implements HeldMemory {
  /** Memory that messages take that wait, or wait for an acknowledgement, in bytes. */
  heldBytes = 0;
  /** Messages dropped since the start, since publishers had waited as long as they may for groups that took nothing. */
  dropped = 0;
  readonly #router: Router;
  readonly #host: PrefetchingHost;
  readonly #waiting = new Map<string, WaitingWork>();
  /** Messages dropped of which nobody has been told, by group. */
  readonly #untold = new Map<string, number>();
  /** Members that have acknowledged something in this turn. */
  readonly #acknowledged = new Set<Subscription>();
  readonly #view = new MessageView();
  /** The state of interest in which it was last looked whether others have room. */
  #seenInterest = -1;
  #stopped = false;

  constructor(router: Router, host: PrefetchingHost) {
    this.#router = router;
    this.#host = host;
  }

  get exhausted(): boolean {
    return this.heldBytes >= heldWorkBytesMax;
  }

  /** Messages that wait for a member to have room. */
  get waiting(): number {
    let count = 0;
    for (const work of this.#waiting.values()) count += work.count;
    return count;
  }

  /** What a new subscription keeps its unacknowledged messages in; null for one that does not acknowledge. */
  handFor(prefetch: number): Hand | null {
    return prefetch === 0 ? null : new Hand(prefetch, this);
  }

  /** Hands message `index` of a run out to a member of a group some of which acknowledge; false when it went to another gateway. */
  take(topic: Topic, queue: string, members: LocalQueue, message: MessageView, index: number): boolean {
    const member = members.next(message.exceptConnection);
    if (member >= 0) {
      this.#give(topic, members, member, message, index, null);
      return true;
    }
    // who wants no echo leaves out a member that may have room
    if (message.exceptConnection <= 0) this.#sayFull(topic, queue);
    if (this.#othersHaveRoom(topic, queue)) {
      this.#host.giveBack(topic, queue, message, index);
      return false;
    }
    this.#keep(topic, queue, new HeldMessage(topic, message, index));
    return true;
  }

  /** A client is done with a delivery; false when it has none of that number. */
  acknowledge(connection: Connection, delivery: number): boolean {
    const subscription = connection.unacknowledged?.get(delivery);
    if (subscription === undefined) return false;
    connection.unacknowledged?.delete(delivery);
    (subscription.hand as Hand).acknowledge(delivery);
    this.#acknowledged.add(subscription);
    this.#serve(subscription);
    return true;
  }

  /** A member of a group has come: it is given what waits. */
  joined(subscription: Subscription): void {
    if (this.#waiting.size > 0) this.#serve(subscription);
  }

  /** A subscription has ended, and takes nothing any more: what it has not acknowledged is given to another member. */
  ended(subscription: Subscription): void {
    const { hand, queue, connection } = subscription;
    this.#acknowledged.delete(subscription);
    if (hand !== null) {
      for (const delivery of hand.deliveries) connection.unacknowledged?.delete(delivery);
      const messages = hand.takeAll();
      if (this.#stopped) return;
      for (const message of messages) {
        message.redelivered = true;
        this.#handOut(message, queue);
      }
    }
    const work = this.#waiting.get(queue);
    if (work !== undefined) for (const subject of [...work.subjects]) this.#serveTopic(work, subject);
  }

  /** Says which members have room again, and gives away what waits when another gateway has room for it. At every turn's end. */
  doWork(): void {
    if (this.#acknowledged.size > 0) this.#sayRoom();
    const { version } = this.#router.interest;
    if (this.#waiting.size === 0 || version === this.#seenInterest) return;
    this.#seenInterest = version;
    for (const work of this.#waiting.values()) for (const subject of [...work.subjects]) this.#moveSome(work, subject);
  }

  /** Tells which groups have lost how many messages since the last time. */
  tellDropped(tell: (queue: string, dropped: number) => void): void {
    for (const [queue, dropped] of this.#untold) tell(queue, dropped);
    this.#untold.clear();
  }

  /** All connections are going: nobody is left to be given anything. */
  stop(): void {
    this.#stopped = true;
  }

  #sayRoom(): void {
    for (const { hand, subject, queue } of this.#acknowledged)
      if (hand?.full === false) this.#router.interest.setTaking(subject, queue, true);
    this.#acknowledged.clear();
  }

  #handOut(message: HeldMessage, queue: string): void {
    const topic = this.#freshTopic(message);
    message.fill(this.#view);
    const members = this.#host.membersOf(topic, queue);
    if (members === undefined) this.#host.giveBack(topic, queue, this.#view, 0);
    else this.take(topic, queue, members, this.#view, 0);
  }

  #give(
    topic: Topic,
    members: LocalQueue,
    member: number,
    message: MessageView,
    index: number,
    held: HeldMessage | null,
  ): void {
    const subscription = members.members[member];
    if (subscription.hand !== null) {
      const { connection } = subscription;
      connection.unacknowledged ??= new Map();
      connection.unacknowledged.set(++connection.lastDelivery, subscription);
      subscription.hand.give(connection.lastDelivery, held ?? new HeldMessage(topic, message, index));
    }
    this.#host.deliverTo(topic, members, member, message, index);
  }

  #keep(topic: Topic, queue: string, message: HeldMessage): void {
    let work = this.#waiting.get(queue);
    if (work === undefined) {
      work = new WaitingWork(queue);
      this.#waiting.set(queue, work);
    }
    if ((work.isOverWith(message) || this.exhausted) && !this.#host.onTooMuch(topic, work)) {
      this.dropped++;
      this.#untold.set(queue, (this.#untold.get(queue) ?? 0) + 1);
      return;
    }
    work.push(message);
    this.heldBytes += message.heldBytes;
  }

  /** Gives a member that may have room what waits for it. */
  #serve(subscription: Subscription): void {
    const work = this.#waiting.get(subscription.queue);
    if (work === undefined) return;
    const { subject } = subscription;
    if (!isWildcardSubject(subject)) {
      this.#serveTopic(work, subject);
      return;
    }
    for (const each of work.subjects) {
      if (subscription.full) return;
      if (subjectMatches(subject, each)) this.#serveTopic(work, each);
    }
  }

  /** Hands out what waits of a topic, until no member has room. */
  #serveTopic(work: WaitingWork, subject: string): void {
    for (let held = work.first(subject); held !== null; held = work.first(subject)) {
      const topic = this.#freshTopic(held);
      const members = this.#host.membersOf(topic, work.queue);
      held.fill(this.#view);
      const member = members === undefined ? -1 : members.next(this.#view.exceptConnection);
      if (members !== undefined && member < 0) return;
      this.#takeFirst(work, subject, held);
      if (members === undefined) this.#host.giveBack(topic, work.queue, this.#view, 0);
      else this.#give(topic, members, member, this.#view, 0, held);
    }
  }

  /** Gives some of what waits to another gateway, if one has room: more of it might only come back. */
  #moveSome(work: WaitingWork, subject: string): void {
    for (let i = 0; i < workMovedPerTurn; i++) {
      const held = work.first(subject);
      if (held === null) return;
      const topic = this.#freshTopic(held);
      if (!this.#othersHaveRoom(topic, work.queue)) return;
      held.fill(this.#view);
      this.#takeFirst(work, subject, held);
      this.#host.giveBack(topic, work.queue, this.#view, 0);
    }
  }

  #takeFirst(work: WaitingWork, subject: string, held: HeldMessage): void {
    work.shift(subject);
    this.heldBytes -= held.heldBytes;
    if (work.count === 0) this.#waiting.delete(work.queue);
    if (work.halfDone) this.#host.onEnoughTaken(work);
  }

  /** Tells everybody that the group's members here have no room for a topic. */
  #sayFull(topic: Topic, queue: string): void {
    const { interest } = this.#router;
    for (const { subject } of [...topic.entries]) interest.setTaking(subject, queue, false);
    this.#router.freshen(topic);
  }

  #othersHaveRoom(topic: Topic, queue: string): boolean {
    const route = topic.queues.find(({ name }: QueueRoute) => name.text === queue);
    return route?.readyBut(this.#router.self) === true;
  }

  #freshTopic(held: HeldMessage): Topic {
    const { topics } = this.#router;
    const { topic } = held;
    const live = topic.live ? topic : topics.obtain(topic.span, topic.start, topic.end);
    this.#router.freshen(live);
    return live;
  }
}
