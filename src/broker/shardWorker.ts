import { Worker } from 'node:worker_threads';
import { Calls } from './calls.js';
import type { FromShard, ShardCalls, ShardEvent, ShardThreadData, ToShard, TracedLines } from './threadMessages.js';

/** The file that a shard's thread runs: every worker's address is named here. */
const shardWorkerUrl = new URL('../threads/shard.cjs', import.meta.url);

/**
 * A thread has the process's own options when nothing is said; said, they must not name V8's, which hold for the whole process in any case.
 * They are said only for a program that was given as text, which the thread is not.
 */
const isText = process.execArgv.some((option) => option.startsWith('--input-type'));
const ownOptions = process.execArgv.filter((option) => !/^--(input-type|max-|stack-|expose)/.test(option));
const execArgv = isText ? { execArgv: ownOptions } : {};

/** The first shard's thread, where it was started before it was known what else there is to be. */
let early: ShardWorker | null = null;

/** Starts the first shard's thread, for a broker that will be started as soon as its options are read: the thread needs as long as that. */
export function startFirstThread(): void {
  early ??= new ShardWorker(0);
}

/**
 * Starts the thread of every shard. Where one cannot be started none stays.
 *
 * @param url the file that they run
 */
export function startShardWorkers(
  shards: number,
  begin: (worker: ShardWorker, shard: number) => void,
  url = shardWorkerUrl,
): ShardWorker[] {
  const workers: ShardWorker[] = [];
  try {
    for (let shard = 0; shard < shards; shard++) workers.push(takeEarly(shard) ?? new ShardWorker(shard, url));
    workers.forEach(begin);
  } catch (error) {
    for (const worker of workers) void worker.terminate();
    throw error;
  }
  return workers;
}

function takeEarly(shard: number): ShardWorker | null {
  if (shard > 0) return null;
  const taken = early;
  early = null;
  return taken;
}

/** A shard's thread as the main thread sees it. */
export class ShardWorker {
  /** Resolves with what went wrong when the thread ended without having been told to. */
  readonly failed: Promise<Error>;
  readonly #worker: Worker;
  readonly #calls = new Calls<ShardCalls>((call) => this.post(call));
  readonly #exited: Promise<void>;
  #ending = false;
  #onEvent: (event: ShardEvent) => void = () => {};
  /** Logs what the protocol says; the thread sends more when that is done. */
  onLines: (traced: TracedLines) => void = () => {};

  /** Starts the thread, which waits for `begin`. */
  constructor(shard: number, url = shardWorkerUrl) {
    this.#worker = new Worker(url, { name: `shard-${shard}`, ...execArgv });
    this.#worker.on('message', (message: FromShard) => {
      if (message.type === 'answer') this.#calls.onAnswer(message);
      else if (message.type === 'traced') this.#onTraced(message);
      else if (message.type === 'events') for (const event of message.events) this.#onEvent(event);
      else this.#onEvent(message);
    });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#exited.then(() => this.#calls.abandon());
    this.failed = new Promise((resolve) => {
      this.#worker.once('error', (error) => resolve(error));
      this.#worker.once('exit', (code) => {
        if (!this.#ending) resolve(new Error(`shard ${shard} ended by itself with code ${code}`));
      });
    });
  }

  /** Tells the thread what it is to be: the first that it is told. */
  begin(data: ShardThreadData, onEvent: (event: ShardEvent) => void): void {
    this.#onEvent = onEvent;
    const { streams, monitor, spans } = data;
    const ports = [...streams.ports, ...(monitor === null ? [] : [monitor]), ...(spans === null ? [] : [spans.port])];
    this.#worker.postMessage(data, ports);
  }

  #onTraced(traced: TracedLines): void {
    this.onLines(traced);
    this.post({ type: 'traceTaken' });
  }

  post(message: ToShard): void {
    this.#worker.postMessage(message);
  }

  /** Asks the thread something; resolves with its answer, or with null when it has ended. */
  readonly call: Calls<ShardCalls>['call'] = (name, ...given) => this.#calls.call(name, ...given);

  /** Ends the thread at once. */
  async terminate(): Promise<void> {
    this.#ending = true;
    await this.#worker.terminate();
  }

  /** Lets the thread end, and ends it if it does not. */
  async end(): Promise<void> {
    this.#ending = true;
    this.post({ type: 'exit' });
    const late = setTimeout(() => this.terminate(), 1_000);
    await this.#exited;
    clearTimeout(late);
  }
}
