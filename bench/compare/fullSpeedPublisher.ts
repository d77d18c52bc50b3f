import type { Socket } from 'node:net';
import type { PublishRing } from './publishRing.js';

/** Blocks a connection may write within one turn of the event loop, so that the thread's others get theirs. */
const blocksPerTurn = 4;

/** Writes a ring's blocks one after another, each as soon as the socket has taken the one before. */
export class FullSpeedPublisher {
  readonly #socket: Socket;
  readonly #blocks: readonly Buffer[];
  readonly #messageBytes: number;
  readonly #onAccepted: (messages: number) => void;
  #next = 0;
  #inTurn = 0;
  #turnEnds = false;
  #stopped = false;
  #idle = true;
  #whenIdle: (() => void) | null = null;

  constructor(socket: Socket, ring: PublishRing, blockBytes: number, onAccepted: (messages: number) => void) {
    this.#socket = socket;
    this.#blocks = ring.blocks(blockBytes);
    this.#messageBytes = ring.messageBytes;
    this.#onAccepted = onAccepted;
  }

  start(): void {
    this.#idle = false;
    this.#writeNext();
  }

  /** Whether the socket has taken all that was written. */
  get settled(): boolean {
    return this.#idle;
  }

  /** Writes nothing more; resolves when the block being written has been taken whole. */
  stop(): Promise<void> {
    this.#stopped = true;
    return new Promise((resolve) => {
      if (this.#idle) resolve();
      else this.#whenIdle = resolve;
    });
  }

  readonly #writeNext = (): void => {
    if (this.#stopped) {
      this.#idle = true;
      this.#whenIdle?.();
      return;
    }
    const block = this.#blocks[this.#next]!;
    this.#next = (this.#next + 1) % this.#blocks.length;
    this.#socket.write(block, (error) => {
      if (error) {
        this.#idle = true;
        this.#whenIdle?.();
        return;
      }
      this.#onAccepted(block.length / this.#messageBytes);
      this.#continue();
    });
  };

  /** A socket that takes every block at once calls back without an event-loop turn: force one now and then. */
  #continue(): void {
    if (++this.#inTurn < blocksPerTurn) {
      if (!this.#turnEnds) {
        this.#turnEnds = true;
        setImmediate(() => {
          this.#turnEnds = false;
          this.#inTurn = 0;
        });
      }
      this.#writeNext();
    } else {
      setImmediate(() => {
        this.#inTurn = 0;
        this.#writeNext();
      });
    }
  }
}
