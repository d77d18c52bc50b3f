import type { Exchange } from '../exchange/exchange.js';
import type { Topic } from '../router/topic.js';

/** What was published between two looks. */
interface Batch {
  readonly sequenced: Promise<boolean>;
  resolve(): void;
  reject(error: Error): void;
}

/** Tells who published here when that is in order: by how far the lanes stood behind it. */
export class Sequencing {
  readonly #exchange: Exchange<Topic>;
  /** What was published since the last look; null when nobody wants to know. */
  #open: Batch | null = null;
  readonly #marked: { readonly marks: Int32Array; readonly batch: Batch }[] = [];

  constructor(exchange: Exchange<Topic>) {
    this.#exchange = exchange;
  }

  /** Whether nobody waits. */
  get quiet(): boolean {
    return this.#open === null && this.#marked.length === 0;
  }

  /** Resolves with true when everything published so far is in order; rejects when it will never be known. */
  whenSequenced(): Promise<boolean> {
    this.#open ??= openBatch();
    return this.#open.sequenced;
  }

  /** A turn's part: notes how far what was published reaches, and tells what has been put in order. */
  doWork(): void {
    this.#mark();
    while (this.#marked.length > 0 && this.#exchange.isSequenced(this.#marked[0].marks))
      this.#marked.shift()!.batch.resolve();
  }

  /** Nothing more is known. */
  abandon(error: Error): void {
    for (const { batch } of this.#marked.splice(0)) batch.reject(error);
    this.#open?.reject(error);
    this.#open = null;
  }

  #mark(): void {
    if (this.#open === null) return;
    const marks = this.#exchange.markPublished();
    if (marks === null) return;
    this.#marked.push({ marks, batch: this.#open });
    this.#open = null;
  }
}

function openBatch(): Batch {
  let resolve!: (sent: true) => void;
  let reject!: (error: Error) => void;
  const sequenced = new Promise<boolean>((onDone, onFailure) => {
    resolve = onDone;
    reject = onFailure;
  });
  return { sequenced: optional(sequenced), resolve: () => resolve(true), reject };
}

/** A publish's outcome for its publisher. Who does not keep it does not want to know: it is never an unhandled rejection. */
export function optional<T>(outcome: Promise<T>): Promise<T> {
  outcome.catch(() => {});
  return outcome;
}
