/**
 * For whom the room is that a shard's lane has next, or the shard itself where it is of this thread: somebody who waited was tried again and found none. Whoever comes
 * meanwhile waits, however little it has to say and whenever it is tried: one that has much to say would find room each time just before the others are tried.
 */
export class Reservation {
  #holder: object | null = null;
  #turnedAway = false;

  get taken(): boolean {
    return this.#holder !== null;
  }

  /** Whether somebody may have room: null for one that has not waited. */
  admits(who: object | null): boolean {
    if (this.#holder === null || this.#holder === who) return true;
    this.#turnedAway = true;
    return false;
  }

  /** One that waited has found no room again; it is tried once more when there may be some. */
  onRefused(who: object): void {
    this.#holder ??= who;
  }

  /** Whoever it was for is tried. */
  release(who: object): void {
    if (this.#holder === who) this.#holder = null;
  }

  /** Whether others may be tried that were turned away while it was for somebody. Asking ends that. */
  takeRelief(): boolean {
    if (!this.#turnedAway || this.taken) return false;
    this.#turnedAway = false;
    return true;
  }
}
