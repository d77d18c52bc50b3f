import { createPipe, duplicateDescriptor } from '../gateway/native.js';

/** The pipe by which a shard's thread is woken: what the thread reads, and closes at its end, and what others write to. */
export interface ShardPipe {
  readonly reader: number;
  readonly writer: number;
}

type Pipe = readonly [reader: number, writer: number];

/**
 * Pipes whose broker has ended, for the next one. They are never closed: a thread of the user's that hangs may ring late, and a descriptor
 * that was closed may be another file's by then. Whoever has the pipe next is woken once more than needed.
 */
const spare: Pipe[] = [];

/** The pipes of one broker's shards. */
export class WakePipes {
  readonly #pipes: Pipe[] = [];

  /** A pipe for one more shard; null where there can be none, and `Atomics.notify` wakes it. */
  take(): ShardPipe | null {
    const pipe = spare.pop() ?? createPipe();
    if (pipe === null) return null;
    this.#pipes.push(pipe);
    // this end stays open, so that nobody ever writes to a pipe without a reader
    const reader = duplicateDescriptor(pipe[0]);
    return reader < 0 ? null : { reader, writer: pipe[1] };
  }

  /** No thread of the broker's own is left. */
  leave(): void {
    spare.push(...this.#pipes.splice(0));
  }
}
