import { spareSlotBytes, spareSlotsMax } from '../../base/limits.js';
import { copySpan, Span } from '../../base/span.js';

/** Smallest buffer of a slot, in bytes. */
const slotBytesMin = 64;
/** What a slot takes beside its key and its buffer: the object, its span and its place in the map, about, in bytes. */
export const slotObjectBytes = 200;

/** The latest record of one key. */
class Slot {
  key = '';
  span = new Span(new Uint8Array(slotBytesMin));
  length = 0;
  next: Slot | null = null;
}

/**
 * The latest record of every key, in the order in which the keys began to wait: a newer record takes the place of the
 * older one. Slots and their buffers are used again.
 */
export class LatestQueue {
  /** Keys that have a record, and the records' bytes. */
  count = 0;
  bytes = 0;
  /** Memory taken, keys among it, about, in bytes. */
  heldBytes = 0;
  readonly #slots = new Map<string, Slot>();
  readonly #spare: Slot[] = [];
  #first: Slot | null = null;
  #last: Slot | null = null;

  /** Puts a copy of `source[start, end)`; returns whether it took the place of an older record. */
  put(key: string, source: Span, start: number, end: number): boolean {
    const length = end - start;
    const known = this.#slots.get(key);
    const slot = known ?? this.#append(key);
    this.#fit(slot, length);
    copySpan(slot.span, 0, source, start, end);
    this.bytes += length - slot.length;
    slot.length = length;
    return known !== undefined;
  }

  /** The memory in which the first record lies, from `headStart` to `headEnd`. There must be one. */
  get headSpan(): Span {
    return (this.#first as Slot).span;
  }

  get headStart(): number {
    return 0;
  }

  get headEnd(): number {
    return (this.#first as Slot).length;
  }

  /** Takes the first record away. */
  shift(): void {
    const slot = this.#first as Slot;
    this.#first = slot.next;
    if (this.#first === null) this.#last = null;
    this.#slots.delete(slot.key);
    this.count--;
    this.bytes -= slot.length;
    if (this.count === 0) this.#release();
    else this.#reuse(slot);
  }

  /** Takes everything away. */
  clear(): void {
    this.#slots.clear();
    this.#first = null;
    this.#last = null;
    this.count = 0;
    this.bytes = 0;
    this.#release();
  }

  #append(key: string): Slot {
    let slot = this.#spare.pop();
    if (slot === undefined) {
      slot = new Slot();
      this.heldBytes += slotObjectBytes + slot.span.bytes.length;
    }
    slot.key = key;
    this.heldBytes += key.length;
    slot.length = 0;
    slot.next = null;
    if (this.#last === null) this.#first = slot;
    else this.#last.next = slot;
    this.#last = slot;
    this.#slots.set(key, slot);
    this.count++;
    return slot;
  }

  /** Sees to it that the slot's buffer is large enough and less than twice too large. */
  #fit(slot: Slot, length: number): void {
    let fitting = slotBytesMin;
    while (fitting < length) fitting *= 2;
    const before = slot.span.bytes.length;
    if (before === fitting) return;
    slot.span = new Span(new Uint8Array(fitting));
    this.heldBytes += fitting - before;
  }

  #reuse(slot: Slot): void {
    this.heldBytes -= slot.key.length;
    slot.key = '';
    slot.next = null;
    const lengthBytes = slot.span.bytes.length;
    if (this.#spare.length < spareSlotsMax && lengthBytes <= spareSlotBytes) this.#spare.push(slot);
    else this.heldBytes -= slotObjectBytes + lengthBytes;
  }

  /** Nothing waits: nothing is kept. */
  #release(): void {
    this.#spare.length = 0;
    this.heldBytes = 0;
  }
}
