import type { DataPlace } from './dataDirectory.js';
import type { Disk } from './disk.js';
import type { DurableStorage } from './durableStorage.js';
import type { Journal } from './journal.js';
import { type JournalMark, writeSnapshot } from './journalSnapshot.js';
import { type SnapshotName, snapshotNames } from './snapshotFile.js';
import type { Timers } from './timers.js';

export interface CheckpointSetting {
  readonly disk: Disk;
  readonly timers: Timers;
  readonly directory: string;
  readonly place: Pick<DataPlace, 'id' | 'shape'>;
  readonly journal: Journal;
  readonly storages: ReadonlyMap<number, DurableStorage>;
  /** Nothing is written: a start reads more of the journal then. */
  onUnsaved(reason: string): void;
}

/**
 * Writes what streams are while they go on, so that a start behind a kill reads the end of a journal alone: whenever so much was written
 * since, and many times as much as that takes.
 */
export class Checkpoints {
  readonly #setting: CheckpointSetting;
  /** Where the latest was begun, and how many bytes it had. */
  #position: number;
  #bytes: number;
  #running: Promise<void> | null = null;
  #isOver = false;

  /**
   * @param position from where on a start has read the journal
   * @param bytes of the snapshot that it went on from; 0 without one
   */
  constructor(setting: CheckpointSetting, position: number, bytes: number) {
    this.#setting = setting;
    this.#position = position;
    this.#bytes = bytes;
  }

  /** Begins one if that is due. */
  look(): void {
    if (this.#isOver || this.#running !== null || !this.#isDue) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
    });
  }

  get #isDue(): boolean {
    const { journal, place } = this.#setting;
    const { checkpointBytes, checkpointRatio } = place.shape;
    const { last, position } = journal.mark;
    return last >= 0 && position - this.#position >= Math.max(checkpointBytes, checkpointRatio * this.#bytes);
  }

  /** None is begun any more; one that is under way is given up, when all that was laid is on disk: resolves then. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { journal, onUnsaved } = this.#setting;
    const { mark } = journal;
    this.#position = mark.position;
    try {
      this.#bytes = (await this.#write(snapshotNames.running, mark)) || this.#bytes;
    } catch (error) {
      onUnsaved((error as Error).message);
    }
  }

  /** Writes the last one, of a journal that was closed. Rejects with what the disk said. */
  async writeStopped(mark: JournalMark): Promise<void> {
    this.#isOver = false;
    await this.#write(snapshotNames.stopped, mark);
  }

  #write(name: SnapshotName, mark: JournalMark): Promise<number> {
    const { disk, timers, directory, place, journal, storages } = this.#setting;
    return writeSnapshot({
      disk,
      directory,
      name,
      id: place.id,
      mark,
      storages: [...storages.values()],
      async written() {
        await journal.written();
        await journal.synced();
      },
      pause: () => new Promise((resolve) => timers.soon(resolve)),
      isOver: () => this.#isOver,
    });
  }
}
