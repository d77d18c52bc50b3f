import { passwordThreadIdleMs } from '../base/limits.js';
import { TaskPool } from './taskPool.js';

/** What a thread that compares passwords is given. */
export interface PasswordTask {
  readonly given: string;
  readonly hash: string;
}

/** Compares passwords with bcrypt hashes, on a thread of its own. */
export class PasswordPool {
  readonly #pool: TaskPool<PasswordTask, boolean>;

  /** @param worker the file that the thread runs */
  constructor(worker = new URL('../../workers/password.js', import.meta.url)) {
    this.#pool = new TaskPool(worker, passwordThreadIdleMs);
  }

  /**
   * Whether a password is that of a hash.
   *
   * @throws rejects when there can be no such thread; the next comparison tries again
   */
  readonly compare = (given: string, hash: string): Promise<boolean> => this.#pool.run({ given, hash });

  /** Ends the thread; what it has not compared yet is rejected. */
  end(): Promise<void> {
    return this.#pool.end();
  }
}
