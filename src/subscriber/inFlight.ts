import { type WorkEvent, type WorkOutcome, workOutcome } from './workState.js';

/** What is kept of a message while it is in flight. */
export interface InFlightMessage {
  /** Since when it is worked on. */
  workingSinceMs: number;
}

/**
 * What a member of a group has in flight: it was given it and is not done with it. A message is known by what its acknowledgement
 * names; what else is to be known of one that is in flight belongs to the message itself, which whoever gives it keeps for that long.
 */
export class InFlight<K, M extends InFlightMessage> {
  /** Most messages that may be in it. */
  prefetch: number;
  /** How long a message may be worked on without any sign from the member. */
  ackWaitMs: number;
  /** What is worked on, longest first, and what is held back. */
  readonly #working = new Map<K, M>();
  readonly #pausing = new Map<K, M>();
  readonly #bytesOf: (message: M) => number;
  #bytes = 0;
  #signMs = 0;

  constructor(prefetch: number, ackWaitMs: number, bytesOf: (message: M) => number) {
    this.prefetch = prefetch;
    this.ackWaitMs = ackWaitMs;
    this.#bytesOf = bytesOf;
  }

  get count(): number {
    return this.#working.size + this.#pausing.size;
  }

  /** What is in it takes, by whatever is bounded, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What acknowledgements may name: first what is worked on, longest first. */
  get keys(): K[] {
    return [...this.#working.keys(), ...this.#pausing.keys()];
  }

  /** When what has been worked on for longest is to be given up, unless the member gives a sign before; infinite for never. */
  get dueMs(): number {
    for (const { workingSinceMs } of this.#working.values())
      return Math.max(workingSinceMs, this.#signMs) + this.ackWaitMs;
    return Number.POSITIVE_INFINITY;
  }

  /** What has been worked on for longest; undefined when nothing is. */
  get oldest(): K | undefined {
    for (const key of this.#working.keys()) return key;
    return undefined;
  }

  /** Undefined when it is not in it. */
  get(key: K): M | undefined {
    return this.#working.get(key) ?? this.#pausing.get(key);
  }

  has(key: K): boolean {
    return this.#working.has(key) || this.#pausing.has(key);
  }

  isWorking(key: K): boolean {
    return this.#working.has(key);
  }

  /**
   * How many messages it takes more. One it takes however large it is.
   *
   * @param waiting messages on their way to it
   * @param full whether bytes leave no room for a second one
   */
  room(waiting: number, full: boolean): number {
    const count = this.count + waiting;
    return count >= this.prefetch || (count > 0 && full) ? 0 : this.prefetch - count;
  }

  add(key: K, message: M, nowMs: number): void {
    message.workingSinceMs = nowMs;
    this.#working.set(key, message);
    this.#bytes += this.#bytesOf(message);
  }

  /** The member has given a sign: the time of all that it works on begins anew. */
  sign(nowMs: number): void {
    this.#signMs = nowMs;
  }

  /** Something happens to a message that is in it. One that does not stay is to be taken out. */
  on(key: K, event: WorkEvent, nowMs: number): WorkOutcome {
    const outcome = workOutcome(this.#working.has(key) ? 'working' : 'pausing', event);
    if (outcome === 'pausing') this.#move(key, this.#working, this.#pausing);
    else if (outcome === 'working') {
      const message = this.#move(key, this.#pausing, this.#working);
      if (message !== undefined) message.workingSinceMs = nowMs;
    }
    return outcome;
  }

  #move(key: K, from: Map<K, M>, to: Map<K, M>): M | undefined {
    const message = from.get(key);
    if (message === undefined) return undefined;
    from.delete(key);
    to.set(key, message);
    return message;
  }

  /** Takes a message out; undefined when it is not in it, or not any more. */
  take(key: K): M | undefined {
    const from = this.#working.has(key) ? this.#working : this.#pausing;
    const message = from.get(key);
    if (message === undefined) return undefined;
    from.delete(key);
    this.#bytes -= this.#bytesOf(message);
    return message;
  }

  /** Takes everything out, what is worked on first, longest first. */
  takeAll(): M[] {
    const messages = [...this.#working.values(), ...this.#pausing.values()];
    this.#working.clear();
    this.#pausing.clear();
    this.#bytes = 0;
    return messages;
  }
}
