import { load, store } from '#atomics';
import { assert } from '../base/assert.js';
import {
  consumerPositionWord,
  dataOffsetBytes,
  padKind,
  producerPositionWord,
  producerWaitingWord,
  recordAlignBytes,
  withheldWord,
} from './layout.js';

/**
 * The writing side of a single-producer single-consumer ring of records (Lamport's queue with Aeron's split into
 * claim and publish). What was claimed is the producer's alone until `publish`, which makes all of it visible at once.
 */
export class RingProducer {
  readonly capacityBytes: number;
  /** The data area; a claimed record is written here at the index that `claim` returned. */
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly #shared: Int32Array;
  readonly #mask: number;
  #position: number;
  #published: number;
  #consumerPosition: number;
  /** How far ahead of the consumer this may be: what there is, less what that wants left free. */
  #reachBytes: number;
  #consumerPositionAtRequest = 0;

  constructor(memory: SharedArrayBuffer) {
    this.capacityBytes = memory.byteLength - dataOffsetBytes;
    this.bytes = new Uint8Array(memory, dataOffsetBytes);
    this.words = new Int32Array(memory, dataOffsetBytes);
    this.#shared = new Int32Array(memory, 0, dataOffsetBytes / 4);
    this.#mask = this.capacityBytes - 1;
    this.#position = load(this.#shared, producerPositionWord);
    this.#published = this.#position;
    this.#consumerPosition = load(this.#shared, consumerPositionWord);
    this.#reachBytes = this.#reach();
  }

  /** How far ahead of the consumer this may be, as it said last, in bytes. */
  get reachBytes(): number {
    return this.#reachBytes;
  }

  /** What was claimed and is not taken yet, in bytes. */
  get usedBytes(): number {
    return (this.#position - load(this.#shared, consumerPositionWord)) | 0;
  }

  /** Where the next record will begin: what the consumer has to reach to have taken all that was claimed so far. */
  get position(): number {
    return this.#position;
  }

  /** The largest record that always finds room once the ring is empty, wherever the ring stands, in bytes. */
  get recordBytesMax(): number {
    return this.capacityBytes >> 1;
  }

  /**
   * Claims `lengthBytes` (a multiple of 8, at most `recordBytesMax`) and returns the index of the record in `bytes`,
   * or -1 when there is no room now.
   */
  claim(lengthBytes: number): number {
    const index = this.#position & this.#mask;
    const beforeEnd = this.capacityBytes - index;
    const pad = beforeEnd < lengthBytes ? beforeEnd : 0;
    if (!this.#hasRoom(pad + lengthBytes)) return -1;
    this.#position = (this.#position + pad + lengthBytes) | 0;
    if (pad === 0) return index;
    this.words[index >> 2] = pad;
    this.words[(index >> 2) + 1] = padKind;
    return 0;
  }

  /** Whether `claim` would find room for so much now. */
  hasRoom(lengthBytes: number): boolean {
    const beforeEnd = this.capacityBytes - (this.#position & this.#mask);
    return this.#hasRoom(beforeEnd < lengthBytes ? beforeEnd + lengthBytes : lengthBytes);
  }

  /**
   * Makes the record claimed last, which ends where the next would begin, longer by `lengthBytes` (a multiple of 8).
   * Returns false when the data area's end or the consumer is in the way.
   */
  extend(lengthBytes: number): boolean {
    const index = this.#position & this.#mask;
    if (index === 0 || this.capacityBytes - index < lengthBytes) return false;
    if (!this.#hasRoom(lengthBytes)) return false;
    this.#position = (this.#position + lengthBytes) | 0;
    return true;
  }

  /** Lets the consumer see everything claimed so far; returns whether there was anything new. */
  publish(): boolean {
    this.#reachBytes = this.#reach();
    if (this.#position === this.#published) return false;
    assert((this.#position & (recordAlignBytes - 1)) === 0, 'records are aligned');
    this.#published = this.#position;
    store(this.#shared, producerPositionWord, this.#position);
    return true;
  }

  /** Whether the consumer has taken everything before `position`. */
  isConsumed(position: number): boolean {
    if (((this.#consumerPosition - position) | 0) >= 0) return true;
    this.#consumerPosition = load(this.#shared, consumerPositionWord);
    return ((this.#consumerPosition - position) | 0) >= 0;
  }

  /** Asks the consumer to ring whenever it makes room. Look at `consumerMoved` afterwards, before going to sleep. */
  requestRoomSignal(): void {
    this.#consumerPositionAtRequest = this.#consumerPosition;
    store(this.#shared, producerWaitingWord, 1);
  }

  /** Takes the request back: there is room, or nobody wants it any more. */
  withdrawRoomRequest(): void {
    store(this.#shared, producerWaitingWord, 0);
  }

  /** Whether the consumer has taken anything since the producer, asking for room, last knew its position. */
  consumerMoved(): boolean {
    this.#consumerPosition = load(this.#shared, consumerPositionWord);
    return this.#consumerPosition !== this.#consumerPositionAtRequest;
  }

  #hasRoom(lengthBytes: number): boolean {
    if (this.#reachBytes - ((this.#position - this.#consumerPosition) | 0) >= lengthBytes) return true;
    this.#consumerPosition = load(this.#shared, consumerPositionWord);
    this.#reachBytes = this.#reach();
    const ahead = (this.#position - this.#consumerPosition) | 0;
    // an empty ring takes whatever fits into it: else nothing would ever go on
    return (ahead === 0 ? this.capacityBytes : this.#reachBytes - ahead) >= lengthBytes;
  }

  #reach(): number {
    return this.capacityBytes - load(this.#shared, withheldWord);
  }
}
