/** Slots stand this far apart so that two threads never write one cache line (128 bytes: two lines, for the prefetcher). */
const doublesPerSlot = 16;

/**
 * One growing count per generator thread. Each is a double with a single writer; aligned eight-byte stores are not torn
 * on the machines Node runs on, and a plain store keeps the counting out of the measurement.
 */
export class SharedCounters {
  readonly buffer: SharedArrayBuffer;
  readonly #values: Float64Array;

  constructor(slots: number | SharedArrayBuffer) {
    this.buffer = typeof slots === 'number' ? new SharedArrayBuffer(slots * doublesPerSlot * 8) : slots;
    this.#values = new Float64Array(this.buffer);
  }

  add(slot: number, messages: number): void {
    this.#values[slot * doublesPerSlot]! += messages;
  }

  /** Sum of the slots in [from, to). */
  sum(from: number, to: number): number {
    let total = 0;
    for (let slot = from; slot < to; slot++) total += this.#values[slot * doublesPerSlot]!;
    return total;
  }
}
