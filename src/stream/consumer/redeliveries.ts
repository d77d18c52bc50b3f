/** Messages that are to be delivered again, in the order in which that was found out; each is here once. */
export class Redeliveries {
  readonly #sequences = new Set<number>();

  get size(): number {
    return this.#sequences.size;
  }

  /** The one whose turn it is; 0 when there is none. */
  get first(): number {
    for (const sequence of this.#sequences) return sequence;
    return 0;
  }

  has(sequence: number): boolean {
    return this.#sequences.has(sequence);
  }

  add(sequence: number): void {
    this.#sequences.add(sequence);
  }

  remove(sequence: number): void {
    this.#sequences.delete(sequence);
  }

  clear(): void {
    this.#sequences.clear();
  }
}
