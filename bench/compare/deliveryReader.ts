import type { ControlLines } from './controlLines.js';
import type { LatencyRecorder } from './latencyRecorder.js';
import type { DeliveryLayout } from './protocol/codec.js';

/**
 * Counts the deliveries of one connection. All have one length, so a chunk is counted by division; the first byte of its
 * first and last message shows whether anything else (a server's PING) lies between, and only then is it walked.
 */
export class DeliveryReader {
  readonly #layout: DeliveryLayout;
  readonly #control: ControlLines;
  readonly #latencies: LatencyRecorder | null;
  /** The message that an earlier chunk began, when its content matters. */
  readonly #carry: Uint8Array;
  #carryBytes = 0;

  constructor(layout: DeliveryLayout, control: ControlLines, latencies: LatencyRecorder | null) {
    this.#layout = layout;
    this.#control = control;
    this.#latencies = latencies;
    this.#carry = new Uint8Array(latencies ? layout.messageBytes : 0);
  }

  /** Returns how many messages this chunk completes. */
  read(chunk: Uint8Array, length: number): number {
    const { messageBytes, firstByte } = this.#layout;
    let completed = 0;
    let offset = 0;
    while (offset < length) {
      if (this.#carryBytes > 0) {
        const taken = this.#fillCarry(chunk, offset, length);
        offset += taken;
        if (this.#carryBytes === messageBytes) {
          this.#latencies?.record(this.#carry, 0, 1);
          this.#carryBytes = 0;
          completed++;
        }
      } else if (this.#control.open || chunk[offset] !== firstByte) {
        offset = this.#control.take(chunk, offset, length);
      } else {
        const whole = this.#wholeMessages(chunk, offset, length);
        if (whole === 0) {
          offset += this.#fillCarry(chunk, offset, length);
        } else {
          this.#latencies?.record(chunk, offset, whole);
          completed += whole;
          offset += whole * messageBytes;
        }
      }
    }
    return completed;
  }

  #fillCarry(chunk: Uint8Array, offset: number, length: number): number {
    const taken = Math.min(this.#layout.messageBytes - this.#carryBytes, length - offset);
    if (this.#latencies) this.#carry.set(chunk.subarray(offset, offset + taken), this.#carryBytes);
    this.#carryBytes += taken;
    return taken;
  }

  /** Consecutive whole messages from `offset`, where one begins. */
  #wholeMessages(chunk: Uint8Array, offset: number, length: number): number {
    const { messageBytes, firstByte } = this.#layout;
    const most = Math.floor((length - offset) / messageBytes);
    // Stamps are arbitrary bytes that may look like a beginning, so with them only walking is exact.
    if (!this.#latencies && most > 0 && chunk[offset + (most - 1) * messageBytes] === firstByte) return most;
    let whole = 0;
    for (let start = offset; whole < most && chunk[start] === firstByte; start += messageBytes) whole++;
    return whole;
  }
}
