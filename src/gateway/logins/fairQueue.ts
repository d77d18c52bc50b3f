/**
 * A queue in which every name has its turn, however much the others have put in. Of one name the newest comes first: when
 * more is put in than can be done, whoever has just come does not wait for all who came before.
 */
export class FairQueue<T> {
  /** By name, next turn first; of a name, newest last. None is empty. */
  readonly #lines = new Map<string, T[]>();

  /** Puts an item in under a name; one that is there already under the same name counts as new again. */
  put(name: string, item: T): void {
    const line = this.#lines.get(name);
    if (line === undefined) {
      this.#lines.set(name, [item]);
      return;
    }
    const at = line.indexOf(item);
    if (at >= 0) line.splice(at, 1);
    line.push(item);
  }

  /** Takes out the item whose turn it is; undefined when there is none. */
  take(): T | undefined {
    for (const [name, line] of this.#lines) {
      const item = line.pop();
      this.#lines.delete(name);
      if (line.length > 0) this.#lines.set(name, line);
      return item;
    }
    return undefined;
  }

  /** Takes out the oldest item of the name that has most; undefined when there is none. */
  takeOldestOfLongest(): T | undefined {
    let longest: [string, T[]] | undefined;
    for (const entry of this.#lines) if (entry[1].length > (longest?.[1].length ?? 0)) longest = entry;
    if (longest === undefined) return undefined;
    const [name, line] = longest;
    const item = line.shift();
    if (line.length === 0) this.#lines.delete(name);
    return item;
  }

  /** Forgets every item that is not to be kept. */
  keepOnly(isKept: (item: T) => boolean): void {
    for (const [name, line] of this.#lines) {
      const kept = line.filter(isKept);
      if (kept.length === 0) this.#lines.delete(name);
      else this.#lines.set(name, kept);
    }
  }
}
