import type { Orderly } from '../../router/settling.js';

/** How far what one connection has sent to other threads is known to be in order: `src/router/settling.ts` keeps it. */
export class Order implements Orderly {
  unsequenced = false;
  sequencedMarks: Int32Array | null = null;
  deliveriesAsked = 0;
  fenced = false;
  /** How many messages its gateway had given back to their shards when a PONG last waited for them. */
  #requeuesSeen = 0;

  /** Something more goes to another thread: what an operation has waited for, and was not carried out, is not all. */
  noteSent(): void {
    this.unsequenced = true;
    this.sequencedMarks = null;
    this.deliveriesAsked = 0;
  }

  /** Messages were given back; returns whether a PONG has to wait for them too. */
  noteRequeues(requeues: number): boolean {
    if (this.#requeuesSeen === requeues) return false;
    this.#requeuesSeen = requeues;
    this.noteSent();
    return true;
  }
}
