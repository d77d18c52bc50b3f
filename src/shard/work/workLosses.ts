/** Why a group has lost messages: its publishers had waited for it as long as they may, or it had no members for too long. */
export type WorkLoss = 'dropped' | 'abandoned';

/** Messages that groups have lost, counted until somebody is told. */
export class WorkLosses {
  readonly #counts: Record<WorkLoss, Map<string, number>> = { dropped: new Map(), abandoned: new Map() };
  #nextMs = 0;

  add(why: WorkLoss, queue: string, messages: number): void {
    const counts = this.#counts[why];
    counts.set(queue, (counts.get(queue) ?? 0) + messages);
  }

  /** Tells each group's losses since the last time, once in a window of time: it may be a great many. */
  tell(nowMs: number, windowMs: number, tell: (why: WorkLoss, queue: string, messages: number) => void): void {
    const { dropped, abandoned } = this.#counts;
    if (nowMs < this.#nextMs || dropped.size + abandoned.size === 0) return;
    this.#nextMs = nowMs + windowMs;
    for (const why of ['dropped', 'abandoned'] as const) {
      for (const [queue, messages] of this.#counts[why]) tell(why, queue, messages);
      this.#counts[why].clear();
    }
  }
}
