/** One connection's clock: when it is pinged, and by when it has to have done what it is waited for. `Health` looks at it. */
export class Clock {
  #pingsOut = 0;
  /** When the first of these was sent. */
  #pingedMs = 0;
  #rttMs = 0;
  #nextPingMs = 0;
  /** Whether anything was read since the last look. */
  #heard = false;
  /** When it has to be authenticated, or, once closing, gone. */
  #deadlineMs = 0;

  /** PINGs that it has not answered. */
  get pingsOut(): number {
    return this.#pingsOut;
  }

  /** When it has to have done what it is waited for; 0 for never. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Something was read. */
  hear(): void {
    this.#heard = true;
  }

  /** Whether anything was read since this was last asked. */
  takeHeard(): boolean {
    const heard = this.#heard;
    this.#heard = false;
    return heard;
  }

  isPingDue(nowMs: number): boolean {
    return nowMs >= this.#nextPingMs;
  }

  setNextPing(atMs: number): void {
    this.#nextPingMs = atMs;
  }

  /** How long it took to answer a PING last, in milliseconds; 0 while it was asked for none. */
  get rttMs(): number {
    return this.#rttMs;
  }

  onPing(nowMs: number): void {
    if (this.#pingsOut++ === 0) this.#pingedMs = nowMs;
  }

  onPong(): void {
    if (this.#pingsOut > 0) this.#rttMs = performance.now() - this.#pingedMs;
    this.#pingsOut = 0;
  }

  setDeadline(atMs: number): void {
    this.#deadlineMs = atMs;
  }

  clearDeadline(): void {
    this.#deadlineMs = 0;
  }

  /** Gives more time, where time is limited at all. */
  extendDeadline(byMs: number): void {
    if (this.#deadlineMs > 0) this.#deadlineMs += byMs;
  }

  /** Whether the deadline has passed; says so once. */
  takeDeadline(nowMs: number): boolean {
    if (this.#deadlineMs === 0 || nowMs < this.#deadlineMs) return false;
    this.#deadlineMs = 0;
    return true;
  }
}
