import { mainAccount } from '../../src/base/account.js';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { HistogramWriter, histogramNumbers } from '../../src/base/histogram.js';
import { MessageView } from '../../src/base/messageView.js';
import { parsePolicy } from '../../src/base/policy.js';
import { Span } from '../../src/base/span.js';
import { Blocks } from '../../src/client/blocks.js';
import { ClientDelivery } from '../../src/client/clientDelivery.js';
import type { Delivered } from '../../src/client/delivered.js';
import { Subscription as ClientSubscription } from '../../src/client/subscription.js';
import { Exchange } from '../../src/exchange/exchange.js';
import type { ExchangeMemory } from '../../src/exchange/memory.js';
import type { GatewayRole, ShardRole } from '../../src/exchange/roles.js';
import { LocalQueue } from '../../src/gateway/fanoutPlan.js';
import { Prefetching } from '../../src/gateway/prefetch/prefetching.js';
import type { Subscription } from '../../src/gateway/subscription.js';
import { DeadLetters } from '../../src/router/deadLetters.js';
import { requeue } from '../../src/router/requeue.js';
import { Router } from '../../src/router/router.js';
import type { Topic } from '../../src/router/topic.js';
import { Shard } from '../../src/shard/shard.js';
import { HeldMessages } from '../../src/subscriber/heldMessages.js';
import { idleConnection, subscribed } from '../gateway/connections.js';
import { headOf } from '../gateway/messages.js';
import type { SimOptions } from './simThread.js';

export const group = 'workers';

/** Longer than any run: what members give no sign of is another test's. */
const farMs = 1e9;

/** A member of the group, on whichever kind of thread, as the model sees it. */
export interface Member {
  readonly subject: string;
  prefetch: number;
  /** Numbers of the messages in flight. */
  readonly inFlight: Set<number>;
  acknowledge(number: number): void;
  /** It gives a message up, at once or after so many milliseconds of the model's clock; false when it cannot. */
  giveUp(number: number, delayMs: number): boolean;
  /** It is still at it, or nobody is to have it again. */
  working(number: number): void;
  terminate(number: number): void;
  /** False when it cannot. */
  change(prefetch: number): boolean;
  leave(): void;
}

/** Told of what a member is given, and how often that says to have been handed out. */
export type OnGiven = (member: Member, number: number, deliveries: number) => void;

/** One thread of the broker, or of the user's (`self >= threads`), with what it takes to be in a group with `prefetch`. */
export abstract class WorkThread {
  readonly exchange: Exchange<Topic>;
  readonly router: Router;
  readonly #message = new MessageView();

  constructor(memory: ExchangeMemory, self: number, { threads, clients, order, seed }: SimOptions) {
    this.exchange = new Exchange<Topic>(memory, self);
    const routing = { self, shards: threads, endpoints: threads + clients, order, hashSeed: seed };
    this.router = new Router(routing, this.exchange.announcer, (topic) => this.exchange.forget(topic));
  }

  /** Messages that wait on this thread's shard. */
  abstract readonly waiting: number;
  /** Whether it has nothing to do until something comes. */
  abstract readonly idle: boolean;
  abstract join(subject: string, prefetch: number): Member;
  protected abstract work(): void;

  turn(): void {
    this.exchange.doWork();
    this.exchange.takeRelief();
    this.work();
    this.exchange.publish();
  }

  /** False when there is no room for it now. */
  publish(subject: string, number: number): boolean {
    this.exchange.drainControl();
    const topic = this.router.topics.obtain(new Span(latin1Bytes(subject)), 0, subject.length);
    this.router.freshen(topic);
    if (!topic.wanted) return true;
    const text = `${number}`;
    this.#message.set(new Span(latin1Bytes(`${text}\r\n`)), 0, text.length);
    return this.exchange.shards[topic.owner]!.publish(topic, this.#message) === 1;
  }
}

function numberOf(message: MessageView, index: number): number {
  return Number(latin1String(message.bytes, message.starts[index]!, message.ends[index]!));
}

/** A thread with a shard and a gateway, wired as `src/broker/shardThread.ts` does. */
export class ShardWorkThread extends WorkThread {
  readonly shard: Shard;
  readonly #held = new HeldMessages<Topic>();
  readonly #prefetching: Prefetching;
  readonly #members = new Map<Subscription, { member: Member; deliveries: Map<number, number> }>();
  readonly #onGiven: OnGiven;
  nowMs = 0;
  #connections = 0;

  /** @param onTaken told of every message that the shard has put in order for the group */
  constructor(
    memory: ExchangeMemory,
    self: number,
    options: SimOptions,
    onGiven: OnGiven,
    onTaken: (number: number) => void,
  ) {
    super(memory, self, options);
    this.#onGiven = onGiven;
    const { router, exchange } = this;
    this.shard = new Shard(router, exchange, self, undefined, exchange, this.#held);
    this.#prefetching = new Prefetching(
      router,
      this.#held,
      new DeadLetters(router, { ready: () => true, publish: () => false }),
      {
        deliverTo: (_topic, members, member, message, index) => this.#deliver(members.members[member]!, message, index),
        giveBack: (topic, queue, message, index) => this.#requeue(topic, queue, message, index),
        onBusy: () => {},
        requestTurn: () => {},
        nowMs: () => this.nowMs,
      },
    );
    const gateway: Partial<GatewayRole<Topic>> = {
      onDeliverQueue: (topic, queue, message, index) => this.#onDeliverQueue(topic, queue, message, index),
    };
    exchange.connect(router.role(), this.#counting(onTaken), gateway as GatewayRole<Topic>);
  }

  get waiting(): number {
    return this.shard.works.waiting;
  }

  get idle(): boolean {
    return !this.shard.works.any && !this.#prefetching.any;
  }

  /** What it keeps: messages that wait, and those in flight to its members. */
  get kept(): number {
    return this.#held.count;
  }

  join(subject: string, prefetch: number): Member {
    const subscription = subscribed(idleConnection(++this.#connections), subject, '1', group);
    subscription.inFlight = this.#prefetching.inFlightFor(prefetch, {
      ackWaitMs: farMs,
      maxDeliver: 0,
      deadLetter: '',
    });
    const deliveries = new Map<number, number>();
    const member: Member = {
      subject,
      prefetch,
      inFlight: new Set(),
      acknowledge: (number) => {
        member.inFlight.delete(number);
        this.#prefetching.acknowledge(subscription.connection, deliveries.get(number)!);
      },
      giveUp: (number, delayMs) => {
        if (delayMs === 0) member.inFlight.delete(number);
        const answer = delayMs === 0 ? 'nack' : 'nackLater';
        return this.#prefetching.answer(subscription.connection, deliveries.get(number)!, answer, delayMs);
      },
      working: (number) => {
        this.#prefetching.answer(subscription.connection, deliveries.get(number)!, 'working', 0);
      },
      terminate: (number) => {
        member.inFlight.delete(number);
        this.#prefetching.answer(subscription.connection, deliveries.get(number)!, 'terminate', 0);
      },
      change: (next) => {
        member.prefetch = next;
        this.#prefetching.change(subscription, next);
        return true;
      },
      leave: () => {
        this.exchange.drainDeliveries();
        this.router.interest.removeLocal(subscription);
        member.inFlight.clear();
        this.#prefetching.ended(subscription);
        this.#members.delete(subscription);
      },
    };
    this.#members.set(subscription, { member, deliveries });
    this.router.interest.addLocal(subscription);
    return member;
  }

  protected work(): void {
    this.#prefetching.doWork();
    this.shard.doWork();
    this.#prefetching.doWork();
  }

  #counting(onTaken: (number: number) => void): ShardRole<Topic> {
    const { shard } = this;
    return {
      onPublish: (topic, message) => {
        if (topic.queues.length > 0) for (let i = 0; i < message.count; i++) onTaken(numberOf(message, i));
        shard.onPublish(topic, message);
      },
      onAnswer: (...answer) => shard.onAnswer(...answer),
      onRequeue: (...requeued) => shard.onRequeue(...requeued),
      onImageRequest: () => {},
      onImageCancel: () => {},
      onImageMore: () => {},
      onUndelivered: (...reported) => shard.onUndelivered(...reported),
    };
  }

  #onDeliverQueue(topic: Topic, queue: string, message: MessageView, index: number): void {
    this.router.freshen(topic);
    const members = new LocalQueue(queue);
    for (const local of topic.entries.flatMap((entry) => entry.local))
      members.add(local as Subscription, headOf(topic.text, '1'));
    if (members.members.length > 0) {
      this.#prefetching.take(topic, queue, members, message, index);
      return;
    }
    this.#requeue(topic, queue, message, index);
  }

  #requeue(topic: Topic, queue: string, message: MessageView, index: number): void {
    requeue(this.router.interest.queueNames, this.exchange.shards[topic.owner]!, topic, queue, message, index);
  }

  #deliver(subscription: Subscription, message: MessageView, index: number): void {
    const { member, deliveries } = this.#members.get(subscription)!;
    const number = numberOf(message, index);
    deliveries.set(number, subscription.inFlight!.delivery);
    this.#onGiven(member, number, subscription.inFlight!.deliveries);
  }
}

/** A thread of the user's, wired as `src/client/endpoint.ts` does; its members take as soon as they are woken. */
export class ClientWorkThread extends WorkThread {
  readonly #delivery: ClientDelivery;
  readonly #awake = new Set<ClientSubscription>();
  readonly #members = new Map<ClientSubscription, { member: Member; taken: Map<number, Delivered> }>();
  readonly #onGiven: OnGiven;
  readonly waiting = 0;
  workInFlight = 0;
  readonly handlerTimes = new HistogramWriter(new Float64Array(histogramNumbers));
  readonly sender = { account: mainAccount, rights: null };
  readonly bury = () => true;
  readonly dropLetter = () => {};
  readonly blocks = new Blocks(() => {});

  constructor(memory: ExchangeMemory, self: number, options: SimOptions, onGiven: OnGiven) {
    super(memory, self, options);
    this.#onGiven = onGiven;
    this.#delivery = new ClientDelivery(this.router, this.exchange, () => {});
    this.exchange.connect(this.router.role(), null, this.#delivery);
  }

  get idle(): boolean {
    return this.#awake.size === 0 && !this.#delivery.rooms.any;
  }

  join(subject: string, prefetch: number): Member {
    const policy = parsePolicy({ policy: 'block' });
    if (policy === null || typeof policy === 'string') throw new Error('no policy');
    const subscription = new ClientSubscription(this, subject, group, policy, prefetch, null);
    const taken = new Map<number, Delivered>();
    const member: Member = {
      subject,
      prefetch,
      inFlight: new Set(),
      acknowledge: (number) => {
        member.inFlight.delete(number);
        subscription.done(taken.get(number)!);
      },
      giveUp: (number, delayMs) => {
        if (delayMs !== 0) return false;
        member.inFlight.delete(number);
        return subscription.answer(taken.get(number)!, 'nack', 0);
      },
      working: (number) => void subscription.answer(taken.get(number)!, 'working', 0),
      terminate: (number) => {
        member.inFlight.delete(number);
        subscription.answer(taken.get(number)!, 'terminate', 0);
      },
      change: () => false,
      leave: () => {
        member.inFlight.clear();
        subscription.end();
        subscription.discard();
        this.#members.delete(subscription);
      },
    };
    this.#members.set(subscription, { member, taken });
    this.router.interest.addLocal(subscription);
    return member;
  }

  wake(subscription: ClientSubscription): void {
    this.#awake.add(subscription);
  }

  lost(): void {
    throw new Error('nothing may be lost');
  }

  remove(subscription: ClientSubscription): boolean {
    this.exchange.drainDeliveries();
    this.router.interest.removeLocal(subscription);
    return true;
  }

  giveBack(subscription: ClientSubscription, message: Delivered): boolean {
    return this.#delivery.giveBack(subscription, message);
  }

  roomChanged(subscription: ClientSubscription): void {
    this.#delivery.rooms.changed(subscription);
  }

  protected work(): void {
    for (const subscription of this.#awake) {
      const known = this.#members.get(subscription);
      for (let delivered = subscription.take(); delivered !== null; delivered = subscription.take()) {
        const number = Number(Buffer.from(delivered.copyPayload()).toString());
        known!.taken.set(number, delivered);
        this.#onGiven(known!.member, number, delivered.deliveries);
      }
    }
    this.#awake.clear();
    this.#delivery.rooms.tell();
  }
}
