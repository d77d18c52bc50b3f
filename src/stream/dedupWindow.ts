interface Seen {
  readonly sequence: number;
  readonly timeUs: number;
}

/** What an id takes beside its text, about, in bytes. */
const idBytes = 150;

/** The ids of messages that were published lately, oldest first. */
export class DedupWindow {
  memoryBytes = 0;
  readonly #seen = new Map<string, Seen>();
  /** Where forgetting goes on: from the beginning it would pass whatever was forgotten before. */
  #walk = this.#seen.entries();
  /** What it came to; null before the first, and behind the last. */
  #oldest: readonly [id: string, seen: Seen] | null = null;

  /** The sequence of the message of that id; 0 when there was none since that time. */
  find(id: string, sinceUs: number): number {
    const seen = this.#seen.get(id);
    return seen === undefined || seen.timeUs < sinceUs ? 0 : seen.sequence;
  }

  /** @param id is not there, or too old */
  add(id: string, sequence: number, timeUs: number): void {
    this.#forget(id);
    this.#seen.set(id, { sequence, timeUs });
    this.memoryBytes += id.length + idBytes;
  }

  /** Forgets ids that are older than a time, at most so many. */
  expire(beforeUs: number, countMax: number): void {
    for (let left = countMax; left > 0; left--) {
      this.#oldest ??= this.#next();
      if (this.#oldest === null) return;
      const [id, seen] = this.#oldest;
      if (seen.timeUs >= beforeUs) return;
      // it may have been published again
      if (this.#seen.get(id) === seen) this.#forget(id);
      this.#oldest = null;
    }
  }

  #next(): readonly [string, Seen] | null {
    const { done, value } = this.#walk.next();
    if (!done) return value;
    // who has come to the end stays there
    this.#walk = this.#seen.entries();
    return null;
  }

  #forget(id: string): void {
    if (this.#seen.delete(id)) this.memoryBytes -= id.length + idBytes;
  }
}
