import { ackConsumerSequence } from '../base/ackNumbers.js';
import { assert } from '../base/assert.js';
import { fullness } from '../base/fullness.js';
import type { MessageView } from '../base/messageView.js';
import type { Shown } from '../base/shown.js';
import type { ShownRun } from '../base/shownRun.js';
import { ShownRunWalk } from '../base/shownRunWalk.js';
import { placeOf } from '../base/span.js';
import type { GatewayProxy } from '../exchange/proxies.js';
import { keyHashOf } from '../protocol/messageKey.js';
import type { QueueName } from '../router/queueNames.js';
import type { QueueRoute } from '../router/queueRoute.js';
import type { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';

/** What became of a message for an address: it is on its way, nobody takes the address, or it has to be sent again when there is room. */
export type Sent = 'sent' | 'nobody' | 'no-room';

/** Who sends to addresses: a consumer. */
export interface Sender {
  /**
   * At one gateway nobody took the message any more: whoever was to have it left while it was on its way. Several gateways may say so of a
   * message that was sent to several. May come before `send` returns.
   *
   * @param consumerSequence what the message's reply said
   */
  onUndelivered(gateway: number, consumerSequence: number): void;
}

/** A subject at which somebody waits for messages that show other subjects. */
export class Address {
  /** What the thread knows of who takes it. */
  topic: Topic;

  constructor(topic: Topic) {
    this.topic = topic;
  }
}

/**
 * What a shard sends to addresses. A message goes to whoever takes the address where it arrives, in order with all else that the shard
 * delivers there; what it shows is its sender's business.
 */
export class Addressing {
  readonly #router: Router;
  readonly #gateways: readonly GatewayProxy<Topic>[];
  readonly #self: number;
  readonly #senders = new Map<number, Sender>();
  #token = 0;
  /** By group of the address that is being sent to: the gateway whose member gets the message. */
  readonly #chosen: number[] = [];
  readonly #walk = new ShownRunWalk();

  constructor(router: Router, gateways: readonly GatewayProxy<Topic>[], self: number) {
    this.#router = router;
    this.#gateways = gateways;
    this.#self = self;
  }

  /** Gives a sender the token by which it is told what was not delivered; not given out again while it is in use, nor soon after. */
  enter(sender: Sender): number {
    do this.#token = (this.#token % tokenMax) + 1;
    while (this.#senders.has(this.#token));
    this.#senders.set(this.#token, sender);
    return this.#token;
  }

  /** The sender wants to hear of nothing more. */
  leave(token: number): void {
    this.#senders.delete(token);
  }

  /** @param subject literal */
  addressOf(subject: Uint8Array): Address {
    return new Address(this.#obtain(subject));
  }

  /** Whether somebody takes an address. */
  isTaken(address: Address): boolean {
    const { remotes, wantedHere, queues } = this.#fresh(address);
    return remotes.length > 0 || wantedHere || queues.some(isServed);
  }

  /** Whether a member of a group takes an address; for '', whether a plain subscription does. */
  isTakenBy(address: Address, group: string): boolean {
    const { remotes, wantedHere, queues } = this.#fresh(address);
    if (group === '') return remotes.length > 0 || wantedHere;
    return queues.some((route) => isServed(route) && route.name.text === group);
  }

  /**
   * Sends a message, which shows what it is, to everybody who takes the address and to one member of each queue group, or to nobody at all.
   * Groups with a prefetch get nothing: they acknowledge to the broker.
   *
   * @param sender its token; 0 for who need not know what is not delivered
   */
  send(address: Address, sender: number, message: MessageView): Sent {
    assert(sender === 0 || shownBy(message).replyBytes !== 0, 'who is told of a message has numbered it');
    const topic = this.#fresh(address);
    // as they are now: what is taken at once may change who takes the address
    const { remotes, wantedHere, queues } = topic;
    if (remotes.length === 0 && !wantedHere && !queues.some(isServed)) return 'nobody';
    if (topic.fullness > fullness.dropping || !this.#hasRoom(topic, message)) return 'no-room';
    for (let i = 0; i < remotes.length; i++) this.#deliver(remotes[i], topic, null, sender, message);
    if (wantedHere) this.#deliver(this.#self, topic, null, sender, message);
    for (let i = 0; i < queues.length; i++)
      if (isServed(queues[i])) this.#deliver(this.#chosen[i], topic, queues[i].name, sender, message);
    return 'sent';
  }

  /** Whether messages for an address may be put together: plain subscriptions of one gateway take it, and nobody else. */
  collects(address: Address): boolean {
    const topic = this.#fresh(address);
    const { remotes, wantedHere, queues } = topic;
    if (queues.length > 0 || topic.fullness > fullness.dropping) return false;
    if (remotes.length + (wantedHere ? 1 : 0) !== 1) return false;
    return this.#gateways[onlyGateway(topic, this.#self)].collects(topic);
  }

  /** Sends messages that were put together for an address which `collects` them, in the same turn; `sender` as for `send`. */
  sendRun({ topic }: Address, sender: number, run: ShownRun): void {
    const gateway = onlyGateway(topic, this.#self);
    if (this.#gateways[gateway].deliverShownRun(topic, sender, run)) return;
    this.#walk.begin(run);
    while (this.#walk.next()) this.#deliver(gateway, topic, null, sender, this.#walk.message);
  }

  /** Whether all for whom a message is have room for it; if so, which gateway's member each group has chosen is noted. */
  #hasRoom(topic: Topic, message: MessageView): boolean {
    const { remotes, queues } = topic;
    for (let i = 0; i < remotes.length; i++) if (!this.#gateways[remotes[i]].hasRoomFor(topic, message)) return false;
    for (let i = 0; i < queues.length; i++) {
      if (!isServed(queues[i])) continue;
      this.#chosen[i] = this.#choose(queues[i], topic, message);
      if (this.#chosen[i] < 0) return false;
    }
    return true;
  }

  /** The gateway whose member of a group gets a message: whose turn it is, or another with room; -1 when none has. */
  #choose(route: QueueRoute, topic: Topic, message: MessageView): number {
    const { name, counts } = route;
    const keyHash = name.keyed ? keyHashOf(message, 0) : -1;
    const gateway = keyHash < 0 ? route.next() : route.gatewayOf(keyHash);
    if (this.#gateways[gateway].hasRoomFor(topic, message)) return gateway;
    if (keyHash >= 0) return -1;
    return counts.findIndex((count, other) => count > 0 && this.#gateways[other].hasRoomFor(topic, message));
  }

  #deliver(gateway: number, topic: Topic, queue: QueueName | null, sender: number, message: MessageView): void {
    const taken = this.#gateways[gateway].deliverAddressed(topic, queue, sender, message);
    if (taken === 'nobody') this.onUndelivered(gateway, sender, shownBy(message).numbers[ackConsumerSequence]);
  }

  /** A gateway says that nobody there took a message. */
  onUndelivered(gateway: number, sender: number, consumerSequence: number): void {
    this.#senders.get(sender)?.onUndelivered(gateway, consumerSequence);
  }

  #fresh(address: Address): Topic {
    if (!address.topic.live) address.topic = this.#obtain(address.topic.subject);
    this.#router.freshen(address.topic);
    return address.topic;
  }

  #obtain(subject: Uint8Array): Topic {
    const { span, start, end } = placeOf(subject);
    return this.#router.topics.obtain(span, start, end);
  }
}

const tokenMax = 0x7fffffff;

/** The gateway whose subscriptions take a topic that no other one's do; this thread's where nobody takes it any more. */
function onlyGateway({ remotes, wantedHere }: Topic, self: number): number {
  return wantedHere || remotes.length === 0 ? self : remotes[0];
}

/** Whether a group's members acknowledge by replies. */
function isServed({ bounded }: QueueRoute): boolean {
  return !bounded;
}

function shownBy({ shown }: MessageView): Shown {
  assert(shown !== null, 'a message for an address shows what it is');
  return shown;
}
