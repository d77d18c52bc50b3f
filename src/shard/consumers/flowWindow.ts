import { byteText } from '../../base/bytes.js';
import { uniqueId } from '../../base/uniqueId.js';
import type { Consumer } from '../../stream/consumer/consumer.js';

const windowBytesMin = 2 * 1024 * 1024;
const windowBytesMax = 32 * 1024 * 1024;
const idLength = 4;

/**
 * How much a consumer may have on its way to whoever listens: what was sent since the last answer. A question is asked when half of the
 * window is used, and each answer doubles it, up to a bound. Figures: nats-server's.
 */
export class FlowWindow {
  readonly #prefix: string;
  #windowBytes = windowBytesMin;
  #sentBytes = 0;
  /** The question that is not answered: its reply, '' for none, and what had been sent until then. */
  #reply = '';
  #askedBytes = 0;

  constructor({ stream, name }: Consumer) {
    this.#prefix = `$JS.FC.${byteText(stream.name)}.${byteText(name)}.`;
  }

  /** Whether no more may be sent. */
  get isShut(): boolean {
    return this.#sentBytes > this.#windowBytes;
  }

  /** The reply of the question that is not answered; '' when there is none. */
  get outstanding(): string {
    return this.#reply;
  }

  get wantsAnswer(): boolean {
    return this.#reply === '' && this.#sentBytes > this.#windowBytes / 2;
  }

  sent(bytes: number): void {
    this.#sentBytes += bytes;
    if (this.#reply !== '' && this.#sentBytes - this.#askedBytes >= this.#windowBytes) this.#askedBytes += bytes;
  }

  nextReply(): string {
    return `${this.#prefix}${uniqueId().slice(0, idLength)}`;
  }

  asked(reply: string): void {
    this.#reply = reply;
    this.#askedBytes = this.#sentBytes;
  }

  /** @returns whether that answers the question that was asked last */
  answered(reply: string): boolean {
    if (reply !== this.#reply) return false;
    this.#windowBytes = Math.min(windowBytesMax, 2 * this.#windowBytes);
    this.#sentBytes = Math.max(0, this.#sentBytes - this.#askedBytes);
    this.#reply = '';
    this.#askedBytes = 0;
    return true;
  }
}
