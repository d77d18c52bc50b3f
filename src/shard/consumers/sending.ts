import type { MessageView } from '../../base/messageView.js';
import { ShownRunWriter } from '../../base/shownRunWriter.js';
import type { Address, Addressing, Sent } from '../addressing.js';

/** Sends messages to addresses, and puts those together that go to one behind each other, where that can be. */
export class Sending {
  readonly #addressing: Addressing;
  readonly #run = new ShownRunWriter();
  /** For whom messages are put together. */
  #address: Address | null = null;

  constructor(addressing: Addressing) {
    this.#addressing = addressing;
  }

  /** Sends a message, as `Addressing.send` does, now or with those behind it: `flush` follows in the same turn. */
  send(address: Address, sender: number, message: MessageView): Sent {
    if (address === this.#address && this.#run.add(message)) return 'sent';
    this.flush();
    if (!this.#addressing.collects(address) || !this.#run.add(message))
      return this.#addressing.send(address, sender, message);
    this.#address = address;
    return 'sent';
  }

  /** Whatever was put together is on its way. */
  flush(): void {
    const address = this.#address;
    if (address === null) return;
    this.#address = null;
    this.#addressing.sendRun(address, this.#run.take());
    this.#run.clear();
  }
}
