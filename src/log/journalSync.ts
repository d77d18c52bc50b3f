import type { StagedBlock } from './stagedBlock.js';
import type { Timers } from './timers.js';

/** What a journal does once it is on disk that a file is not needed. */
export interface SyncEvents {
  /** All that was written is brought to disk. Resolves with false when the disk fails. */
  sync(): Promise<boolean>;
  /** What was needed of a file is on disk elsewhere: blocks may say that the file is not needed. */
  onUnneeded(file: number): void;
  /** A block on disk says that the file is not needed. */
  onReleased(file: number): void;
  onSynced(): void;
}

/**
 * Decides when a buffered journal brings to disk what it has written: within the least interval that a stream of it asks for. A file is
 * used again behind two syncs: until the first, its records may be on disk nowhere else; until the second, a start looks for the file.
 */
export class JournalSync {
  readonly #timers: Timers;
  readonly #events: SyncEvents;
  /** Within how long the next sync is to come, by the timer that was set last, in milliseconds. */
  #armedMs = Number.POSITIVE_INFINITY;
  /** What the last block with entries has asked for. */
  #dataMs = Number.POSITIVE_INFINITY;
  #wanted = false;
  #running: Promise<void> | null = null;
  #unneeded: number[] = [];
  #released: number[] = [];

  constructor(timers: Timers, events: SyncEvents) {
    this.#timers = timers;
    this.#events = events;
  }

  /** The system has a block. */
  written(block: StagedBlock): void {
    if (block.hasEntries) this.#dataMs = block.syncMs;
    this.#within(this.#dataMs);
    if (block.unneeded.length + block.released.length === 0) return;
    this.#unneeded.push(...block.unneeded);
    this.#released.push(...block.released);
    void this.now();
  }

  /** Resolves when all that was written so far is on disk, or the disk has failed. */
  now(): Promise<void> {
    this.#wanted = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Resolves when nothing is brought to disk. */
  async settled(): Promise<void> {
    await this.#running;
  }

  #within(milliseconds: number): void {
    if (milliseconds >= this.#armedMs) return;
    this.#armedMs = milliseconds;
    this.#timers.after(milliseconds, () => {
      if (this.#armedMs === milliseconds) this.#armedMs = Number.POSITIVE_INFINITY;
      void this.now();
    });
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      this.#wanted = false;
      const [unneeded, released] = [this.#unneeded, this.#released];
      this.#unneeded = [];
      this.#released = [];
      if (!(await this.#events.sync())) break;
      for (const file of unneeded) this.#events.onUnneeded(file);
      for (const file of released) this.#events.onReleased(file);
      this.#events.onSynced();
    }
    this.#running = null;
  }
}
