import { assert } from '../base/assert.js';
import { fullness } from '../base/fullness.js';
import type { MessageView } from '../base/messageView.js';
import type { Shown } from '../base/shown.js';
import { placeOf } from '../base/span.js';
import type { GatewayProxy } from '../exchange/proxies.js';
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

  constructor(router: Router, gateways: readonly GatewayProxy<Topic>[], self: number) {
    this.#router = router;
    this.#gateways = gateways;
    this.#self = self;
  }

  /** Gives a sender the token by which it is told what was not delivered; not given out again while it is in use, nor soon after. */
  enter(sender: Sender): number {
    do this.#token = (this.#token & tokenMax) + 1;
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

  /**
   * Sends a message, which shows what it is, to everybody who takes the address, or to nobody.
   *
   * @param sender its token; 0 for who need not know what is not delivered
   */
  send(address: Address, sender: number, message: MessageView): Sent {
    assert(sender === 0 || (message.shown as Shown).replyBytes !== 0, 'who is told of a message has numbered it');
    const topic = this.#fresh(address);
    const { remotes, wantedHere } = topic;
    if (remotes.length === 0 && !wantedHere) return 'nobody';
    if (topic.fullness > fullness.dropping) return 'no-room';
    for (let i = 0; i < remotes.length; i++)
      if (!this.#gateways[remotes[i]].hasRoomFor(topic, message)) return 'no-room';
    for (let i = 0; i < remotes.length; i++) this.#gateways[remotes[i]].deliverAddressed(topic, sender, message);
    if (!wantedHere) return 'sent';
    const taken = this.#gateways[this.#self].deliverAddressed(topic, sender, message);
    return taken === 'nobody' && remotes.length === 0 ? 'nobody' : 'sent';
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

const tokenMax = 0x7ffffffe;
