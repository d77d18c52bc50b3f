import { Worker } from 'node:worker_threads';
import type { FromShard, ShardThreadData, ToShard } from './threadMessages.js';

/** The file that a shard's thread runs: every worker's address is named here. */
const shardWorkerUrl = new URL('../../workers/shard.js', import.meta.url);

type Reply<K extends FromShard['type']> = Extract<FromShard, { type: K }>;

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
  readonly #waiting = new Map<FromShard['type'], ((message: FromShard) => void)[]>();
  readonly #exited: Promise<void>;
  #ending = false;

  constructor(data: ShardThreadData, onEvent: (message: FromShard) => void) {
    this.#worker = new Worker(shardWorkerUrl, { workerData: data, name: `shard-${data.self}` });
    this.#worker.on('message', (message: FromShard) => {
      const waiting = this.#waiting.get(message.type)?.shift();
      if (waiting === undefined) onEvent(message);
      else waiting(message);
    });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
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

  /** Resolves with the next message of a type. */
  next<K extends FromShard['type']>(type: K): Promise<Reply<K>> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(type) ?? [];
      waiting.push(resolve as (message: FromShard) => void);
      this.#waiting.set(type, waiting);
    });
  }

  /** Lets the thread end, and ends it if it does not. */
  async end(): Promise<void> {
    this.#ending = true;
    this.post({ type: 'exit' });
    const late = setTimeout(() => this.#worker.terminate(), 1_000);
    await this.#exited;
    clearTimeout(late);
  }
}
