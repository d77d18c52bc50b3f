import { MinHeap } from '../../base/minHeap.js';

/** A consumer that has something to do at some time. */
export interface DueConsumer {
  /** When, in milliseconds; infinity for never. */
  readonly dueMs: number;
  readonly isGone: boolean;
  /** For when it is listed first; infinity for not at all. `DueConsumers` alone changes it. */
  listedMs: number;
}

interface Entry<T> {
  readonly consumer: T;
  readonly atMs: number;
}

/** Entries that may have been overtaken beside one for each consumer. */
const overtakenMax = 1024;

/** Which consumers have something to do when. One that puts it off is looked at once at the time it had said first. */
export class DueConsumers<T extends DueConsumer> {
  #heap = this.#newHeap();
  /** Entries, those that were overtaken among them. */
  #entries = 0;
  #overtaken = 0;

  #newHeap(): MinHeap<Entry<T>> {
    return new MinHeap(({ atMs }) => atMs);
  }

  get length(): number {
    return this.#entries;
  }

  /** When the first one is to be looked at, in milliseconds; infinity for never. */
  get firstMs(): number {
    return this.#heap.least?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** A consumer has something to do at its time, which may be earlier than it was. */
  list(consumer: T): void {
    if (consumer.dueMs >= consumer.listedMs) return;
    if (consumer.listedMs < Number.POSITIVE_INFINITY && ++this.#overtaken > overtakenMax + this.#entries / 2)
      this.#dropOvertaken();
    this.#add(consumer);
  }

  #add(consumer: T): void {
    consumer.listedMs = consumer.dueMs;
    this.#heap.add({ consumer, atMs: consumer.dueMs });
    this.#entries++;
  }

  /** Takes a consumer that is due off the list; null when none is. */
  next(nowMs: number): T | null {
    for (let entry = this.#heap.least; entry !== undefined && entry.atMs <= nowMs; entry = this.#heap.least) {
      const due = this.#take(entry);
      if (due !== null && due.dueMs <= nowMs) return due;
      if (due !== null && due.dueMs < Number.POSITIVE_INFINITY) this.#add(due);
    }
    return null;
  }

  /** Takes the first entry off; its consumer, null when that is listed by another one or is gone. */
  #take({ consumer, atMs }: Entry<T>): T | null {
    this.#heap.removeLeast();
    this.#entries--;
    if (atMs !== consumer.listedMs) {
      this.#overtaken--;
      return null;
    }
    consumer.listedMs = Number.POSITIVE_INFINITY;
    return consumer.isGone ? null : consumer;
  }

  #dropOvertaken(): void {
    const heap = this.#heap;
    this.#heap = this.#newHeap();
    this.#entries = this.#overtaken = 0;
    for (let entry = heap.least; entry !== undefined; entry = heap.least) {
      heap.removeLeast();
      const { consumer, atMs } = entry;
      if (atMs !== consumer.listedMs || consumer.isGone) continue;
      this.#heap.add(entry);
      this.#entries++;
    }
  }
}
