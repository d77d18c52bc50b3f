/** A message of a stream that is in flight to a client: what its acknowledgement names. */
export interface DurableDelivery {
  readonly sequence: number;
  /** Its number among what the consumer has delivered, and how often it has delivered the message. */
  readonly consumerSequence: number;
  readonly deliveries: number;
}

interface Held extends DurableDelivery {
  sinceMs: number;
}

/** What one of them takes in two maps, and in its connection's, about, in bytes. */
const heldBytes = 250;

/** Messages of a stream that one subscription has been given, by the numbers of their deliveries. The stream has the messages, and counts how long they are unacknowledged, too. */
export class DurableInFlight {
  /** Most messages that may be in it. */
  prefetch: number;
  /** After that the consumer gives a message to somebody else. */
  readonly #ackWaitMs: number;
  /** The one that has been in it without a sign for longest is first. */
  readonly #held = new Map<number, Held>();
  readonly #bySequence = new Map<number, number>();

  constructor(prefetch: number, ackWaitMs: number) {
    this.prefetch = prefetch;
    this.#ackWaitMs = ackWaitMs;
  }

  get size(): number {
    return this.#held.size;
  }

  get heldBytes(): number {
    return this.#held.size * heldBytes;
  }

  get room(): number {
    return Math.max(0, this.prefetch - this.#held.size);
  }

  /** When the message that has been in it for longest is somebody else's; infinite for never. */
  get dueMs(): number {
    for (const { sinceMs } of this.#held.values()) return sinceMs + this.#ackWaitMs;
    return Number.POSITIVE_INFINITY;
  }

  /** The delivery of a message that is in it already, which another one is to take the place of; 0 for none. */
  earlierOf(sequence: number): number {
    return this.#bySequence.get(sequence) ?? 0;
  }

  add(delivery: number, message: DurableDelivery, nowMs: number): void {
    this.#held.set(delivery, { ...message, sinceMs: nowMs });
    this.#bySequence.set(message.sequence, delivery);
  }

  /** Its client is still at work on it; null when it is not in it. */
  renew(delivery: number, nowMs: number): DurableDelivery | null {
    const held = this.#held.get(delivery);
    if (held === undefined) return null;
    this.#held.delete(delivery);
    held.sinceMs = nowMs;
    this.#held.set(delivery, held);
    return held;
  }

  /** Takes a message out; null when it is not in it. */
  take(delivery: number): DurableDelivery | null {
    const held = this.#held.get(delivery);
    if (held === undefined) return null;
    this.#held.delete(delivery);
    this.#bySequence.delete(held.sequence);
    return held;
  }

  /** The delivery whose time is over; 0 for none. */
  overdue(nowMs: number): number {
    for (const [delivery, { sinceMs }] of this.#held) return sinceMs + this.#ackWaitMs <= nowMs ? delivery : 0;
    return 0;
  }

  get deliveries(): number[] {
    return [...this.#held.keys()];
  }
}
