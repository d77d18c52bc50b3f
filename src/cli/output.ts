/** Gathered bytes are written at once when there are this many, else at the end of the event loop's turn. */
const BATCH_BYTES = 64 * 1024;

/** More than this waiting in the stream means that its reader is slower than we are. */
const WAITING_BYTES_MAX = 1024 * 1024;

/** Called when the reader falls behind, and when it has caught up. */
export interface OutputFlow {
  pause(): void;
  resume(): void;
}

/**
 * Standard output in batches. It never waits: who fills it is asked to pause, and what it still pushes is kept.
 * A reader that has gone (`| head -1`) is the end of the work, not an error.
 */
export class Output {
  /** Resolves when nobody reads any more, with null, or when writing failed, with the error. */
  readonly broken: Promise<Error | null>;

  readonly #stream: NodeJS.WriteStream;
  readonly #flow: OutputFlow;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  #isBroken = false;
  #isPaused = false;

  constructor(flow: OutputFlow = { pause() {}, resume() {} }, stream: NodeJS.WriteStream = process.stdout) {
    this.#stream = stream;
    this.#flow = flow;
    this.broken = new Promise((resolve) => {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        this.#isBroken = true;
        resolve(error.code === 'EPIPE' ? null : error);
      });
    });
    stream.on('drain', () => this.#onDrain());
  }

  push(...parts: readonly (string | Uint8Array)[]): void {
    if (this.#isBroken) return;
    if (this.#batch.length === 0) setImmediate(() => this.#flush());
    for (const part of parts) {
      const bytes =
        typeof part === 'string' ? Buffer.from(part) : Buffer.from(part.buffer, part.byteOffset, part.length);
      this.#batch.push(bytes);
      this.#batchBytes += bytes.length;
    }
    if (this.#batchBytes >= BATCH_BYTES) this.#flush();
  }

  /** Resolves when all that was pushed is written, or never will be. */
  async end(): Promise<void> {
    await this.written();
  }

  /** Resolves when all that was pushed is written, with true; with false when it never will be. */
  async written(): Promise<boolean> {
    this.#flush();
    if (!this.#isBroken && this.#stream.writableLength > 0)
      await Promise.race([this.broken, new Promise((resolve) => this.#stream.write('', resolve))]);
    return !this.#isBroken;
  }

  #flush(): void {
    if (this.#batch.length === 0 || this.#isBroken) return;
    const bytes = Buffer.concat(this.#batch, this.#batchBytes);
    this.#batch = [];
    this.#batchBytes = 0;
    this.#stream.write(bytes);
    if (!this.#isPaused && this.#stream.writableLength > WAITING_BYTES_MAX) {
      this.#isPaused = true;
      this.#flow.pause();
    }
  }

  #onDrain(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#flow.resume();
  }
}
