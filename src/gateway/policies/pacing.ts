import { pacedBytesMax, pacedPingBytes } from '../../base/limits.js';
import type { Connection } from '../connection.js';

/** What bounds what is sent to the connection now; null where nothing does but its socket. */
export function pacingNow(connection: Connection): Pacing | null {
  return connection.parked ? null : connection.backlogs.pacing;
}

/**
 * Bounds what is under way to a client: its kernel would take megabytes, in which values get old. PINGs stand between its
 * deliveries, and each answer says that it has read so far.
 */
export class Pacing {
  /** When it last answered, or owed no answer that anything waited for, by the gateway's clock. */
  answeredMs: number;
  /** Bytes that were sent and not confirmed yet. */
  #unreadBytes = 0;
  /** Those of them that were sent since the last PING. */
  #unaskedBytes = 0;
  /** What the answer to each PING confirms, in bytes. */
  readonly #asked: number[] = [];

  constructor(nowMs: number) {
    this.answeredMs = nowMs;
  }

  /** What may be sent, in bytes. A delivery that is longer may go when there is any room. */
  get roomBytes(): number {
    return Math.max(0, pacedBytesMax - this.#unreadBytes);
  }

  /** PINGs that have not been answered. */
  get unanswered(): number {
    return this.#asked.length;
  }

  /** Counts what was sent; returns whether a PING has to follow it. */
  sent(lengthBytes: number): boolean {
    this.#unreadBytes += lengthBytes;
    this.#unaskedBytes += lengthBytes;
    if (this.#unaskedBytes < pacedPingBytes) return false;
    this.#asked.push(this.#unaskedBytes);
    this.#unaskedBytes = 0;
    return true;
  }

  /** A PING was answered; answers to nothing mean nothing. */
  answered(nowMs: number): void {
    this.answeredMs = nowMs;
    this.#unreadBytes -= this.#asked.shift() ?? 0;
  }
}
