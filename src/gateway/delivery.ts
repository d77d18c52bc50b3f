import { imageWindowBytes } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { shownOf, shownSubject } from '../base/shown.js';
import type { ShownRun } from '../base/shownRun.js';
import { complete, type Sliced } from '../base/slices.js';
import { cost, headerTextShift, localShift, runShift, textShift, type Work } from '../base/work.js';
import type { Exchange } from '../exchange/exchange.js';
import type { GatewayRole, MixedLane, Taken } from '../exchange/roles.js';
import { isTraceOnly } from '../exchange/syncToken.js';
import type { DeliveryHead } from '../protocol/deliveryHead.js';
import type { DeadLetters } from '../router/deadLetters.js';
import { Images, type ImageWindow, imageWindow } from '../router/images.js';
import { shownTopic } from '../router/inboxes.js';
import type { InterestEntry } from '../router/interestEntry.js';
import { requeue } from '../router/requeue.js';
import type { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';
import type { HeldMessages } from '../subscriber/heldMessages.js';
import type { Audience, Audiences } from './audience.js';
import type { Backpressure } from './backpressure.js';
import type { Connection } from './connection.js';
import type { Egress } from './egress.js';
import { FanoutPlan, type LocalQueue, type PlanEntry } from './fanoutPlan.js';
import { Looks } from './looks.js';
import { KernelPlans } from './mixed/kernelPlans.js';
import type { KnownTopics } from './mixed/knownTopics.js';
import type { PolicedGroup } from './policies/policedGroup.js';
import type { Policing } from './policies/policing.js';
import { Prefetching } from './prefetch/prefetching.js';
import { ShownHead } from './shownHead.js';
import { Subscription } from './subscription.js';
import type { TracedDelivery } from './tracedDelivery.js';
import { Unsettled } from './unsettled.js';

/** Ends a subscription that has had its last message. */
export type EndSubscription = (subscription: Subscription) => void;

/** From a message in its topic's order to the bytes of every subscriber of this gateway. */
export class Delivery implements GatewayRole<Topic> {
  /** Where subscriptions ask for the last values of what they take. */
  readonly images: Images<Subscription>;
  /** Hands out messages of groups whose members acknowledge. */
  readonly prefetching: Prefetching;
  readonly #router: Router;
  readonly #exchange: Exchange<Topic>;
  readonly #egress: Egress;
  readonly #audiences: Audiences;
  readonly #backpressure: Backpressure;
  readonly #policing: Policing;
  readonly #traced: TracedDelivery;
  readonly #end: EndSubscription;
  readonly #work: Work;
  readonly #unsettled = new Unsettled();
  readonly looks = new Looks();
  readonly #shownHead = new ShownHead(this.looks);
  /** Null while nothing is for the kernel, and where there is none. */
  #kernelPlans: KernelPlans | null = null;
  /** Undefined until somebody asks. */
  #knownTopics: KnownTopics | null | undefined;
  #rotation = 0;
  /** Messages of queue groups given back to their shards since the start. */
  requeues = 0;

  constructor(
    router: Router,
    exchange: Exchange<Topic>,
    egress: Egress,
    audiences: Audiences,
    backpressure: Backpressure,
    policing: Policing,
    end: EndSubscription,
    onImageDone: (subscription: Subscription) => void,
    held: HeldMessages<Topic>,
    deadLetters: DeadLetters,
    traced: TracedDelivery,
    relieve: () => void,
  ) {
    this.#traced = traced;
    this.#router = router;
    this.#work = router.work;
    this.#exchange = exchange;
    this.#egress = egress;
    this.#audiences = audiences;
    this.#backpressure = backpressure;
    this.#policing = policing;
    this.#end = end;
    this.images = new Images(router, exchange, {
      ownerOf: (subscription) => subscription.connection,
      roomOf: (subscription) => this.#imageRoom(subscription),
      leastRoomOf: ({ slow, backlog }) => imageWindow(slow, backlog, this.#imageBytesMax),
      deliverImage: (subscription, message) => this.#deliverImage(subscription, message),
      onImageDone,
    });
    router.plannings.planner = {
      make: (topic, entries) => this.#makePlan(topic, entries),
      join: (plans) => FanoutPlan.join(plans.map(FanoutPlan.own), this.#rotation++, this.looks),
    };
    this.prefetching = new Prefetching(router, held, deadLetters, {
      deliverTo: (topic, members, member, message, index) =>
        this.#deliverToMember(topic, members, member, message, index),
      giveBack: (topic, queue, message, index) => this.#requeue(topic, queue, message, index),
      onBusy: relieve,
      requestTurn: relieve,
      nowMs: () => performance.now(),
    });
  }

  /** @param topic fresh: whoever calls has just looked */
  onDeliver(topic: Topic, message: MessageView): void {
    const plan = this.#planOf(topic);
    if (message.syncToken !== 0 && this.#traced.tells(plan, message)) return;
    this.#work.units += plan.units === 1 ? 1 + (message.count >> runShift) : plan.units * message.count;
    // headers become fields, one by one
    if (plan.texts !== 0)
      this.#work.units +=
        plan.texts * ((message.lengthBytes >> textShift) + (headerBytesOf(message) >> headerTextShift));
    if (plan.only !== null) this.#deliverShared(plan.only, message);
    else for (let i = 0; i < plan.entries.length; i++) this.#deliverShared(plan.entries[i], message);
    if (plan.policed.length !== 0) this.#deliverPoliced(plan.policed, topic, message);
    if (plan.limited.length !== 0) this.#deliverLimited(topic, plan, message);
    if (plan.listening.length !== 0) tellListeners(topic, plan, message);
    if (message.syncToken !== 0) this.#exchange.syncTaken(message.syncToken);
    if (this.#backpressure.any) this.#backpressure.afterDelivery(topic, plan, this.#egress.nowMs);
  }

  onAddressed(address: Topic, queue: string | null, message: MessageView): Taken {
    const plan = this.#planOf(address);
    if (queue !== null) return this.#giveMember(address, plan, queue, message);
    if (address.inbox !== null && plan.restricted) {
      this.onDeliver(shownTopic(this.#router, address, message), message);
      return 'taken';
    }
    if (plan.entries.length + plan.limited.length + plan.policed.length + plan.listening.length === 0) return 'nobody';
    this.onDeliver(address, message);
    return 'taken';
  }

  takesShownRuns(address: Topic): boolean {
    const { isPlain, restricted, only } = this.#planOf(address);
    return isPlain && !restricted && only?.only?.shownRuns != null;
  }

  onShownRun(address: Topic, run: ShownRun): boolean {
    const plan = this.#planOf(address);
    const { only } = plan;
    const encoder = only?.only?.shownRuns ?? null;
    // others look at what each message shows
    if (!plan.isPlain || plan.restricted || only === null || encoder === null) return false;
    if (!this.#egress.deliverShown(only.audience, encoder, run, only.headers)) return false;
    this.#work.units += run.count;
    only.count(run.count, this.#unsettled);
    if (this.#backpressure.any) this.#backpressure.afterDelivery(address, plan, this.#egress.nowMs);
    return true;
  }

  onAnswers(inbox: Topic, run: MessageView): boolean {
    const plan = this.#planOf(inbox);
    // others look at what each message shows
    if (!plan.isPlain || plan.entries.length === 0 || plan.restricted || plan.texts !== 0) return false;
    this.onDeliver(inbox, run);
    return true;
  }

  /** Gives a message that was sent to an address to the member of a group whose turn it is. */
  #giveMember(address: Topic, plan: FanoutPlan, queue: string, message: MessageView): Taken {
    this.#work.units += cost.queueMessage;
    const members = plan.queues.get(queue);
    // a group with a prefetch acknowledges to the broker, not by replies
    const member = members === undefined || members.bounded ? -1 : members.memberFor(message, 0);
    if (members === undefined || member < 0) return 'nobody';
    this.#deliverOne(address, members.members[member], members.heads[member], message, 0);
    if (this.#backpressure.any) this.#backpressure.afterDelivery(address, plan, this.#egress.nowMs);
    return 'taken';
  }

  #deliverShared(entry: PlanEntry, message: MessageView): void {
    const audience = message.exceptConnection === 0 ? entry.audience : this.#without(entry, message.exceptConnection);
    if (audience === null) return;
    if (message.count === 1 && entry.only !== null)
      this.#egress.deliver(audience, entry.only, message, 0, entry.headers);
    else this.#egress.deliverRun(audience, entry.heads, message, entry.headers);
    entry.count(message.count, this.#unsettled);
  }

  /** Delivers to subscriptions with a policy: those that keep up share an audience, the others keep it for later. */
  #deliverPoliced(groups: readonly PolicedGroup[], topic: Topic, message: MessageView): void {
    for (const group of groups) {
      group.split(this.#policing.splits, this.#audiences);
      if (group.shared !== null) this.#deliverShared(group.shared, message);
      if (group.behind.length !== 0) this.#policing.keepRun(group, topic, message);
    }
  }

  onDeliverQueue(topic: Topic, queue: string, message: MessageView, index: number): void {
    this.#router.freshen(topic); // a member may just have had its last message
    const plan = this.#planOf(topic);
    const members = plan.queues.get(queue);
    if (message.syncToken !== 0 && this.#traceMember(members, message, index)) return;
    if (members?.bounded) {
      const taken = this.prefetching.take(topic, queue, members, message, index);
      if (taken && message.syncToken !== 0) this.#exchange.syncTaken(message.syncToken);
      return;
    }
    this.#work.units += cost.queueMessage;
    if (members === undefined && plan.denies(queue)) {
      this.#drop(topic, queue, message);
      return;
    }
    const member = members === undefined ? -1 : members.memberFor(message, index);
    if (members === undefined || member < 0) {
      this.#requeue(topic, queue, message, index);
      return;
    }
    const subscription = members.members[member];
    this.#deliverOne(topic, subscription, members.heads[member], message, index);
    if (message.syncToken !== 0) {
      this.#traced.tellMember(message.syncToken, subscription);
      this.#exchange.syncTaken(message.syncToken);
    }
    if (this.#backpressure.any) this.#backpressure.afterDelivery(topic, plan, this.#egress.nowMs);
  }

  /** Tells who of a group would get a message that is only traced; returns false when it is to be delivered. */
  #traceMember(members: LocalQueue | undefined, message: MessageView, index: number): boolean {
    const { syncToken } = message;
    if (!isTraceOnly(syncToken)) {
      this.#traced.beginMember(message);
      return false;
    }
    const member = members === undefined ? -1 : members.bounded ? 0 : members.memberFor(message, index);
    if (members !== undefined && member >= 0) this.#traced.tellMember(syncToken, members.members[member]);
    this.#exchange.syncTaken(syncToken);
    return true;
  }

  /** Drops what no member here has a right to: given back it would come again. */
  #drop(topic: Topic, queue: string, message: MessageView): void {
    this.prefetching.skip(topic, queue);
    if (message.syncToken !== 0) this.#exchange.syncTaken(message.syncToken);
  }

  /** Has a message's shard find another member for it. */
  #requeue(topic: Topic, queue: string, message: MessageView, index: number): void {
    this.requeues++;
    const kept = requeue(
      this.#router.interest.queueNames,
      this.#exchange.shards[topic.owner],
      topic,
      queue,
      message,
      index,
    );
    if (!kept && message.syncToken !== 0) this.#exchange.syncTaken(message.syncToken);
  }

  #deliverToMember(topic: Topic, members: LocalQueue, member: number, message: MessageView, index: number): void {
    const subscription = members.members[member];
    const { connection, inFlight } = subscription;
    if (message.syncToken !== 0) this.#traced.tellMember(message.syncToken, subscription);
    if (inFlight === null) this.#deliverOne(topic, subscription, members.heads[member], message, index);
    else {
      this.#egress.deliver(connection.solo, members.heads[member], message, index, connection.options.headers);
      if (++subscription.delivered === subscription.maxMessages) this.#end(subscription);
    }
  }

  /** Whether a subscription here that takes the topic ends after a number of messages. */
  endsWithin(topic: Topic): boolean {
    return this.#planOf(topic).ends;
  }

  /** Whether anybody but one connection takes the topic. */
  wantedByOthers(topic: Topic, connection: Connection): boolean {
    if (topic.remotes.length > 0) return true;
    let ownQueued = 0;
    for (const entry of topic.entries) {
      this.#work.units += entry.local.length >> localShift;
      for (const local of entry.local) {
        if (Subscription.of(local).connection !== connection) return true;
        if (local.queue !== '') ownQueued++;
      }
    }
    return topic.queues.reduce((total, queue) => total + queue.total, 0) > ownQueued;
  }

  mixedLane(): MixedLane<Topic> | null {
    return this.#plansOfKernel()?.laneOf(false) ?? null;
  }

  publishedLane(): MixedLane<Topic> | null {
    return this.#plansOfKernel()?.laneOf(true) ?? null;
  }

  /** Topics that the kernel publishes to by itself; null where there is no kernel. */
  get knownTopics(): KnownTopics | null {
    if (this.#knownTopics === undefined) this.#knownTopics = this.#plansOfKernel()?.topics() ?? null;
    return this.#knownTopics;
  }

  #plansOfKernel(): KernelPlans | null {
    this.#kernelPlans ??= KernelPlans.create({
      router: this.#router,
      egress: this.#egress,
      backpressure: this.#backpressure,
      looks: this.looks,
      unsettled: this.#unsettled,
      exchange: this.#exchange,
      planOf: (topic) => this.#planOf(topic),
    });
    return this.#kernelPlans;
  }

  /** Messages that the kernel has encoded by itself since the start. */
  get kernelEncoded(): number {
    return this.#kernelPlans?.encoded ?? 0;
  }

  /** Brings all subscriptions' counts of what they were delivered up to date. */
  settle(): void {
    this.#kernelPlans?.settle();
    this.#work.units += this.#unsettled.settle();
  }

  #planOf(topic: Topic): FanoutPlan {
    const known = FanoutPlan.of(topic);
    if (known?.isCurrent(this.looks)) return known;
    const plan = complete(this.#makePlan(topic, topic.entries));
    this.#work.units += cost.plan + plan.subscriptions * cost.planned;
    this.#router.setPlan(topic, plan);
    return plan;
  }

  #makePlan(topic: Topic, entries: readonly InterestEntry[]): Sliced<FanoutPlan> {
    return FanoutPlan.make(topic, entries, this.#audiences, this.#rotation++, this.looks);
  }

  /** Delivers to subscriptions that end after a number of messages. */
  #deliverLimited(topic: Topic, plan: FanoutPlan, message: MessageView): void {
    for (const { subscription, head } of plan.limited) {
      if (subscription.connection.id === message.exceptConnection) continue;
      for (let i = 0; i < message.count && subscription.delivered < subscription.maxMessages; i++)
        this.#deliverOne(topic, subscription, head, message, i);
    }
  }

  /** What a subscription can be sent of its image now. */
  #imageRoom({ connection, slow, backlog }: Subscription): ImageWindow | null {
    const bytesMax = this.#imageBytesMax;
    if (connection.pendingBytes > bytesMax || backlog?.halfDrained === false) return null;
    // above `max_pending` backlogs lose messages, whatever their own bounds
    if (connection.backlogs.heldBytes > this.#egress.maxPendingBytes / 2) return null;
    return imageWindow(slow, backlog, bytesMax);
  }

  get #imageBytesMax(): number {
    return Math.min(imageWindowBytes, Math.floor(this.#egress.maxPendingBytes / 4));
  }

  /** Delivers a message of an image. Its topic is most often unknown here, and stays so: an image may have a million. */
  #deliverImage(subscription: Subscription, message: MessageView): void {
    this.#work.units += cost.queueMessage;
    const { rights, state } = subscription.connection;
    if (state !== 'open' || rights?.mayReceive(shownSubject(shownOf(message))) === false) return;
    const head = this.#shownHead.of(subscription);
    if (!isKeptBack(subscription)) {
      this.#send(subscription, head, message, 0);
      return;
    }
    const { span, subjectBytes } = shownOf(message);
    this.#policing.keep(subscription, head, this.#router.topics.obtain(span, 0, subjectBytes), message, 0);
  }

  #deliverOne(topic: Topic, subscription: Subscription, head: DeliveryHead, message: MessageView, index: number): void {
    if (isKeptBack(subscription)) this.#policing.keep(subscription, head, topic, message, index);
    else this.#send(subscription, head, message, index);
  }

  #send(subscription: Subscription, head: DeliveryHead, message: MessageView, index: number): void {
    const connection = subscription.connection;
    this.#egress.deliver(connection.solo, head, message, index, connection.options.headers);
    subscription.delivered++;
    if (subscription.delivered === subscription.maxMessages) this.#end(subscription);
  }

  /** The entry's audience without one connection; null when nobody is left. */
  #without(entry: PlanEntry, connectionId: number): Audience | null {
    const members = entry.audience.members;
    if (entry.without?.connection.id === connectionId) return entry.without.audience;
    const connection = members.find((member) => member.id === connectionId);
    if (connection === undefined) return entry.audience;
    if (members.length === 1) return null;
    const audience = this.#audiences.intern(members.filter((member) => member !== connection));
    entry.without = { connection, audience };
    return audience;
  }

  /** A step of forgetting what nobody uses is next: whatever was used has to be known by then. */
  beforeSweep(): void {
    this.#kernelPlans?.beforeSweep();
  }

  /** Keeps the audiences that a topic's plan uses from being forgotten, and forgets the plan when it is out of date. */
  sweep(topic: Topic): void {
    const plan = FanoutPlan.of(topic);
    if (plan === null) return;
    if (!this.#router.isFresh(topic)) {
      // it may hold connections that have gone
      this.#router.forgetPlan(topic);
      return;
    }
    for (const entry of plan.entries) this.#mark(entry);
    for (const { shared } of plan.policed) if (shared !== null) this.#mark(shared);
  }

  #mark(entry: PlanEntry): void {
    this.#audiences.mark(entry.audience);
    if (entry.without !== null) this.#audiences.mark(entry.without.audience);
  }
}

/** Tells those of the gateway that listen. One of them may end its subscription, and with it the plan. */
function tellListeners(topic: Topic, { listening }: FanoutPlan, message: MessageView): void {
  for (const { listener } of listening) for (let i = 0; i < message.count; i++) listener?.onMessage(topic, message, i);
}

/** What the headers of a run take, in bytes. */
function headerBytesOf(message: MessageView): number {
  let total = 0;
  if (message.withHeaders) for (let i = 0; i < message.count; i++) total += message.headerLengths[i];
  return total;
}

/** Whether its policy decides what becomes of its messages, since its connection is behind. */
function isKeptBack(subscription: Subscription): boolean {
  return subscription.connection.backlogs.slowPath.lagging && subscription.slow !== null;
}
