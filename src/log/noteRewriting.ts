import { compactionStepBytes } from '../base/limits.js';
import type { DurableStorage } from './durableStorage.js';
import type { Journal } from './journal.js';

/** What is left of notes in the first file of a journal is written anew at once if it is no more than such a part of the file. */
const rewritePart = 1 / 8;

export interface Rewritten {
  readonly journal: Journal;
  readonly storages: ReadonlyMap<number, DurableStorage>;
  readonly fileBytes: number;
  /** Whether the first file of the journal has nothing left but notes. */
  hasNotesAlone(): boolean;
}

/** Has owners write whole notes anew, some at a time: what lies where the last ones do is given up, or is damaged. */
export class NoteRewriting {
  readonly #rewritten: Rewritten;
  /** What lies before this position is damaged. */
  #damagedTo = 0;
  #releasing = false;
  #stopped = false;

  constructor(rewritten: Rewritten) {
    this.#rewritten = rewritten;
  }

  /** Nothing is written any more. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Those whose last ones lie from a position to another one (exclusive). Resolves when they are written, or nothing is written any more.
   */
  async rewrite(from: number, to: number): Promise<void> {
    const { journal } = this.#rewritten;
    let bytes = 0;
    for (const storage of this.#rewritten.storages.values()) {
      for (const [key, position] of storage.notes?.between(from, to) ?? []) {
        if (this.#stopped) return;
        bytes += storage.renote(key, position);
        if (bytes < compactionStepBytes) continue;
        await journal.written();
        bytes = 0;
      }
    }
    if (bytes > 0) await journal.written();
  }

  /** Something is damaged before a position: whole notes there, or changes behind them. Their owners know them nevertheless, or what is left of them. */
  onDamage(position: number): void {
    this.#damagedTo = Math.max(this.#damagedTo, position);
  }

  /** Writes anew what is damaged, or holds up a file, once there is room and owners know what they have. */
  look(): void {
    if (this.#stopped || !this.#areOwnersReady) return;
    const to = this.#damagedTo;
    if (to > 0 && this.#rewritten.journal.hasRoomForCopies) {
      this.#damagedTo = 0;
      void this.rewrite(0, to);
    }
    if (!this.#releasing && this.#holdsUpFile) void this.#releaseFiles();
  }

  /** Few notes hold up no file: a full disk may wait for it, though the journal is not too long for what its streams keep. */
  async #releaseFiles(): Promise<void> {
    const { journal, fileBytes } = this.#rewritten;
    this.#releasing = true;
    while (!this.#stopped && this.#holdsUpFile) {
      const begin = journal.firstFile * fileBytes;
      await this.rewrite(begin, begin + fileBytes);
    }
    this.#releasing = false;
  }

  /** As it frees many times as much as it writes, it comes to an end. */
  get #holdsUpFile(): boolean {
    const { journal, storages, fileBytes, hasNotesAlone } = this.#rewritten;
    const bytesMax = fileBytes * rewritePart;
    if (!hasNotesAlone() || !journal.hasRoomFor(2 * bytesMax)) return false;
    const begin = journal.firstFile * fileBytes;
    let bytes = 0;
    for (const { notes } of storages.values()) bytes += notes?.bytesBetween(begin, begin + fileBytes) ?? 0;
    return bytes <= bytesMax;
  }

  get #areOwnersReady(): boolean {
    for (const { keptBytes } of this.#rewritten.storages.values())
      if (keptBytes === Number.POSITIVE_INFINITY) return false;
    return true;
  }
}
