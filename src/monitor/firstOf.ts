/** Keeps so many of what it is given, those that come first in an order, in about as much memory. */
export class FirstOf<T> {
  readonly #max: number;
  readonly #compare: (one: T, other: T) => number;
  #kept: T[] = [];

  constructor(max: number, compare: (one: T, other: T) => number) {
    this.#max = max;
    this.#compare = compare;
  }

  add(thing: T): void {
    this.#kept.push(thing);
    if (this.#kept.length >= 2 * this.#max + slack) this.#cut();
  }

  /** Those that come first, in order. */
  sorted(): readonly T[] {
    this.#cut();
    return this.#kept;
  }

  #cut(): void {
    this.#kept.sort(this.#compare);
    this.#kept.length = Math.min(this.#kept.length, this.#max);
  }
}

const slack = 1024;
