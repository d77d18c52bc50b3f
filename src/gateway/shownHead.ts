import { latin1Bytes } from '../base/bytes.js';
import type { DeliveryHead } from '../protocol/deliveryHead.js';
import type { Looks } from './looks.js';
import type { Subscription } from './subscription.js';

/** The head of deliveries to one subscription that each show a subject of their own: most often the next is for the same one. */
export class ShownHead {
  readonly #looks: Looks;
  #subscription: Subscription | null = null;
  #version = -1;
  #head: DeliveryHead | null = null;

  /** @param looks how connections look now */
  constructor(looks: Looks) {
    this.#looks = looks;
  }

  of(subscription: Subscription): DeliveryHead {
    if (this.#head !== null && this.#subscription === subscription && this.#version === this.#looks.version)
      return this.#head;
    const { connection, subject, sid } = subscription;
    this.#head = connection.dialect.head(latin1Bytes(subject), sid, null);
    this.#subscription = subscription;
    this.#version = this.#looks.version;
    return this.#head;
  }
}
