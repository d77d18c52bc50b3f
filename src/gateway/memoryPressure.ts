import { memoryOwnerBytesMin, memoryScanMs } from '../base/limits.js';
import type { MemoryBudget } from './memoryBudget.js';

/** Something that holds memory for a client, or for a group of them, and can be ended. */
export interface MemoryOwner {
  /** Memory that it takes, in bytes. */
  readonly heldBytes: number;
  /** Whether it has something to take and takes nothing. */
  isStalled(nowMs: number): boolean;
}

/** What is told of an owner when it is ended. */
export interface MemoryCause {
  heldBytes: number;
  stalled: boolean;
  /** What all held together, and might have. */
  usedBytes: number;
  maxBytes: number;
}

export interface MemoryPressureHost {
  /** All that is held here, in bytes. */
  readonly heldBytes: number;
  /** Calls `see` with everything that can be ended. */
  visitOwners(see: (owner: MemoryOwner) => void): void;
  /** Gives up what is kept for reuse only. */
  trim(): void;
  endOwner(owner: MemoryOwner, cause: MemoryCause): void;
  /** There is room again. */
  onRelieved(): void;
}

interface Ranked {
  readonly owner: MemoryOwner;
  readonly rank: number;
}

/**
 * What a gateway does when `--memory-max` is reached: whoever holds most is ended, wherever it is, then the next, until nine tenths are
 * held; those that have stopped reading come before those that read. Each thread ends its own, and only what is the largest that it knows of.
 */
export class MemoryPressure {
  readonly #budget: MemoryBudget;
  readonly #host: MemoryPressureHost;
  #nextScanMs = 0;

  constructor(budget: MemoryBudget, host: MemoryPressureHost) {
    this.#budget = budget;
    this.#host = host;
  }

  /** Whether publishes have to wait. */
  get short(): boolean {
    return this.#budget.short;
  }

  /** Says what is held, and ends what has to be. At every turn's end. */
  doWork(nowMs: number): void {
    const wasShort = this.#budget.short;
    if (this.#isShort() && this.#isShortTrimmed() && nowMs >= this.#nextScanMs) this.#endLargest(nowMs);
    if (wasShort && !this.#budget.short) this.#host.onRelieved();
  }

  /** Lets other threads know what the largest owner here is, when it may soon matter. */
  tick(nowMs: number): void {
    let largest = 0;
    if (this.#budget.usedBytes >= this.#budget.maxBytes / 2)
      this.#host.visitOwners((owner) => {
        largest = Math.max(largest, this.#rankOf(owner, nowMs));
      });
    this.#budget.sayLargest(largest);
  }

  #isShort(): boolean {
    this.#budget.report(this.#host.heldBytes);
    return this.#budget.review();
  }

  #isShortTrimmed(): boolean {
    this.#host.trim();
    return this.#isShort();
  }

  #endLargest(nowMs: number): void {
    this.#nextScanMs = nowMs + memoryScanMs;
    const budget = this.#budget;
    const ranked = this.#ranked(nowMs);
    let next = 0;
    do {
      const rank = ranked[next]?.rank ?? 0;
      budget.sayLargest(rank);
      if (rank === 0 || !budget.isLargest(rank)) return;
      this.#end(ranked[next++].owner, nowMs);
    } while (this.#isShortTrimmed());
    budget.sayLargest(ranked[next]?.rank ?? 0);
  }

  #end(owner: MemoryOwner, nowMs: number): void {
    const { usedBytes, maxBytes } = this.#budget;
    const { heldBytes } = owner;
    this.#host.endOwner(owner, { heldBytes, stalled: owner.isStalled(nowMs), usedBytes, maxBytes });
  }

  /** Everything here that is worth ending, the first to be ended first. */
  #ranked(nowMs: number): Ranked[] {
    const ranked: Ranked[] = [];
    this.#host.visitOwners((owner) => {
      const rank = this.#rankOf(owner, nowMs);
      if (rank > 0) ranked.push({ owner, rank });
    });
    return ranked.sort((one, other) => other.rank - one.rank);
  }

  #rankOf(owner: MemoryOwner, nowMs: number): number {
    const { heldBytes } = owner;
    return heldBytes < memoryOwnerBytesMin ? 0 : this.#budget.rankOf(heldBytes, owner.isStalled(nowMs));
  }
}
