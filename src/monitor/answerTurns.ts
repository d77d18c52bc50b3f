import { monitorWaitingMax } from '../base/limits.js';
import { RequestError } from './query.js';

/** Has answers put together one behind the other, whichever way they are asked for: as much memory as one of them takes is enough. */
export class AnswerTurns {
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws RequestError when too many wait */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= monitorWaitingMax) throw new RequestError(503, 'too many requests wait for their answers');
    this.#waiting++;
    const done = this.#last.then(work).finally(() => this.#waiting--);
    this.#last = done.catch(() => {});
    return await done;
  }
}
