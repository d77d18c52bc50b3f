import { latin1Bytes } from '../base/bytes.js';
import { queueNameHeldBytes } from './interestMemory.js';

/** A group whose name ends so hands out by key: docs/decisions/0009. */
export const keyedSuffix = '@key';

/** A queue group's name as lanes number it: one object a name and thread while any subscription uses the name. */
export class QueueName {
  readonly bytes: Uint8Array;
  /** Where the next topic's turn begins, so that topics do not all begin with the same member. */
  turn = 0;
  references = 0;

  readonly text: string;
  /** Whether all messages of one key go to one member. */
  readonly keyed: boolean;
  readonly slot: number;
  readonly serial: number;

  constructor(text: string, slot: number, serial: number) {
    this.text = text;
    this.keyed = text.endsWith(keyedSuffix);
    this.slot = slot;
    this.serial = serial;
    this.bytes = latin1Bytes(text);
  }
}

/** The queue groups that any subscription of the broker names, interned by name and numbered densely. */
export class QueueNames {
  readonly #byText = new Map<string, QueueName>();
  /** Memory that they take, about, in bytes. */
  heldBytes = 0;
  readonly #freeSlots: number[] = [];
  #slots = 0;
  #serial = 0;

  get size(): number {
    return this.#byText.size;
  }

  find(text: string): QueueName | null {
    return this.#byText.get(text) ?? null;
  }

  /** The name, made when it is new, with one reference more. */
  acquire(text: string): QueueName {
    let name = this.#byText.get(text);
    if (name === undefined) {
      name = new QueueName(text, this.#freeSlots.pop() ?? this.#slots++, ++this.#serial);
      this.#byText.set(text, name);
      this.heldBytes += queueNameHeldBytes(text);
    }
    name.references++;
    return name;
  }

  release(name: QueueName): void {
    name.references--;
    if (name.references > 0) return;
    this.#byText.delete(name.text);
    this.heldBytes -= queueNameHeldBytes(name.text);
    this.#freeSlots.push(name.slot);
  }
}
