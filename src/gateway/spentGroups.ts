/**
 * Groups that other shards wait for no longer. What waits for a group is kept by topic, so that each shard finds out for itself that too
 * much does; but the group is one, and has one budget.
 */
export class SpentGroups {
  /** By the group's name: the shards that say so. */
  readonly #shards = new Map<string, Set<number>>();

  has(queue: string): boolean {
    return this.#shards.has(queue);
  }

  set(shard: number, queue: string, spent: boolean): void {
    const shards = this.#shards.get(queue) ?? new Set();
    if (spent) shards.add(shard);
    else shards.delete(shard);
    if (shards.size > 0) this.#shards.set(queue, shards);
    else this.#shards.delete(queue);
  }
}
