import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crowdDeliveriesMin } from '../../src/base/limits.js';
import { LossWatch } from '../../src/base/lossWatch.js';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { Exchange } from '../../src/exchange/exchange.js';
import { createExchangeMemory } from '../../src/exchange/memory.js';
import type { GatewayRole, ShardRole } from '../../src/exchange/roles.js';
import { Audiences } from '../../src/gateway/audience.js';
import { Backpressure } from '../../src/gateway/backpressure.js';
import type { Connection } from '../../src/gateway/connection.js';
import { Delivery } from '../../src/gateway/delivery.js';
import { Egress } from '../../src/gateway/egress.js';
import { Policing } from '../../src/gateway/policies/policing.js';
import type { Subscription } from '../../src/gateway/subscription.js';
import { TracedDelivery } from '../../src/gateway/tracedDelivery.js';
import { DeadLetters } from '../../src/router/deadLetters.js';
import { Router } from '../../src/router/router.js';
import type { Topic } from '../../src/router/topic.js';
import { HeldMessages } from '../../src/subscriber/heldMessages.js';
import { Loopback, quietEvents, roomyLimits, subscribed } from './connections.js';
import { endMark, readToEnd } from './readToEnd.js';

const nothing = (): void => {};
const connectionsMax = 4;
const subjects = ['a.b', 'a.c', 'b.b', 'c', 'a.b.c'];

interface Published {
  readonly subject: string;
  readonly size: number;
  readonly reply: boolean;
}

/** Two shards' gateway of which only deliveries from the other are looked at: as they come by its deliver lane, and what it sends. */
class World {
  readonly router: Router;
  readonly egress = new Egress(roomyLimits, quietEvents);
  readonly delivery: Delivery;
  readonly #from: Exchange<Topic>;
  readonly #to: Exchange<Topic>;
  readonly #sender: Router;
  readonly #message = new MessageView();
  readonly #loopback: Loopback;

  constructor(loopback: Loopback, gateway: typeof Delivery) {
    this.#loopback = loopback;
    const memory = createExchangeMemory(2, 64 * 1024);
    const routing = { shards: 2, endpoints: 2, order: 'topic' as const, hashSeed: 1 };
    this.#from = new Exchange<Topic>(memory, 0);
    this.#to = new Exchange<Topic>(memory, 1);
    this.#sender = new Router({ ...routing, self: 0 }, this.#from.announcer, (topic) => this.#from.forget(topic));
    this.router = new Router({ ...routing, self: 1 }, this.#to.announcer, (topic) => this.#to.forget(topic));
    const policing = new Policing(this.egress, new LossWatch<Subscription>(1000, nothing, nothing), {
      onLostTooMuch: nothing,
      onTooMuch: nothing,
      onEnoughTaken: nothing,
      onLastMessage: nothing,
      onWork: nothing,
    });
    const backpressure = new Backpressure({
      onFullness: nothing,
      onLagging: nothing,
      onSpent: nothing,
      onGroupSpent: nothing,
    });
    const { router, egress } = this;
    const exchange = this.#to;
    const held = new HeldMessages<Topic>();
    const ended = (subscription: Subscription): void => this.#unsubscribe(subscription);
    this.delivery = new gateway(
      router,
      exchange,
      egress,
      new Audiences(),
      backpressure,
      policing,
      ended,
      nothing,
      held,
      new DeadLetters(router, { ready: () => true, publish: () => false }),
      new TracedDelivery(exchange, router.work, { publisherOf: () => null }),
      nothing,
    );
    this.#from.connect(this.#sender.role(), {} as ShardRole<Topic>, {} as GatewayRole<Topic>);
    this.#to.connect(router.role(), {} as ShardRole<Topic>, this.delivery);
  }

  get #connections(): readonly Connection[] {
    return this.#loopback.pairs.map(({ connection }) => connection);
  }

  #subscribe(at: number, subject: string, sid: string, maxMessages: number): void {
    const connection = this.#connections[at]!;
    if (connection.subscriptions.has(sid)) return;
    const subscription = subscribed(connection, subject, sid);
    subscription.maxMessages = maxMessages;
    this.router.interest.addLocal(subscription);
  }

  #unsubscribe(subscription: Subscription): void {
    if (subscription.connection.subscriptions.delete(subscription.sid)) this.router.interest.removeLocal(subscription);
  }

  /** The other shard delivers messages, and this gateway takes them. */
  #deliver(messages: readonly Published[]): void {
    for (const { subject, size, reply } of messages) {
      const name = new Span(Buffer.from(subject));
      const topic = this.#sender.topics.obtain(name, 0, subject.length);
      this.#sender.freshen(topic);
      const payload = String.fromCharCode(97 + (size % 26)).repeat(size);
      this.#message.set(new Span(Buffer.from(`r.r ${payload}\r\n`)), 4, 4 + size);
      this.#message.setReply(0, reply ? 3 : 0);
      this.#from.gateways[1]!.deliver(topic, this.#message);
    }
    this.#from.publish();
    while (this.#to.doWork());
    this.#to.publish();
    this.#from.doWork();
  }

  take(step: Step): void {
    if (step.do === 'deliver') this.#deliver(step.messages);
    else if (step.do === 'subscribe') this.#subscribe(step.at, step.subject, step.sid, step.max);
    else if (step.do === 'write') this.egress.write(this.#connections[step.at]!, Buffer.from('PONG\r\n'));
    else if (step.do === 'flush') this.egress.flush();
    else if (step.do === 'sweep') this.#sweepAll();
    else if (step.do === 'look') this.delivery.looks.change(this.#connections[step.at]!);
    else {
      const subscription = this.#connections[step.at]!.subscriptions.get(step.sid);
      if (subscription !== undefined) this.#unsubscribe(subscription);
    }
  }

  /** Often enough for topics to be forgotten on both sides, whose numbers then stand for others, and all that the kernel knows. */
  #sweepAll(): void {
    for (let i = 0; i < 12; i++) {
      while (!this.#sender.topics.sweepStep(nothing));
      this.sweep();
    }
  }

  sweep(): void {
    this.delivery.beforeSweep();
    while (!this.router.topics.sweepStep((topic) => this.delivery.sweep(topic)));
  }

  /** Messages that each subscription was delivered. */
  counts(): string[] {
    this.delivery.settle();
    return this.#connections.flatMap(({ id, subscriptions }) =>
      [...subscriptions.values()].map(({ sid, delivered }) => `${id} ${sid} ${delivered}`),
    );
  }

  /** Each connection is in the one open audience that it knows, and in no other. */
  expectDisjoint(): void {
    for (const connection of this.#connections) {
      const { openAudience } = connection.output;
      expect(connection.solo.open).toBe(openAudience === connection.solo);
      if (openAudience === null) continue;
      expect(openAudience.open).toBe(true);
      for (const member of openAudience.members) expect(member.output.openAudience).toBe(openAudience);
    }
  }

  /** Takes all subscriptions away; returns what has come to each connection's client. */
  async end(): Promise<string[]> {
    for (const { subscriptions } of this.#connections)
      for (const subscription of [...subscriptions.values()]) this.#unsubscribe(subscription);
    for (const connection of this.#connections) this.egress.write(connection, Buffer.from(endMark));
    this.egress.flush();
    return Promise.all(this.#loopback.pairs.map(({ client }) => readToEnd(client)));
  }
}

/** A gateway that takes all messages one by one. */
class DeliveryByRuns extends Delivery {
  override mixedLane(): null {
    return null;
  }
}

const at = fc.nat(connectionsMax - 1);
const sid = fc.constantFrom('1', '22', '333');
const size = fc.oneof(
  { weight: 4, arbitrary: fc.nat(200) },
  fc.nat(2000),
  fc.constantFrom(0, 9, 10, 99, 100, 999, 1000),
);
const message = fc.record({ subject: fc.constantFrom(...subjects), size, reply: fc.boolean() });
const plain = message.map((each) => ({ ...each, reply: false }));
const deliver = fc.record({
  do: fc.constant('deliver' as const),
  messages: fc.array(fc.oneof({ weight: 20, arbitrary: plain }, message), { minLength: 10, maxLength: 120 }),
});
const step = fc.oneof(
  { weight: 12, arbitrary: deliver },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      at,
      sid,
      subject: fc.constantFrom<string>('>', '>', 'a.*', 'a.b', '*.b', 'a.>'),
      max: fc.constantFrom(0, 0, 0, 0, 5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), at, sid }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('write' as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look' as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** So that there is something to be encoded in each run: two take the same, two others take something else. */
const beginning: Step[] = ['>', '>', 'a.*', '*.b'].map((subject, at) => ({
  do: 'subscribe',
  at,
  sid: '1',
  subject,
  max: 0,
}));

const loopbacks: Loopback[] = [];
const worlds: World[] = [];

async function openWorld(gateway: typeof Delivery): Promise<World> {
  const loopback = await Loopback.open(connectionsMax);
  loopbacks.push(loopback);
  return new World(loopback, gateway);
}

// both take the same from the beginning: where a lane ends, a run ends, and where a subscription has a maximum that shows
beforeAll(async () => {
  for (const gateway of [Delivery, DeliveryByRuns]) worlds.push(await openWorld(gateway));
});
afterAll(() => {
  for (const loopback of loopbacks) loopback.close();
});

// Invariant 14
test('a topic that only the kernel uses is not forgotten, and one that nobody uses is', async () => {
  const world = await openWorld(Delivery);
  const deliver: Step = {
    do: 'deliver',
    messages: Array.from({ length: 20 }, () => ({ subject: 'used', size: 10, reply: false })),
  };
  world.take({ do: 'subscribe', at: 0, sid: '1', subject: '>', max: 0 });
  for (let i = 0; i < 3; i++) world.take(deliver);
  const topic = world.router.topics.find('used');
  const encoded = world.delivery.kernelEncoded;
  for (let i = 1; i <= 6; i++) {
    world.sweep();
    world.take(deliver);
    expect(world.delivery.kernelEncoded).toBe(encoded + i * deliver.messages.length);
  }
  expect(topic!.live).toBe(true);
  for (let i = 0; i < 4; i++) world.sweep();
  expect(topic!.live).toBe(false);
  await world.end();
});

// Invariants 4, 12 and 14
test('what the kernel encodes is, on each connection, byte for byte what JavaScript does, and is counted the same, whatever happens between', async () => {
  const [byKernel, byRuns] = worlds as [World, World];
  let messages = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      for (const next of [...beginning, ...steps]) {
        if (next.do === 'deliver') messages += next.messages.length;
        for (const world of worlds) world.take(next);
        byKernel.expectDisjoint();
        expect(byKernel.counts()).toEqual(byRuns.counts());
      }
      const texts = await Promise.all(worlds.map((world) => world.end()));
      for (const [i, text] of texts[0]!.entries()) expect(text === texts[1]![i]).toBe(true);
    }),
    { numRuns: Number(process.env.SHARDCAST_KERNEL_RUNS ?? 100) },
  );
  expect(byRuns.delivery.kernelEncoded).toBe(0);
  expect(byKernel.delivery.kernelEncoded).toBeGreaterThan(messages / 4);
  expect(byKernel.delivery.kernelEncoded).toBeLessThan(messages);
});

test("what very many take is none of the kernel's: it is cut by what it costs to send", async () => {
  const encoded = async (readers: number): Promise<number> => {
    const loopback = await Loopback.open(readers);
    const world = new World(loopback, Delivery);
    for (let at = 0; at < readers; at++) world.take({ do: 'subscribe', at, subject: 'a.b', sid: '1', max: 0 });
    const messages = Array.from({ length: 20 }, () => ({ subject: 'a.b', size: 10, reply: false }));
    for (let i = 0; i < 3; i++) world.take({ do: 'deliver', messages });
    loopback.close();
    return world.delivery.kernelEncoded;
  };
  expect(await encoded(crowdDeliveriesMin - 1)).toBeGreaterThan(0);
  expect(await encoded(crowdDeliveriesMin)).toBe(0);
});
