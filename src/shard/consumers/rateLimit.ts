const bitsInByte = 8;
const msInSecond = 1000;
/** What may be sent at one go after a pause: as much as the longest message by default. */
const burstBytes = 1024 * 1024;

/** How many bytes a consumer delivers within a time: what is not used now may be used later, up to a bound. */
export class RateLimit {
  readonly #bytesInMs: number;
  #leftBytes = burstBytes;
  #atMs = 0;

  /** @param bitsInSecond 0 for no limit */
  static of(bitsInSecond: bigint): RateLimit | null {
    return bitsInSecond === 0n ? null : new RateLimit(Number(bitsInSecond) / bitsInByte / msInSecond);
  }

  constructor(bytesInMs: number) {
    this.#bytesInMs = bytesInMs;
  }

  /** Whether nothing may be sent now. */
  isSpent(nowMs: number): boolean {
    if (this.#atMs > 0)
      this.#leftBytes = Math.min(burstBytes, this.#leftBytes + (nowMs - this.#atMs) * this.#bytesInMs);
    this.#atMs = nowMs;
    return this.#leftBytes < 0;
  }

  spend(bytes: number): void {
    this.#leftBytes -= bytes;
  }

  /** When something may be sent that may not now, in milliseconds; infinity when nothing waits. */
  get dueMs(): number {
    return this.#leftBytes < 0 ? this.#atMs - this.#leftBytes / this.#bytesInMs : Number.POSITIVE_INFINITY;
  }
}
