import { randomInt } from 'node:crypto';
import { scrubLookMs, scrubThreadIdleMs } from '../base/limits.js';
import type { DataPlace } from '../log/dataDirectory.js';
import { journalPath } from '../log/journalFiles.js';
import type { Gap, ScrubTask, SealedFiles } from '../log/scrub.js';
import type { Logger } from './logger.js';
import { TaskPool } from './taskPool.js';

/** A journal of a shard that is checked. Each call resolves with null when its thread is gone. */
export interface ScrubbedJournal {
  /** What may be checked now; null without a journal. */
  sealedFiles(): Promise<SealedFiles | null>;
  /** Tells of what was found in a file, as far as that is needed still; resolves with how much of it is damage. */
  onScrubbed(gaps: readonly Gap[]): Promise<number | null>;
}

export interface ScrubSetting {
  readonly place: Pick<DataPlace, 'id' | 'shape'>;
  readonly journals: readonly ScrubbedJournal[];
  /** In so much time everything is checked once. */
  readonly periodMs: number;
  readonly log: () => Logger;
  /** The file that the thread runs. */
  readonly worker?: URL;
}

interface ScrubbedFile {
  readonly journal: ScrubbedJournal;
  readonly directory: string;
  readonly number: number;
}

/**
 * Checks what shards have on disk, one file of a journal after the other, on a thread of its own, at even distances over a period; then all of it
 * again. The log hears of each round; the shards tell of damage.
 */
export class Scrubber {
  readonly #setting: ScrubSetting;
  readonly #pool: TaskPool<ScrubTask, Gap[]>;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(setting: ScrubSetting) {
    this.#setting = setting;
    const worker = setting.worker ?? new URL('../../workers/scrub.js', import.meta.url);
    this.#pool = new TaskPool(worker, scrubThreadIdleMs);
  }

  /** Goes on until `end`; resolves then. */
  async run(): Promise<void> {
    while (!this.#ended) {
      const files = await this.#files();
      if (files.length === 0) await this.#wait(Math.min(this.#setting.periodMs, scrubLookMs));
      else await this.#round(files);
    }
  }

  /** Nothing more is checked. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#wake();
    await this.#pool.end();
  }

  /** From any of them on: a broker that is started often would check the same ones again and again otherwise. */
  async #files(): Promise<ScrubbedFile[]> {
    const { journals } = this.#setting;
    const all = await Promise.all(journals.map(async (journal) => filesOf(journal, await journal.sealedFiles())));
    const files = all.flat();
    const from = files.length > 0 ? randomInt(files.length) : 0;
    return [...files.slice(from), ...files.slice(0, from)];
  }

  async #round(files: readonly ScrubbedFile[]): Promise<void> {
    const { place, periodMs, log } = this.#setting;
    const { fileBytes } = place.shape;
    const startMs = performance.now();
    log().info({ files: files.length, bytes: files.length * fileBytes }, 'scrub: started');
    let [checked, damaged] = [0, 0];
    for (const file of files) {
      await this.#wait(periodMs / files.length);
      if (this.#ended) return;
      const found = await this.#scrub(file);
      if (found === null) continue;
      checked++;
      damaged += found;
    }
    const seconds = Math.round((performance.now() - startMs) / 1000);
    const figures = { files: checked, bytes: checked * fileBytes, damaged, seconds };
    log()[damaged > 0 ? 'error' : 'info'](figures, 'scrub: done');
  }

  /** Resolves with how many places of a file are damaged; null when it was not checked. */
  async #scrub({ journal, directory, number }: ScrubbedFile): Promise<number | null> {
    try {
      return await journal.onScrubbed(await this.#pool.run({ ...this.#setting.place, directory, number }));
    } catch (error) {
      // it may not be needed any more, and have gone
      const { first } = (await journal.sealedFiles()) ?? { first: Number.POSITIVE_INFINITY };
      const file = journalPath(directory, number);
      if (!this.#ended && number >= first)
        this.#setting.log().error({ file, reason: (error as Error).message }, 'scrub: a file could not be read');
      return null;
    }
  }

  #wake: () => void = () => {};

  async #wait(ms: number): Promise<void> {
    if (this.#ended) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#timer = setTimeout(resolve, ms).unref();
    });
    clearTimeout(this.#timer);
  }
}

function filesOf(journal: ScrubbedJournal, sealed: SealedFiles | null): ScrubbedFile[] {
  const { directory, first, end } = sealed ?? { directory: '', first: 0, end: 0 };
  return Array.from({ length: end - first }, (_, i) => ({ journal, directory, number: first + i }));
}
