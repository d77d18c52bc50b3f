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

  get size(): number {
    return this.#seen.size;
  }

  /** The sequence of the message of that id; 0 when there was none since that time. */
  find(id: string, sinceUs: number): number {
    const seen = this.#seen.get(id);
    return seen === undefined || seen.timeUs < sinceUs ? 0 : seen.sequence;
  }

  /** @param id is not there, or too old */
  add(id: string, sequence: number, timeUs: number): void {
    if (this.#seen.delete(id)) this.memoryBytes -= id.length + idBytes;
    this.#seen.set(id, { sequence, timeUs });
    this.memoryBytes += id.length + idBytes;
  }

  /** Forgets ids that are older than a time, at most so many. */
  expire(beforeUs: number, countMax: number): void {
    let left = countMax;
    for (const [id, { timeUs }] of this.#seen) {
      if (timeUs >= beforeUs || left-- === 0) return;
      this.#seen.delete(id);
      this.memoryBytes -= id.length + idBytes;
    }
  }
}
