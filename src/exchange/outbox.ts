import { Span } from '../base/span.js';

/** A record that waits for room in the ring. */
export class OutboxRecord {
  span: Span;
  words: Int32Array;
  lengthBytes: number;

  constructor(lengthBytes: number) {
    this.lengthBytes = lengthBytes;
    const buffer = new ArrayBuffer(lengthBytes);
    this.span = new Span(new Uint8Array(buffer));
    this.words = new Int32Array(buffer);
  }

  /**
   * Makes it longer, with room for more than that: it may be the first of many times.
   *
   * @param lengthBytes by so much; as the most that it may take without need, a multiple of 4
   */
  extend(lengthBytes: number, capacityBytesMax: number): void {
    this.lengthBytes += lengthBytes;
    if (this.lengthBytes <= this.span.bytes.length) return;
    const buffer = new ArrayBuffer(Math.max(this.lengthBytes, Math.min(this.lengthBytes * 2, capacityBytesMax)));
    const bytes = new Uint8Array(buffer);
    bytes.set(this.span.bytes);
    this.span = new Span(bytes);
    this.words = new Int32Array(buffer);
  }
}

/** Slots of records that have left before the others are moved up. */
const leftMax = 256;

/** Records in order, as many as have to wait: adding and taking one costs the same however many there are. */
export class Outbox {
  readonly #records: (OutboxRecord | null)[] = [];
  #left = 0;

  get empty(): boolean {
    return this.#records.length === 0;
  }

  /** @returns the record that is to go next, null when there is none */
  get first(): OutboxRecord | null {
    return this.empty ? null : this.#records[this.#left];
  }

  add(record: OutboxRecord): void {
    this.#records.push(record);
  }

  removeFirst(): void {
    this.#records[this.#left++] = null;
    if (this.#left === this.#records.length) this.clear();
    else if (this.#left >= leftMax && this.#left * 2 >= this.#records.length) {
      this.#records.splice(0, this.#left);
      this.#left = 0;
    }
  }

  clear(): void {
    this.#records.length = 0;
    this.#left = 0;
  }
}
