import { Socket } from 'node:net';
import { ackConsumerSequence, ackNanoseconds, ackPending, ackStreamSequence } from '../../src/base/ackNumbers.js';
import { latin1Bytes } from '../../src/base/bytes.js';
import { LossWatch } from '../../src/base/lossWatch.js';
import { MessageView } from '../../src/base/messageView.js';
import { Shown } from '../../src/base/shown.js';
import { placeOf, Span } from '../../src/base/span.js';
import { Exchange } from '../../src/exchange/exchange.js';
import { createExchangeMemory, type ExchangeMemory, memoryOf } from '../../src/exchange/memory.js';
import { Audiences } from '../../src/gateway/audience.js';
import { Backpressure } from '../../src/gateway/backpressure.js';
import { Connection } from '../../src/gateway/connection.js';
import { Delivery } from '../../src/gateway/delivery.js';
import type { DoorReader } from '../../src/gateway/doors/door.js';
import { Egress } from '../../src/gateway/egress.js';
import { Policing } from '../../src/gateway/policies/policing.js';
import { Subscription } from '../../src/gateway/subscription.js';
import { TracedDelivery } from '../../src/gateway/tracedDelivery.js';
import { defaultConnectOptions } from '../../src/protocol/connectOptions.js';
import { natsDialect } from '../../src/protocol/natsDialect.js';
import { DeadLetters } from '../../src/router/deadLetters.js';
import { Router } from '../../src/router/router.js';
import type { Topic } from '../../src/router/topic.js';
import { Shard } from '../../src/shard/shard.js';
import { HeldMessages } from '../../src/subscriber/heldMessages.js';
import { keep, type Pair } from './pair.js';

const messages = 1_000;
const subject = 'orders.new';
const address = '_INBOX.abcdefghijklmnopqrstuv';
const ackSubject = '$JS.ACK.ORDERS.worker.';
const sequence = 123_456;
const seconds = 1_795_629_605;
const nanoseconds = 679_437_136;

/** One of the broker's threads, as `src/broker/shardThread.ts` wires it, without sockets. */
class Thread {
  readonly exchange: Exchange<Topic>;
  readonly router: Router;
  readonly shard: Shard;
  readonly egress: Egress;

  constructor(memory: ExchangeMemory, self: number) {
    const nothing = () => {};
    this.exchange = new Exchange<Topic>(memory, self);
    const routing = { self, shards: 2, endpoints: 2, order: 'topic' as const, hashSeed: 1 };
    this.router = new Router(routing, this.exchange.announcer, (topic) => this.exchange.forget(topic));
    this.shard = new Shard(this.router, this.exchange, self);
    const limits = { maxPendingBytes: 1 << 30, topicBufferBytes: 1 << 20 };
    const events = {
      onOverflow: nothing,
      onFullness: nothing,
      onBehind: nothing,
      onOwed: nothing,
      onTaken: nothing,
      onDrained: nothing,
    };
    this.egress = new Egress(limits, events);
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
    const { router, exchange, egress } = this;
    const held = new HeldMessages<Topic>();
    const delivery = new Delivery(
      router,
      exchange,
      egress,
      new Audiences(),
      backpressure,
      policing,
      nothing,
      nothing,
      held,
      new DeadLetters(router, { ready: () => true, publish: () => false }),
      new TracedDelivery(exchange, router.work, { publisherOf: () => null }),
      nothing,
    );
    exchange.connect(router.role(), this.shard, delivery);
  }
}

/** A connection whose socket is closed: all is encoded for it, and nothing sent. */
function deafConnection(): Connection {
  const door = { name: 'nats' as const, dialect: natsDialect, options: defaultConnectOptions, frameOpcode: 0 };
  const connection = new Connection(1, new Socket().destroy(), -1, '', {
    ...door,
    reader: null as unknown as DoorReader,
  });
  return connection;
}

/** What a shard hands to another thread's gateway, and that encodes; nothing is left on the way between. */
class Way {
  readonly #whole = createExchangeMemory(2, 1024 * 1024, 0);
  readonly from = new Thread(memoryOf(this.#whole, 0), 0);
  readonly to = new Thread(memoryOf(this.#whole, 1), 1);

  constructor() {
    const connection = deafConnection();
    this.to.router.interest.addLocal(new Subscription(connection, subject, '', '1'));
    this.to.router.interest.addLocal(new Subscription(connection, address, '', '2'));
    this.to.exchange.publish();
    this.from.exchange.doWork();
  }

  /** Has the gateway take all that was written. */
  take(): void {
    this.from.exchange.publish();
    this.to.exchange.doWork(Number.MAX_SAFE_INTEGER);
    this.to.egress.flush();
    this.to.exchange.publish();
    keep(this.to.egress.delivered);
  }

  topicOf(text: string): Topic {
    const { span, start, end } = placeOf(latin1Bytes(text));
    const topic = this.from.router.topics.obtain(span, start, end);
    this.from.router.freshen(topic);
    return topic;
  }
}

function messageWith(reply: string, payloadBytes: number): MessageView {
  const message = new MessageView();
  const start = reply.length;
  message.set(new Span(latin1Bytes(`${reply}${'x'.repeat(payloadBytes)}\r\n`)), start, start + payloadBytes);
  message.setReply(0, start);
  return message;
}

function addressedPair(payloadBytes: number): Pair {
  const way = new Way();
  const { addressing } = way.from.shard;
  const inbox = addressing.addressOf(latin1Bytes(address));
  const message = messageWith('', payloadBytes);
  const shown = new Shown();
  shown.setText(subject, ackSubject);
  shown.numbers.set([1, 0, 0, seconds, 0, 0]);
  message.shown = shown;
  const topic = way.topicOf(subject);
  const reply = `${ackSubject}1.${sequence}.${sequence}.${seconds}${nanoseconds}.${messages}`;
  const replied = messageWith(reply, payloadBytes);
  return {
    name: `addressed: a reply each, ${payloadBytes} B`,
    baseline: "a topic's cached head, one reply for all",
    messages,
    ours() {
      const { numbers } = shown;
      for (let i = 0; i < messages; i++) {
        numbers[ackStreamSequence] = sequence + i;
        numbers[ackConsumerSequence] = sequence + i;
        numbers[ackNanoseconds] = nanoseconds + i;
        numbers[ackPending] = messages - i;
        if (addressing.send(inbox, 1, message) !== 'sent') throw new Error('there is no room');
      }
      way.take();
    },
    naive() {
      for (let i = 0; i < messages; i++) way.from.exchange.gateways[1].deliver(topic, replied);
      way.take();
    },
  };
}

/** From a shard to the bytes on the socket of another thread: what a consumer sends, and what a topic's subscriber gets. */
export const addressedPairs = (): Pair[] => [addressedPair(16), addressedPair(128)];
