import { handBytesMax } from '../../base/limits.js';
import type { DeliveryMark } from '../../protocol/deliveryHead.js';
import type { Topic } from '../../router/topic.js';
import type { HeldMessage, HeldMessages } from '../../subscriber/heldMessages.js';

type Held = HeldMessage<Topic>;

/** What a subscription with `prefetch` has been given and has not acknowledged, by the numbers of its deliveries. */
export class Hand implements DeliveryMark {
  /** Most messages that may be in it. */
  prefetch: number;
  /** Of the delivery that is being written: see `DeliveryMark`. */
  delivery = 0;
  redelivered = false;
  #bytes = 0;
  readonly #memory: HeldMessages<Topic>;
  readonly #messages = new Map<number, Held>();

  constructor(prefetch: number, memory: HeldMessages<Topic>) {
    this.prefetch = prefetch;
    this.#memory = memory;
  }

  /** Memory that what is in it takes, in bytes. */
  get heldBytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#messages.size;
  }

  /** How many messages it takes more now. One it takes however large it is. */
  get room(): number {
    const count = this.#messages.size;
    if (count >= this.prefetch) return 0;
    if (count > 0 && (this.#bytes >= handBytesMax || this.#memory.exhausted)) return 0;
    return this.prefetch - count;
  }

  /** Numbers of its deliveries, oldest first. */
  get deliveries(): Iterable<number> {
    return this.#messages.keys();
  }

  /** Takes a message; its delivery is to be written next. */
  give(delivery: number, message: Held): void {
    this.#messages.set(delivery, message);
    this.#memory.inHand++;
    this.#bytes += message.heldBytes;
    this.delivery = delivery;
    this.redelivered = message.redelivered;
  }

  /** Its client is done with a message. */
  acknowledge(delivery: number): void {
    const message = this.#messages.get(delivery) as Held;
    this.#bytes -= message.heldBytes;
    this.#memory.release(message);
    this.#memory.inHand--;
    this.#messages.delete(delivery);
  }

  /** Takes everything away, oldest first: the caller releases it. */
  takeAll(): Held[] {
    const messages = [...this.#messages.values()];
    this.#memory.inHand -= messages.length;
    this.#messages.clear();
    this.#bytes = 0;
    return messages;
  }
}
