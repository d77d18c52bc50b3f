/** Something that is due at some time. */
export interface Due {
  /** The tick in whose list it is; 0 for none. `DueList` alone changes it. */
  dueTick: number;
}

/**
 * What is due when, to a tick: never early, and a tick late at most. Each thing is in it once, however often its time changes, so that it takes no
 * more memory than the things do.
 */
export class DueList<T extends Due> {
  size = 0;
  readonly #tickMs: number;
  readonly #ticks = new Map<number, Set<T>>();
  /** The first tick of which something may be left. */
  #first = 1;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  /** Lists a thing as due at a time, and no longer at another. */
  put(item: T, dueMs: number): void {
    this.remove(item);
    item.dueTick = Math.max(this.#first, Math.ceil(dueMs / this.#tickMs));
    const tick = this.#ticks.get(item.dueTick);
    if (tick === undefined) this.#ticks.set(item.dueTick, new Set([item]));
    else tick.add(item);
    this.size++;
  }

  /** Nothing when it is not listed. */
  remove(item: T): void {
    if (item.dueTick === 0) return;
    const tick = this.#ticks.get(item.dueTick);
    tick?.delete(item);
    if (tick?.size === 0) this.#ticks.delete(item.dueTick);
    item.dueTick = 0;
    this.size--;
  }

  /** Takes something that is due out of the list; null when nothing is. To be called every tick. */
  next(nowMs: number): T | null {
    const last = Math.floor(nowMs / this.#tickMs);
    if (this.size === 0) this.#first = Math.max(this.#first, last);
    for (; this.#first <= last; this.#first++)
      for (const item of this.#ticks.get(this.#first) ?? []) {
        this.remove(item);
        return item;
      }
    return null;
  }
}
