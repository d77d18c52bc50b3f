import { handBytesMax } from '../../base/limits.js';
import type { DeliveryMark } from '../../protocol/deliveryHead.js';
import type { HeldMessage } from './heldMessage.js';

/** What all messages that a gateway keeps for acknowledgement take, and may take. */
export interface HeldMemory {
  heldBytes: number;
  readonly exhausted: boolean;
}

/** What a subscription with `prefetch` has been given and has not acknowledged, by the numbers of its deliveries. */
export class Hand implements DeliveryMark {
  /** Most messages that may be in it. */
  readonly prefetch: number;
  /** Of the delivery that is being written: see `DeliveryMark`. */
  delivery = 0;
  redelivered = false;
  #bytes = 0;
  readonly #memory: HeldMemory;
  readonly #messages = new Map<number, HeldMessage>();

  constructor(prefetch: number, memory: HeldMemory) {
    this.prefetch = prefetch;
    this.#memory = memory;
  }

  get count(): number {
    return this.#messages.size;
  }

  /** Whether it takes no more for now. One message it takes however large it is. */
  get full(): boolean {
    const count = this.#messages.size;
    if (count >= this.prefetch) return true;
    return count > 0 && (this.#bytes >= handBytesMax || this.#memory.exhausted);
  }

  /** Numbers of its deliveries, oldest first. */
  get deliveries(): Iterable<number> {
    return this.#messages.keys();
  }

  /** Takes a message; its delivery is to be written next. */
  give(delivery: number, message: HeldMessage): void {
    this.#messages.set(delivery, message);
    this.#count(message.heldBytes);
    this.delivery = delivery;
    this.redelivered = message.redelivered;
  }

  /** Its client is done with a message. */
  acknowledge(delivery: number): void {
    this.#count(-(this.#messages.get(delivery) as HeldMessage).heldBytes);
    this.#messages.delete(delivery);
  }

  /** Takes everything away, oldest first. */
  takeAll(): HeldMessage[] {
    const messages = [...this.#messages.values()];
    this.#messages.clear();
    this.#count(-this.#bytes);
    return messages;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#memory.heldBytes += bytes;
  }
}
