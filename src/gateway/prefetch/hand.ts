import { assert } from '../../base/assert.js';
import { handBytesMax } from '../../base/limits.js';
import type { DeliveryMark } from '../../protocol/deliveryHead.js';
import type { Topic } from '../../router/topic.js';
import type { HeldMessage, HeldMessages } from '../../subscriber/heldMessages.js';
import { InFlight } from '../../subscriber/inFlight.js';

type Held = HeldMessage<Topic>;

const heldBytesOf = (held: Held): number => held.heldBytes;

/** What a subscription with `prefetch` has in hand, by the numbers of its deliveries, in copies that its thread keeps. */
export class Hand implements DeliveryMark {
  /** Of the delivery that is being written: see `DeliveryMark`. */
  delivery = 0;
  redelivered = false;
  readonly #memory: HeldMessages<Topic>;
  readonly #inFlight: InFlight<number, Held>;

  constructor(prefetch: number, memory: HeldMessages<Topic>) {
    this.#memory = memory;
    this.#inFlight = new InFlight(prefetch, heldBytesOf);
  }

  /** Most messages that may be in it. */
  get prefetch(): number {
    return this.#inFlight.prefetch;
  }

  set prefetch(prefetch: number) {
    this.#inFlight.prefetch = prefetch;
  }

  /** Memory that what is in it takes, in bytes. */
  get heldBytes(): number {
    return this.#inFlight.bytes;
  }

  get count(): number {
    return this.#inFlight.count;
  }

  /** How many messages it takes more now. */
  get room(): number {
    return this.#inFlight.room(0, this.#inFlight.bytes >= handBytesMax || this.#memory.exhausted);
  }

  /** Numbers of its deliveries, oldest first. */
  get deliveries(): Iterable<number> {
    return this.#inFlight.keys;
  }

  /** Takes a message; its delivery is to be written next. */
  give(delivery: number, message: Held): void {
    this.#inFlight.add(delivery, message);
    this.#memory.inHand++;
    this.delivery = delivery;
    this.redelivered = message.redelivered;
  }

  /** Its client is done with a message. */
  acknowledge(delivery: number): void {
    const message = this.#inFlight.take(delivery);
    assert(message !== undefined, 'a delivery that its connection knows is in the hand');
    this.#memory.release(message);
    this.#memory.inHand--;
  }

  /** Takes everything away, oldest first: the caller releases it. */
  takeAll(): Held[] {
    const messages = this.#inFlight.takeAll();
    this.#memory.inHand -= messages.length;
    return messages;
  }
}
