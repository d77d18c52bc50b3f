import type { Piscina } from 'piscina';
import { passwordThreadIdleMs } from '../base/limits.js';

/** What a thread that compares passwords is given. */
export interface PasswordTask {
  readonly given: string;
  readonly hash: string;
}

interface Started {
  readonly pool: Piscina;
  /** Rejects when the thread has failed, also where the pool does not tell that of a task. */
  readonly failed: Promise<never>;
}

/**
 * A thread that compares passwords with bcrypt hashes: it begins with the first and ends when there was none for a while. It is
 * no thread of libuv's pool, which is for files.
 */
export class PasswordPool {
  readonly #worker: URL;
  #started: Promise<Started> | null = null;

  /** @param worker the file that the thread runs */
  constructor(worker = new URL('../../workers/password.js', import.meta.url)) {
    this.#worker = worker;
  }

  /**
   * Whether a password is that of a hash.
   *
   * @throws rejects when there can be no such thread; the next comparison tries again
   */
  readonly compare = async (given: string, hash: string): Promise<boolean> => {
    const task: PasswordTask = { given, hash };
    this.#started ??= start(this.#worker);
    try {
      const { pool, failed } = await this.#started;
      return await Promise.race([pool.run(task), failed]);
    } catch (error) {
      void this.end();
      throw error;
    }
  };

  /** Ends the thread; what it has not compared yet is rejected. */
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
async function start(worker: URL): Promise<Started> {
  const { Piscina } = await import('piscina');
  const options = { filename: worker.href, minThreads: 0, maxThreads: 1, idleTimeout: passwordThreadIdleMs };
  const pool = new Piscina(options);
  const failed = new Promise<never>((_, reject) => pool.on('error', reject));
  // of a thread that had nothing to do: whoever compares next is told
  failed.catch(() => {});
  return { pool, failed };
}
