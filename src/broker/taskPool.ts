import type { Piscina } from 'piscina';

interface Started {
  readonly pool: Piscina;
  /** Rejects when the thread has failed, also where the pool does not tell that of a task. */
  readonly failed: Promise<never>;
}

/**
 * A thread that does one task after the other: it begins with the first and ends when there was none for a while. It is no thread of libuv's
 * pool, which is for files.
 */
export class TaskPool<Task, Result> {
  readonly #worker: URL;
  readonly #idleMs: number;
  #started: Promise<Started> | null = null;

  /** @param worker the file that the thread runs */
  constructor(worker: URL, idleMs: number) {
    this.#worker = worker;
    this.#idleMs = idleMs;
  }

  /**
   * Has a task done; resolves with what came of it.
   *
   * @throws rejects when it fails, or there can be no such thread; the next one tries again
   */
  async run(task: Task): Promise<Result> {
    this.#started ??= start(this.#worker, this.#idleMs);
    try {
      const { pool, failed } = await this.#started;
      return await Promise.race([pool.run(task), failed]);
    } catch (error) {
      void this.end();
      throw error;
    }
  }

  /** Ends the thread; what it has not done yet is rejected. */
  async end(): Promise<void> {
    const started = this.#started;
    this.#started = null;
    // one that could not begin has been told of
    const pool = await started?.then(
      ({ pool }) => pool,
      () => null,
    );
    await pool?.destroy();
  }
}

/** Loads the pool's code only now: most brokers have no use for it. */
async function start(worker: URL, idleMs: number): Promise<Started> {
  const { Piscina } = await import('piscina');
  const options = { filename: worker.href, minThreads: 0, maxThreads: 1, idleTimeout: idleMs };
  const pool = new Piscina(options);
  const failed = new Promise<never>((_, reject) => pool.on('error', reject));
  // of a thread that had nothing to do: whoever has the next task is told
  failed.catch(() => {});
  return { pool, failed };
}
