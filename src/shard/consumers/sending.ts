import type { MessageView } from '../../base/messageView.js';
import { rowAddressesMax } from '../../base/shownRows.js';
import { ShownRunWriter } from '../../base/shownRunWriter.js';
import type { Address, Addressing, Sent } from '../addressing.js';

/** Addresses for which messages are put together at a time: as many as take turns, mostly. */
const openMax = rowAddressesMax;

/** Messages for one address that are put together. */
interface OpenRun {
  readonly writer: ShownRunWriter;
  address: Address | null;
  sender: number;
}

/** Sends messages to addresses, and puts those together that go to the same one in a turn, where that can be. */
export class Sending {
  readonly #addressing: Addressing;
  readonly #runs: OpenRun[] = [];
  /** Runs that are open; they are the first ones. */
  #open = 0;

  constructor(addressing: Addressing) {
    this.#addressing = addressing;
  }

  /** Sends a message, as `Addressing.send` does, now or with others to the same address: `flush` follows in the same turn. */
  send(address: Address, sender: number, message: MessageView): Sent {
    const known = this.#find(address, sender);
    if (known?.writer.add(message)) return 'sent';
    if (known !== null) this.flush();
    const run = this.open(address, sender);
    if (run === null) return this.#addressing.send(address, sender, message);
    if (run.add(message)) return 'sent';
    // longer than a run may be
    this.flush();
    return this.#addressing.send(address, sender, message);
  }

  /** Where messages for an address are put together; null where each goes by itself. `flush` follows in the same turn. */
  open(address: Address, sender: number): ShownRunWriter | null {
    const known = this.#find(address, sender);
    if (known !== null) return known.writer;
    if (!this.#addressing.collects(address)) return null;
    // its topic may be another one by now, for which a run is open
    return this.#find(address, sender)?.writer ?? this.#begin(address, sender);
  }

  /** So many more may be open at a time: others are sent. */
  makeRoom(addresses: number): void {
    if (this.#open + addresses > openMax) this.flush();
  }

  /** Whether a run is open for an address. */
  isOpen(address: Address, sender: number): boolean {
    return this.#find(address, sender) !== null;
  }

  #find({ topic }: Address, sender: number): OpenRun | null {
    for (let i = 0; i < this.#open; i++) {
      const run = this.#runs[i];
      // two who name the same subject wait at one address
      if (run.address?.topic === topic && run.sender === sender) return run;
    }
    return null;
  }

  #begin(address: Address, sender: number): ShownRunWriter {
    if (this.#open === openMax) this.flush();
    if (this.#open === this.#runs.length) this.#runs.push({ writer: new ShownRunWriter(), address: null, sender: 0 });
    const run = this.#runs[this.#open++];
    run.address = address;
    run.sender = sender;
    return run.writer;
  }

  /** Whatever was put together is on its way. */
  flush(): void {
    const open = this.#open;
    this.#open = 0;
    for (let i = 0; i < open; i++) {
      const { address, sender, writer } = this.#runs[i];
      if (writer.count > 0) this.#addressing.sendRun(address as Address, sender, writer.take());
      writer.clear();
    }
  }
}
