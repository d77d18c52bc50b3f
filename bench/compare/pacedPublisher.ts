import type { Socket } from 'node:net';
import type { PublishRing } from './publishRing.js';

/**
 * Publishes message i at `startNs + i * intervalNs`, whatever the broker does (open loop), and stamps it with that time.
 * What the socket cannot take yet stays due, and keeps its stamp.
 */
export class PacedPublisher {
  readonly #socket: Socket;
  readonly #ring: PublishRing;
  readonly #view: DataView;
  readonly #intervalNs: number;
  readonly #onAccepted: (messages: number) => void;
  #startNs = 0;
  #sent = 0;
  /** Messages whose bytes the socket still needs: their place in the ring must not be stamped again. */
  #inFlight = 0;
  #failed = false;

  constructor(socket: Socket, ring: PublishRing, intervalNs: number, onAccepted: (messages: number) => void) {
    this.#socket = socket;
    this.#ring = ring;
    this.#view = new DataView(ring.bytes.buffer, ring.bytes.byteOffset);
    this.#intervalNs = intervalNs;
    this.#onAccepted = onAccepted;
  }

  start(startNs: number): void {
    this.#startNs = startNs;
  }

  /** Whether everything sent so far has been taken by the socket. */
  get settled(): boolean {
    return this.#inFlight === 0 || this.#failed;
  }

  /** Sends what is due at `nowNs`, as far as the ring has room. */
  sendDue(nowNs: number): void {
    if (this.#failed || nowNs < this.#startNs) return;
    let due = Math.floor((nowNs - this.#startNs) / this.#intervalNs) + 1 - this.#sent;
    while (due > 0) {
      const position = this.#sent % this.#ring.messages;
      const count = Math.min(due, this.#ring.messages - this.#inFlight, this.#ring.messages - position);
      if (count === 0) return;
      this.#write(position, count);
      due -= count;
    }
  }

  #write(position: number, count: number): void {
    const { messageBytes, payloadOffset, bytes } = this.#ring;
    for (let index = 0; index < count; index++) {
      const intendedNs = this.#startNs + (this.#sent + index) * this.#intervalNs;
      this.#view.setFloat64((position + index) * messageBytes + payloadOffset, intendedNs, true);
    }
    this.#sent += count;
    this.#inFlight += count;
    this.#socket.write(bytes.subarray(position * messageBytes, (position + count) * messageBytes), (error) => {
      this.#inFlight -= count;
      if (error) this.#failed = true;
      else this.#onAccepted(count);
    });
  }
}
