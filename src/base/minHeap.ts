/** Things by a number, the least first. */
export class MinHeap<T> {
  readonly #items: T[] = [];
  readonly #keyOf: (item: T) => number;

  /** @param keyOf stays the same for as long as an item is here */
  constructor(keyOf: (item: T) => number) {
    this.#keyOf = keyOf;
  }

  /** The item with the least number. */
  get least(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    const items = this.#items;
    const key = this.#keyOf(item);
    let at = items.length;
    for (let parent = (at - 1) >> 1; at > 0 && this.#keyOf(items[parent]) > key; parent = (at - 1) >> 1) {
      items[at] = items[parent];
      at = parent;
    }
    items[at] = item;
  }

  /** Takes the item with the least number away. */
  removeLeast(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    const key = this.#keyOf(last);
    let at = 0;
    for (
      let child = this.#lesserChild(at);
      child >= 0 && this.#keyOf(items[child]) < key;
      child = this.#lesserChild(at)
    ) {
      items[at] = items[child];
      at = child;
    }
    items[at] = last;
  }

  #lesserChild(at: number): number {
    const left = 2 * at + 1;
    const right = left + 1;
    if (left >= this.#items.length) return -1;
    if (right >= this.#items.length) return left;
    return this.#keyOf(this.#items[right]) < this.#keyOf(this.#items[left]) ? right : left;
  }
}
