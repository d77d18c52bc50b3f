import { caughtUpRatio, laggingRatio, readyRatio, stopAllowanceMs } from '../../base/limits.js';

/** Pending bytes above which a connection is full, or lags, and below which it is so no longer. */
export class LagBounds {
  readonly fullBytes: number;
  readonly readyBytes: number;
  readonly laggingBytes: number;
  readonly caughtUpBytes: number;

  /** @param maxPendingBytes what a connection may have pending; @param topicBufferBytes what makes it full */
  constructor(maxPendingBytes: number, topicBufferBytes: number) {
    this.fullBytes = topicBufferBytes;
    this.readyBytes = topicBufferBytes * readyRatio;
    this.laggingBytes = maxPendingBytes * laggingRatio;
    this.caughtUpBytes = maxPendingBytes * caughtUpRatio;
  }
}

/** How far a connection is behind, and how long publishers have waited for it. */
export class Lag {
  #full = false;
  #lagging = false;
  /** NaN while publishers do not wait for it. */
  #waitedSinceMs = Number.NaN;
  #spent = false;

  /** Whether its topics' publishers wait when all their subscribers are like this. */
  get full(): boolean {
    return this.#full;
  }

  /** Whether the publishers of what it takes wait for it alone. */
  get lagging(): boolean {
    return this.#lagging;
  }

  /** Whether publishers have waited for its subscriptions as long as they may: it is told again if it ends for that. */
  get spent(): boolean {
    return this.#spent;
  }

  /** Judges by what is pending; returns whether that has changed anything. */
  judge(pendingBytes: number, bounds: LagBounds): boolean {
    const full = pendingBytes > (this.#full ? bounds.readyBytes : bounds.fullBytes);
    const lagging = pendingBytes > (this.#lagging ? bounds.caughtUpBytes : bounds.laggingBytes);
    if (full === this.#full && lagging === this.#lagging) return false;
    this.#full = full;
    this.#lagging = lagging;
    return true;
  }

  /** Publishers wait for it. */
  noteWaited(nowMs: number): void {
    if (Number.isNaN(this.#waitedSinceMs)) this.#waitedSinceMs = nowMs;
  }

  /** It has taken something. */
  noteProgress(): void {
    this.#waitedSinceMs = Number.NaN;
  }

  noteSpent(): void {
    this.#spent = true;
  }

  /**
   * Whether it is worth waiting for: it has taken something since publishers first waited for it, or they have not waited long. Only
   * progress gives back what it has used up of that.
   */
  isWaitable(nowMs: number): boolean {
    return !(nowMs - this.#waitedSinceMs >= stopAllowanceMs);
  }
}
