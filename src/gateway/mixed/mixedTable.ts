import type { Span } from '../../base/span.js';
import type { MixedLane } from '../../exchange/roles.js';
import type { Topic } from '../../router/topic.js';
import type { KernelPlans } from './kernelPlans.js';
import { entryBytes } from './layout.js';
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
  /** What is to be added to a position for its address. */
  #base = 0;

  constructor(plans: KernelPlans, table: KernelPart) {
    this.#plans = plans;
    this.#table = table;
  }

  /** Null when no memory is left for it. */
  static create(plans: KernelPlans): MixedTable | null {
    const table = KernelPart.take(tableEntries * entryBytes);
    return table === null ? null : new MixedTable(plans, table);
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
    const end = this.#plans.encode(position + this.#base, count, this.#table.address, tableEntries - 1);
    this.encoded = count - this.#plans.left;
    return end - this.#base;
  }

  prepare(topic: Topic, slot: number, payloadBytes: number): boolean {
    const known = this.#plans.planOf(topic);
    if (known === null) return false;
    const word = wordOf(slot);
    this.#table.words[word] = slot + 1;
    this.#table.words[word + 1] = known.address;
    return this.#plans.open(known, payloadBytes);
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
