import { mainAccount } from '../../src/base/account.js';
import { latin1Bytes } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { Exchange } from '../../src/exchange/exchange.js';
import type { ExchangeMemory } from '../../src/exchange/memory.js';
import type { GatewayRole } from '../../src/exchange/roles.js';
import { Backpressure } from '../../src/gateway/backpressure.js';
import { HoldAnnouncer, type HoldParts } from '../../src/gateway/holdAnnouncer.js';
import type { Hold, Waiter } from '../../src/router/holds.js';
import { Router } from '../../src/router/router.js';
import type { Topic } from '../../src/router/topic.js';
import { Shard } from '../../src/shard/shard.js';
import type { WorkHost } from '../../src/shard/work/works.js';
import { HeldMessages } from '../../src/subscriber/heldMessages.js';

/**
 * A thread whose shard keeps what waits for queue groups and whose publishers wait for it, wired as `src/broker/shardThread.ts` does.
 * The groups' members are numbers: what they are given is counted and done.
 */
export class GroupThread {
  readonly exchange: Exchange<Topic>;
  readonly router: Router;
  readonly shard: Shard;
  /** Messages dropped and told, by group. */
  readonly dropped = new Map<string, number>();
  given = 0;
  readonly #self: number;
  readonly #backpressure: Backpressure;
  readonly #message = new MessageView();

  constructor(memory: ExchangeMemory, self: number, shards: number, blockMaxMs: number, now: () => number) {
    this.#self = self;
    this.exchange = new Exchange<Topic>(memory, self);
    const routing = { self, shards, endpoints: shards, order: 'topic' as const, hashSeed: 1, now };
    this.router = new Router(routing, this.exchange.announcer, (topic) => this.exchange.forget(topic));
    const { exchange, router } = this;
    const parts: Omit<HoldParts, 'lifecycle'> = { self, router, exchange, relieve: () => {} };
    const backpressure = new Backpressure(new HoldAnnouncer(parts as HoldParts));
    this.#backpressure = backpressure;
    router.holds.blockMaxMs = blockMaxMs;
    router.holds.onSpent = ({ text }) => {
      exchange.announcer.announceHoldSpent(text);
      backpressure.spend(text);
    };
    this.shard = new Shard(router, exchange, self, undefined, exchange, new HeldMessages<Topic>(), this.#workHost());
    const gateway: Partial<GatewayRole<Topic>> = { onDeliverQueue: () => this.given++ };
    const role = {
      ...router.role(),
      onHoldSpent: (subject: string) => backpressure.spend(subject),
      onGroupSpent: (shard: number, queue: string, spent: boolean) => backpressure.onGroupSpent(shard, queue, spent),
    };
    exchange.connect(role, this.shard, gateway as GatewayRole<Topic>);
  }

  /** A group has one member here, with so much room. */
  setRoom(subject: string, queue: string, room: number): void {
    this.router.interest.setQueue(subject, queue, this.#self, 1, room);
    this.exchange.announcer.announceQueue(subject, queue, 1, room, mainAccount);
  }

  topic(subject: string): Topic {
    const topic = this.router.topics.obtain(new Span(latin1Bytes(subject)), 0, subject.length);
    this.router.freshen(topic);
    return topic;
  }

  /** What becomes of a publish; `full` when its lane has no room. */
  publish(subject: string, waiter: Waiter): Hold | 'full' {
    const { holds } = this.router;
    this.exchange.drainControl();
    const topic = this.topic(subject);
    const hold = holds.active > 0 ? holds.ask(topic, waiter, true) : 'goes';
    if (hold === 'waits') return hold;
    this.#message.set(new Span(latin1Bytes('x\r\n')), 0, 1);
    return this.exchange.shards[topic.owner]!.publish(topic, this.#message) === 1 ? hold : 'full';
  }

  turn(): void {
    this.exchange.doWork();
    this.exchange.takeRelief();
    this.shard.doWork();
    this.exchange.publish();
  }

  #workHost(): WorkHost {
    const { exchange, dropped } = this;
    return {
      get congested() {
        return exchange.congested;
      },
      lossWindowMs: 0,
      onTooMuch: (topic, work) => this.#backpressure.block(topic, work),
      onChange: (work, change) => this.#backpressure.change(work, change),
      onEnoughTaken: (work) => this.#backpressure.unblock(work),
      onLost: (_why, queue, messages) => dropped.set(queue, (dropped.get(queue) ?? 0) + messages),
    };
  }
}
