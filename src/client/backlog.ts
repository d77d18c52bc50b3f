import type { SlowPolicy } from '../base/policy.js';
import type { Delivered } from './delivered.js';

/** What waits for one subscription, in order. Its bounds are looked at by whoever adds. */
export interface Backlog {
  readonly count: number;
  readonly bytes: number;
  /** Adds a message; returns the one that it takes the place of, if any. */
  add(message: Delivered): Delivered | null;
  /** Takes the first. */
  take(): Delivered | null;
  /** All that wait. */
  items(): Iterable<Delivered>;
}

export function createBacklog(policy: SlowPolicy): Backlog {
  return policy.policy === 'conflate' ? new ConflatingBacklog(policy.by) : new QueueBacklog();
}

const capacityMin = 16;

/** First in, first out: a circle that grows and shrinks with what it holds. */
class QueueBacklog implements Backlog {
  count = 0;
  bytes = 0;
  #items: (Delivered | null)[] = new Array<Delivered | null>(capacityMin).fill(null);
  #head = 0;
  /** The most that it held since it was empty. */
  #most = 0;

  add(message: Delivered): null {
    if (this.count === this.#items.length) this.#resize(this.#items.length * 2);
    this.#items[(this.#head + this.count) & (this.#items.length - 1)] = message;
    if (++this.count > this.#most) this.#most = this.count;
    this.bytes += message.lengthBytes;
    return null;
  }

  take(): Delivered | null {
    if (this.count === 0) return null;
    const message = this.#items[this.#head] as Delivered;
    this.#items[this.#head] = null;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.count--;
    this.bytes -= message.lengthBytes;
    if (this.count === 0) this.#shrink();
    return message;
  }

  *items(): Iterable<Delivered> {
    for (let i = 0; i < this.count; i++) yield this.#items[(this.#head + i) & (this.#items.length - 1)] as Delivered;
  }

  /** Empty, it becomes smaller unless it was needed: who gets bursts keeps what they take. */
  #shrink(): void {
    const { length } = this.#items;
    if (length > capacityMin && this.#most <= length >> 2) this.#resize(length >> 1);
    this.#most = 0;
  }

  #resize(capacity: number): void {
    const items = new Array<Delivered | null>(capacity).fill(null);
    for (let i = 0; i < this.count; i++) items[i] = this.#items[(this.#head + i) & (this.#items.length - 1)];
    this.#items = items;
    this.#head = 0;
  }
}

/** The latest message of each subject, or of each key within a subject, in the order in which the first of them came. */
class ConflatingBacklog implements Backlog {
  bytes = 0;
  readonly #by: 'subject' | 'key';
  readonly #latest = new Map<string, Delivered>();

  constructor(by: 'subject' | 'key') {
    this.#by = by;
  }

  get count(): number {
    return this.#latest.size;
  }

  add(message: Delivered): Delivered | null {
    const name = this.#nameOf(message);
    const before = this.#latest.get(name) ?? null;
    this.#latest.set(name, message);
    this.bytes += message.lengthBytes - (before === null ? 0 : before.lengthBytes);
    return before;
  }

  take(): Delivered | null {
    for (const [name, message] of this.#latest) {
      this.#latest.delete(name);
      this.bytes -= message.lengthBytes;
      return message;
    }
    return null;
  }

  items(): Iterable<Delivered> {
    return this.#latest.values();
  }

  #nameOf(message: Delivered): string {
    return this.#by === 'key' ? message.latestName : message.topic.text;
  }
}
