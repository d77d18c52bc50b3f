import { Worker } from 'node:worker_threads';
import { Calls } from './calls.js';
import type { FromShard, ShardCalls, ShardEvent, ShardThreadData, ToShard } from './threadMessages.js';

/** The file that a shard's thread runs: every worker's address is named here. */
const shardWorkerUrl = new URL('../threads/shard.cjs', import.meta.url);

/**
 * A thread has the process's own options when nothing is said; said, they must not name V8's, which hold for the whole process in any case.
 * They are said only for a program that was given as text, which the thread is not.
 */
const isText = process.execArgv.some((option) => option.startsWith('--input-type'));
const ownOptions = process.execArgv.filter((option) => !/^--(input-type|max-|stack-|expose)/.test(option));
const execArgv = isText ? { execArgv: ownOptions } : {};

/** Starts the thread of every shard. Where one cannot be started none stays. */
export function startShardWorkers(shards: number, start: (shard: number) => ShardWorker): ShardWorker[] {
  const workers: ShardWorker[] = [];
  try {
    for (let shard = 0; shard < shards; shard++) workers.push(start(shard));
  } catch (error) {
    for (const worker of workers) void worker.end();
    throw error;
  }
  return workers;
}

/** A shard's thread as the main thread sees it. */
export class ShardWorker {
  /** Resolves with what went wrong when the thread ended without having been told to. */
  readonly failed: Promise<Error>;
  readonly #worker: Worker;
  readonly #calls = new Calls<ShardCalls>((call) => this.post(call));
  readonly #exited: Promise<void>;
  #ending = false;

  constructor(data: ShardThreadData, onEvent: (event: ShardEvent) => void) {
    this.#worker = new Worker(shardWorkerUrl, { workerData: data, name: `shard-${data.self}`, ...execArgv });
    this.#worker.on('message', (message: FromShard) => {
      if (message.type === 'answer') this.#calls.onAnswer(message);
      else onEvent(message);
    });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#exited.then(() => this.#calls.abandon());
    this.failed = new Promise((resolve) => {
      this.#worker.once('error', (error) => resolve(error));
      this.#worker.once('exit', (code) => {
        if (!this.#ending) resolve(new Error(`shard ${data.self} ended by itself with code ${code}`));
      });
    });
  }

  post(message: ToShard): void {
    this.#worker.postMessage(message);
  }

  /** Asks the thread something; resolves with its answer, or with null when it has ended. */
  readonly call: Calls<ShardCalls>['call'] = (name, ...given) => this.#calls.call(name, ...given);

  /** Lets the thread end, and ends it if it does not. */
  async end(): Promise<void> {
    this.#ending = true;
    this.post({ type: 'exit' });
    const late = setTimeout(() => this.#worker.terminate(), 1_000);
    await this.#exited;
    clearTimeout(late);
  }
}
