import type { Disk } from './disk.js';
import type { JournalShape } from './journalShape.js';
import type { JournalStream } from './stagedBlock.js';
import type { Timers } from './timers.js';

/** Where a journal goes on. */
export interface JournalEnd {
  /** Where its last block lies; -1 when it has none. */
  readonly last: number;
  readonly position: number;
  /** Of the last block. */
  readonly check: Uint8Array;
  readonly epoch: number;
  /** What lies before it is not needed. */
  readonly begin: number;
}

export interface JournalSetting {
  readonly disk: Disk;
  readonly timers: Timers;
  readonly directory: string;
  /** Random, of the data directory. */
  readonly id: Uint8Array;
  readonly shape: JournalShape;
  /** Whether what was written counts before it is on disk: the system has it, and a crash of the machine may take it back. */
  readonly buffered: boolean;
  /** A block was written, in so many milliseconds. */
  readonly onWritten?: ((milliseconds: number) => void) | undefined;
}

export interface JournalEvents {
  /** All streams of the journal, for what a file begins with. */
  readonly streams: ReadonlyMap<number, JournalStream>;
  /** The next file is written to: the one before may be needed no more. */
  onTurned(): void;
  /** Nothing has come for a while. */
  onIdle(): void;
  /** A disk error: nothing is written any more. */
  onFailed(error: Error): void;
}
