import type { Span } from '../../base/span.js';
import type { MixedLane } from '../../exchange/roles.js';
import type { Topic } from '../../router/topic.js';
import type { KernelPlans } from './kernelPlans.js';
import { becomes, entryBytes } from './layout.js';
import { KernelPart } from './memory.js';

/** Entries of a table, a power of two. */
const tableEntries = 8 * 1024;
/** A record with fewer messages is not worth the copy. */
const messagesMin = 4;

/** The mixed runs of one lane, and the plans of topics by its numbers. */
export class MixedTable implements MixedLane<Topic> {
  encoded = 0;
  readonly #plans: KernelPlans;
  readonly #table: KernelPart;
  readonly #publishes: boolean;
  /** What is to be added to a position for its address. */
  #base = 0;

  /** @param publishes whether messages of the lane are still to be put in order */
  constructor(plans: KernelPlans, table: KernelPart, publishes: boolean) {
    this.#publishes = publishes;
    this.#plans = plans;
    this.#table = table;
  }

  /** Null when no memory is left for it. */
  static create(plans: KernelPlans, publishes: boolean): MixedTable | null {
    const table = KernelPart.take(tableEntries * entryBytes);
    return table === null ? null : new MixedTable(plans, table, publishes);
  }

  load(span: Span, start: number, end: number, count: number): boolean {
    if (count < messagesMin || !this.#plans.refresh()) return false;
    // both begin at a multiple of eight, so that the copy goes by words
    const from = start & ~7;
    const address = this.#plans.load(span.bytes, from, end);
    this.#base = address - from;
    return address >= 0;
  }

  encode(position: number, count: number): number {
    const mask = tableEntries - 1;
    const end = this.#plans.encode(position + this.#base, count, this.#table.address, mask, this.#publishes);
    this.encoded = count - this.#plans.left;
    return end - this.#base;
  }

  prepare(topic: Topic, slot: number, payloadBytes: number): boolean {
    const known = this.#plans.planOf(topic, this.#publishes);
    if (known === null || (this.#publishes && known.becomes !== becomes.delivered)) return false;
    const word = wordOf(slot);
    this.#table.words[word] = slot + 1;
    this.#table.words[word + 1] = known.address;
    return (!this.#publishes || this.#plans.relieve()) && this.#plans.open(known, payloadBytes);
  }

  forget(slot: number): void {
    const word = wordOf(slot);
    if (this.#table.words[word] === slot + 1) this.#table.words[word] = 0;
  }

  /** Nothing leads to a plan any more. */
  clear(): void {
    this.#table.words.fill(0);
  }
}

function wordOf(slot: number): number {
  return ((slot & (tableEntries - 1)) * entryBytes) >> 2;
}
