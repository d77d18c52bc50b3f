import { memoryHolderBytesMin, memoryScanMs } from '../base/limits.js';
import type { MemoryBudget } from './memoryBudget.js';

/** Something that holds memory for a client, or for a group of them, and can be ended. */
export interface MemoryHolder {
  /** Memory that it takes, in bytes. */
  readonly heldBytes: number;
  /** Whether it has something to take and takes nothing. */
  isStalled(nowMs: number): boolean;
}

/** What is told of a holder when it is ended. */
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
  visitHolders(see: (holder: MemoryHolder) => void): void;
  /** Gives up what is kept for reuse only. */
  trim(): void;
  endHolder(holder: MemoryHolder, cause: MemoryCause): void;
  /** There is room again. */
  onRelieved(): void;
}

interface Ranked {
  readonly holder: MemoryHolder;
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

  /** Lets other threads know what the largest holder here is, when it may soon matter. */
  tick(nowMs: number): void {
    let largest = 0;
    if (this.#budget.usedBytes >= this.#budget.maxBytes / 2)
      this.#host.visitHolders((holder) => {
        largest = Math.max(largest, this.#rankOf(holder, nowMs));
      });
    this.#budget.sayLargest(largest);
  }

  #isShort(): boolean {
    this.#budget.hold(this.#host.heldBytes);
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
      this.#end(ranked[next++].holder, nowMs);
    } while (this.#isShortTrimmed());
    budget.sayLargest(ranked[next]?.rank ?? 0);
  }

  #end(holder: MemoryHolder, nowMs: number): void {
    const { usedBytes, maxBytes } = this.#budget;
    const { heldBytes } = holder;
    this.#host.endHolder(holder, { heldBytes, stalled: holder.isStalled(nowMs), usedBytes, maxBytes });
  }

  /** Everything here that is worth ending, the first to be ended first. */
  #ranked(nowMs: number): Ranked[] {
    const ranked: Ranked[] = [];
    this.#host.visitHolders((holder) => {
      const rank = this.#rankOf(holder, nowMs);
      if (rank > 0) ranked.push({ holder, rank });
    });
    return ranked.sort((one, other) => other.rank - one.rank);
  }

  #rankOf(holder: MemoryHolder, nowMs: number): number {
    const { heldBytes } = holder;
    return heldBytes < memoryHolderBytesMin ? 0 : this.#budget.rankOf(heldBytes, holder.isStalled(nowMs));
  }
}
