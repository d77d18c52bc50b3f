import { ackConsumerSequence } from '../../src/base/ackNumbers.js';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { Shown, shownSubject } from '../../src/base/shown.js';
import { placeOf, Span } from '../../src/base/span.js';
import { Exchange } from '../../src/exchange/exchange.js';
import { addEndpoint, createExchangeMemory, type ExchangeMemory } from '../../src/exchange/memory.js';
import type { GatewayRole, Taken } from '../../src/exchange/roles.js';
import { type ImageSubscription, Images } from '../../src/router/images.js';
import type { LocalSubscription } from '../../src/router/interestEntry.js';
import { Router } from '../../src/router/router.js';
import type { Topic } from '../../src/router/topic.js';
import type { Sender, Sent } from '../../src/shard/addressing.js';
import { Sending } from '../../src/shard/consumers/sending.js';
import { Shard } from '../../src/shard/shard.js';
import { randomFrom } from './random.js';

const laneBytes = 4096;
/** As much as messages that are put together have room in. */
const wideLaneBytes = 128 * 1024;
const togetherMax = 12;
const sendsTogether = 600;
const messageBytesMax = 6_000;
const sendsEach = 80;
const turnsMax = 100_000;
const group = 'workers';
const addresses = ['in.0', 'in.1', 'in.2'];
/** Of various lengths: two of them are fragments of a lane's record by themselves. */
const subjects = ['a', 'orders.new', `long.${'x'.repeat(1_500)}`];

/** A message that a shard sent, or published to a topic of its own: they share one count. */
export interface Item {
  readonly shard: number;
  readonly number: number;
  /** The address, or '' for one that was published. */
  readonly address: string;
}

/** A message that was sent, and to whom at that time. */
export interface SentItem extends Item {
  readonly turn: number;
  /** Gateways with plain subscriptions, and groups: each is to take it, or to say that nobody did. */
  readonly targets: number;
  taken: number;
  undelivered: number;
}

export interface AddressedResult {
  readonly sent: Map<string, SentItem>;
  /** By gateway, in order. */
  readonly received: Item[][];
  readonly outcomes: Record<Sent, number>;
  readonly damaged: string[];
  readonly done: boolean;
}

export const nameOf = ({ shard, number }: Item): string => `${shard}.${number}`;

class Taker implements LocalSubscription {
  readonly subject: string;
  readonly queue: string;
  readonly lossy = false;
  readonly heldBytes = 0;
  retired = false;
  index = 0;

  constructor(subject: string, queue: string) {
    this.subject = subject;
    this.queue = queue;
  }
}

/** One of the broker's threads with a sender on its shard; an endpoint of the user's has none. */
class AddressedThread implements GatewayRole<Topic>, Sender {
  readonly exchange: Exchange<Topic>;
  readonly router: Router;
  readonly shard: Shard;
  readonly images: Images<ImageSubscription>;
  readonly takers: Taker[] = [];
  readonly self: number;
  next = 1;
  readonly #token: number;
  readonly #sending: Sending;
  readonly #result: AddressedResult;
  readonly #message = new MessageView();
  readonly #shown = subjects.map((subject, i) => {
    const shown = new Shown();
    shown.setText(subject, `$JS.ACK.${i}.`);
    return shown;
  });
  /** A topic that this shard puts in order. */
  readonly #ownTopic: string;

  constructor(memory: ExchangeMemory, self: number, threads: number, endpoints: number, result: AddressedResult) {
    this.self = self;
    this.#result = result;
    this.exchange = new Exchange<Topic>(memory, self);
    const routing = { self, shards: threads, endpoints, order: 'topic' as const, hashSeed: 7 };
    this.router = new Router(routing, this.exchange.announcer, (topic) => this.exchange.forget(topic));
    this.shard = new Shard(this.router, this.exchange, self);
    this.images = new Images(this.router, this.exchange, {
      ownerOf: (subscription) => subscription,
      roomOf: () => null,
      leastRoomOf: () => ({ messages: 1, bytes: 1 }),
      deliverImage: () => {},
      onImageDone: () => {},
    });
    this.exchange.connect(this.router.role(), self < threads ? this.shard : null, this);
    this.#token = this.shard.addressing.enter(this);
    this.#sending = new Sending(this.shard.addressing);
    let n = 0;
    while (self < threads && this.#topic(`own.${n}`).owner !== self) n++;
    this.#ownTopic = `own.${n}`;
  }

  get ownTopic(): string {
    return this.#ownTopic;
  }

  join(taker: Taker): void {
    this.router.interest.addLocal(taker);
    this.takers.push(taker);
  }

  leave(taker: Taker): void {
    this.router.interest.removeLocal(taker);
    this.takers.splice(this.takers.indexOf(taker), 1);
  }

  /** Sends the next message to an address. */
  send(address: string, lengthBytes: number, turn: number): void {
    const topic = this.#topic(address);
    const targets = topic.remotes.length + (topic.wantedHere ? 1 : 0) + topic.queues.length;
    const item = { shard: this.self, number: this.next, address, turn, targets, taken: 0, undelivered: 0 };
    this.#result.sent.set(nameOf(item), item);
    const message = this.#fill(lengthBytes);
    const shown = this.#shown[this.next % subjects.length] as Shown;
    shown.numbers[ackConsumerSequence] = this.next;
    message.shown = shown;
    const { addressing } = this.shard;
    const outcome = this.#sending.send(addressing.addressOf(latin1Bytes(address)), this.#token, message);
    message.shown = null;
    this.#result.outcomes[outcome]++;
    if (outcome === 'sent') this.next++;
    else this.#result.sent.delete(nameOf(item));
    if (outcome === 'nobody' && targets > 0) this.#result.damaged.push(`${nameOf(item)} found nobody of ${targets}`);
  }

  /** What was put together is on its way. */
  flush(): void {
    this.#sending.flush();
  }

  /** Publishes the next message to the shard's own topic, if there is room. */
  publish(lengthBytes: number): void {
    const topic = this.#topic(this.#ownTopic);
    if (!topic.wanted) return;
    if (this.exchange.shards[this.self].publish(topic, this.#fill(lengthBytes)) === 1) this.next++;
  }

  onUndelivered(_gateway: number, consumerSequence: number): void {
    const item = this.#result.sent.get(`${this.self}.${consumerSequence}`);
    if (item === undefined) this.#result.damaged.push(`${consumerSequence} of ${this.self} was never sent`);
    else item.undelivered++;
  }

  onDeliver(_topic: Topic, message: MessageView): void {
    for (let i = 0; i < message.count; i++) this.#receive('', message, i);
  }

  onDeliverQueue(): void {
    throw new Error('nothing is published to groups');
  }

  onAnswers(): boolean {
    return false;
  }

  onAddressed(address: Topic, queue: string | null, message: MessageView): Taken {
    if (!this.takers.some((taker) => taker.subject === address.text && taker.queue === (queue ?? ''))) return 'nobody';
    const { number, shard } = this.#receive(address.text, message, 0);
    const item = this.#result.sent.get(`${shard}.${number}`) as SentItem;
    item.taken++;
    const shown = message.shown as Shown;
    const whole =
      shownSubject(shown) === subjects[number % subjects.length] && shown.numbers[ackConsumerSequence] === number;
    if (!whole || item.address !== address.text)
      this.#result.damaged.push(`${shard}.${number} shows what is another's`);
    return 'taken';
  }

  #receive(address: string, message: MessageView, index: number): Item {
    const text = latin1String(message.bytes, message.starts[index], message.ends[index] + 2);
    const match = /^(\d+)\.(\d+) (\d+)~*\r\n$/.exec(text);
    if (match === null) throw new Error(`a message is damaged: ${text.slice(0, 50)}`);
    const item = { shard: Number(match[1]), number: Number(match[2]), address };
    if (text.length !== Number(match[3]) + 2) this.#result.damaged.push(`${nameOf(item)} is cut`);
    this.#result.received[this.self]!.push(item);
    return item;
  }

  #fill(lengthBytes: number): MessageView {
    const head = `${this.self}.${this.next} `;
    const length = Math.max(lengthBytes, head.length + 5);
    const text = `${head}${length}`.padEnd(length, '~');
    this.#message.set(new Span(latin1Bytes(`${text}\r\n`)), 0, length);
    return this.#message;
  }

  #topic(subject: string): Topic {
    const { span, start, end } = placeOf(latin1Bytes(subject));
    const topic = this.router.topics.obtain(span, start, end);
    this.router.freshen(topic);
    return topic;
  }
}

/** Senders on every shard, and takers of addresses on every thread and one of the user's, who come and go meanwhile. @param together whether several messages are sent to an address at a time */
export function runAddressed(threads: number, seed: number, together = false): AddressedResult {
  const random = randomFrom(seed);
  const sends = together ? sendsTogether : sendsEach;
  const endpoints = threads + 1;
  const memory = createExchangeMemory(threads, together ? wideLaneBytes : laneBytes, 1);
  addEndpoint(memory, threads);
  const result: AddressedResult = {
    sent: new Map(),
    received: Array.from({ length: endpoints }, () => []),
    outcomes: { sent: 0, nobody: 0, 'no-room': 0 },
    damaged: [],
    done: false,
  };
  const all = Array.from(
    { length: endpoints },
    (_, self) => new AddressedThread(memory, self, threads, endpoints, result),
  );
  const shards = all.slice(0, threads);
  const witness = all[random(endpoints)]!;
  for (const { ownTopic } of shards) witness.join(new Taker(ownTopic, ''));
  const step = (thread: AddressedThread, turn: number): void => {
    // where lanes have room, only who does not look has much on its way to it
    if (!together || random(8) === 0) thread.exchange.doWork();
    if (thread.self < threads && thread.next <= sends) {
      if (random(4) === 0) thread.publish(random(200));
      else {
        const address = addresses[random(addresses.length)]!;
        const count = together ? 1 + random(togetherMax) : 1;
        for (let i = 0; i < count; i++)
          thread.send(address, random(20) === 0 ? random(messageBytesMax) : random(100), turn);
        thread.flush();
      }
    }
    const rests = shards.every(({ next }) => next > sends);
    if (!rests && random(6) === 0)
      thread.join(new Taker(addresses[random(addresses.length)]!, random(3) === 0 ? group : ''));
    const taker = thread.takers[random(thread.takers.length + 4)];
    if (!rests && taker !== undefined && addresses.includes(taker.subject) && random(3) === 0) thread.leave(taker);
    thread.exchange.publish();
    thread.exchange.takeRelief();
  };
  let quietTurns = 0;
  for (let turn = 0; turn < turnsMax && quietTurns < 20 * endpoints; turn++) {
    step(all[random(endpoints)]!, turn);
    const quiet = shards.every(({ next }) => next > sends) && all.every(({ exchange }) => exchange.quiet);
    quietTurns = quiet ? quietTurns + 1 : 0;
  }
  return { ...result, done: quietTurns > 0 };
}
