import { load, store } from '#atomics';
import { assert } from '../base/assert.js';
import {
  consumerPositionWord,
  dataOffsetBytes,
  padKind,
  producerPositionWord,
  producerWaitingWord,
  recordHeaderBytes,
  withheldWord,
} from './layout.js';

/** The reading side of a single-producer single-consumer ring of records. */
export class RingConsumer {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly capacityBytes: number;
  /** How far ahead the producer may be, in bytes. */
  #reachBytes: number;
  readonly #shared: Int32Array;
  readonly #mask: number;
  #position: number;
  #released: number;

  constructor(memory: SharedArrayBuffer) {
    const capacityBytes = memory.byteLength - dataOffsetBytes;
    this.capacityBytes = capacityBytes;
    this.#reachBytes = capacityBytes;
    this.bytes = new Uint8Array(memory, dataOffsetBytes);
    this.words = new Int32Array(memory, dataOffsetBytes);
    this.#shared = new Int32Array(memory, 0, dataOffsetBytes / 4);
    this.#mask = capacityBytes - 1;
    this.#position = load(this.#shared, consumerPositionWord);
    this.#released = this.#position;
  }

  /** Up to where everything has been taken. */
  get position(): number {
    return this.#position;
  }

  get reachBytes(): number {
    return this.#reachBytes;
  }

  /** From the next `release` on the producer may be so far ahead, in bytes; a record of any length always finds room in an empty ring. */
  setReach(bytes: number): void {
    const reachBytes = Math.max(0, Math.min(bytes, this.capacityBytes));
    if (reachBytes === this.#reachBytes) return;
    this.#reachBytes = reachBytes;
    store(this.#shared, withheldWord, this.capacityBytes - reachBytes);
  }

  /** The position up to which the producer has published: read it, then take records up to it with `next`. */
  snapshot(): number {
    return load(this.#shared, producerPositionWord);
  }

  /** Whether the producer has published anything that was not taken yet. */
  hasRecords(): boolean {
    return load(this.#shared, producerPositionWord) !== this.#position;
  }

  /** Whether all that was published before a snapshot has been taken. */
  hasTaken(position: number): boolean {
    return ((this.#position - position) | 0) >= 0;
  }

  /** Index of the next record before `limit` (a snapshot), or -1. It is taken with `advance`. */
  next(limit: number): number {
    while (this.#position !== limit) {
      assert(((limit - this.#position) | 0) > 0, 'a consumer never passes its snapshot');
      const index = this.#position & this.#mask;
      if (this.words[(index >> 2) + 1] !== padKind) return index;
      this.#position = (this.#position + this.words[index >> 2]) | 0;
    }
    return -1;
  }

  /** Takes the record at the index that `next` returned. Its bytes stay valid until `release`. */
  advance(index: number): void {
    const lengthBytes = this.words[index >> 2];
    assert(lengthBytes >= recordHeaderBytes, 'a record has a header');
    this.#position = (this.#position + lengthBytes) | 0;
  }

  /**
   * Gives the room of everything taken back to the producer; returns whether the producer wants to be told. Only the producer
   * takes its request back: cleared here, one that it had just renewed would be lost with the one that is answered.
   */
  release(): boolean {
    if (this.#position === this.#released) return false;
    this.#released = this.#position;
    store(this.#shared, consumerPositionWord, this.#position);
    return load(this.#shared, producerWaitingWord) !== 0;
  }
}
