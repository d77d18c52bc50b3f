/**
 * What a member of a group has in hand: it was given it and has not acknowledged it. A message is known by what its acknowledgement
 * names; what else is to be known of one that is in hand belongs to the message itself, which whoever gives it keeps for that long.
 */
export class InFlight<K, M> {
  /** Most messages that may be in it. */
  prefetch: number;
  readonly #messages = new Map<K, M>();
  readonly #bytesOf: (message: M) => number;
  #bytes = 0;

  constructor(prefetch: number, bytesOf: (message: M) => number) {
    this.prefetch = prefetch;
    this.#bytesOf = bytesOf;
  }

  get count(): number {
    return this.#messages.size;
  }

  /** What is in it takes, by whatever is bounded, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What acknowledgements may name, oldest first. */
  get keys(): Iterable<K> {
    return this.#messages.keys();
  }

  has(key: K): boolean {
    return this.#messages.has(key);
  }

  /**
   * How many messages it takes more. One it takes however large it is.
   *
   * @param waiting messages on their way to it
   * @param full whether bytes leave no room for a second one
   */
  room(waiting: number, full: boolean): number {
    const count = this.#messages.size + waiting;
    return count >= this.prefetch || (count > 0 && full) ? 0 : this.prefetch - count;
  }

  add(key: K, message: M): void {
    this.#messages.set(key, message);
    this.#bytes += this.#bytesOf(message);
  }

  /** Takes a message out; undefined when it is not in it, or not any more. */
  take(key: K): M | undefined {
    const message = this.#messages.get(key);
    if (message === undefined) return undefined;
    this.#messages.delete(key);
    this.#bytes -= this.#bytesOf(message);
    return message;
  }

  /** Takes everything out, oldest first. */
  takeAll(): M[] {
    const messages = [...this.#messages.values()];
    this.#messages.clear();
    this.#bytes = 0;
    return messages;
  }
}
