import type net from 'node:net';

const lineFeed = 10;

/** How much a publisher sends, and when. */
export interface Pace {
  /** Messages that are not acknowledged, at most. */
  readonly window: number;
  /** Messages a second; as fast as may be without that. */
  readonly perSecond?: number;
}

/** One connection that sends blocks of messages, while no more than so many are not acknowledged. */
export abstract class WindowPublisher {
  acknowledged = 0;
  refused = 0;
  /** How long messages waited for their acknowledgement, of each block the last one, in microseconds. */
  readonly latenciesUs: number[] = [];
  protected readonly socket: net.Socket;
  protected readonly blockMessages: number;
  /** Messages of the blocks that were asked for. */
  protected published = 0;
  readonly #pace: Pace;
  readonly #sentAtMs: number[] = [];
  #stopping = false;
  #onIdle: () => void = () => {};
  #timer: NodeJS.Timeout | null = null;
  #startedMs = 0;
  /** Whether a line has come in part. */
  #inLine = false;

  protected constructor(socket: net.Socket, pace: Pace) {
    this.socket = socket;
    this.#pace = pace;
    this.blockMessages = Math.min(pace.perSecond === undefined ? 32 : 10, pace.window);
    socket.on('data', (chunk) => this.#receive(chunk));
  }

  /** The next block, whose messages are counted in `published`. */
  protected abstract nextBlock(): Buffer;
  /** A line begins at a position of what has come. */
  protected abstract beginLine(chunk: Buffer, at: number): void;
  protected abstract endLine(): void;

  start(): void {
    this.#startedMs = performance.now();
    if (this.#pace.perSecond !== undefined) this.#timer = setInterval(() => this.#fill(), 1);
    this.#fill();
  }

  /** Resolves when all that was published is acknowledged. */
  /** Forgets how long messages waited so far. */
  warmedUp(): void {
    this.latenciesUs.length = 0;
  }

  stop(): Promise<void> {
    this.#stopping = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.published === this.acknowledged) resolve();
    });
  }

  close(): void {
    this.socket.destroy();
  }

  protected acknowledge(): void {
    if (++this.acknowledged % this.blockMessages === 0)
      this.latenciesUs.push((performance.now() - this.#sentAtMs.shift()!) * 1000);
  }

  #fill(): void {
    const out: Buffer[] = [];
    while (!this.#stopping && this.#maySend()) {
      out.push(this.nextBlock());
      this.#sentAtMs.push(performance.now());
    }
    if (out.length > 0) this.socket.write(out.length === 1 ? out[0]! : Buffer.concat(out));
    if (this.#stopping && this.published === this.acknowledged) this.#onIdle();
  }

  #maySend(): boolean {
    const { window, perSecond } = this.#pace;
    if (this.published - this.acknowledged + this.blockMessages > window) return false;
    if (perSecond === undefined) return true;
    return this.published < ((performance.now() - this.#startedMs) * perSecond) / 1000;
  }

  #receive(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (!this.#inLine) this.beginLine(chunk, at);
      const end = chunk.indexOf(lineFeed, at);
      this.#inLine = end < 0;
      if (end < 0) break;
      this.endLine();
      at = end + 1;
    }
    // a paced one waits for its time
    if (this.#timer === null || this.#stopping) this.#fill();
  }
}
