import { expect, test } from 'vitest';
import { createExchangeMemory } from '../../src/exchange/memory.js';
import { SimThread } from '../sim/simThread.js';

const laneBytes = 4096;
const before = 0;
const after = 1;
const turnsMax = 1000;

/** Three shards in turns. What one of them takes comes in the order in which it was published, though it takes a record a turn. */
class ThreeShards {
  readonly threads: SimThread[];
  /** What was published, and what the slow shard has taken of it. */
  readonly published: string[] = [];
  readonly received: string[] = [];
  readonly #slow: number;

  constructor(slow: number) {
    this.#slow = slow;
    const memory = createExchangeMemory(3, laneBytes, 0);
    const options = { threads: 3, clients: 0, order: 'topic', seed: 1 } as const;
    this.threads = [0, 1, 2].map(
      (self) =>
        new SimThread(memory, self, options, (_gateway, subject, _queue, id) => this.received.push(`${subject} ${id}`)),
    );
    const plain = { queue: '', index: 0, lossy: false, retired: false, heldBytes: 0 };
    this.threads[slow]!.subscribe({ subject: 'moved.*', ...plain });
  }

  publish(self: number, subject: string, id: string, payloadBytes = 0): boolean {
    if (!this.threads[self]!.publish(subject, id, new Uint8Array(payloadBytes))) return false;
    this.published.push(`${subject} ${id}`);
    return true;
  }

  /** A turn of each. */
  async turn(): Promise<void> {
    for (const [self, { exchange, handover, router }] of this.threads.entries()) {
      exchange.doWork(self === this.#slow ? 1 : undefined);
      exchange.takeRelief();
      handover.doWork();
      router.work.nextTurn();
      exchange.publish();
    }
    await null;
  }

  /** Gives the pattern an owner. Whoever hears of it publishes to that one; returns when all has come. */
  async change(owner: number, onDone = (): boolean => true): Promise<void> {
    let changed = false;
    let done = false;
    void this.threads[0]!.ownerChanges.change('moved.*', owner).then(() => {
      changed = true;
    });
    for (let turns = 0; !done || this.received.length < this.published.length; turns++) {
      expect(turns, 'it ends').toBeLessThan(turnsMax);
      await this.turn();
      if (changed && !done) done = onDone();
    }
  }
}

test('invariant 35: no owner is changed before what the one before has put in order has found room in its lanes', async () => {
  const shards = new ThreeShards(2);
  await shards.change(before);
  for (let i = 0; i < 40; i++) shards.publish(before, `moved.${i % 2}`, `${i}`, 40);
  shards.publish(before, 'moved.0', 'too much', 60_000);
  expect(shards.threads[before]!.exchange.congested).toBe(true);
  await shards.change(after, () => shards.publish(before, 'moved.0', 'behind'));
  expect(shards.received).toEqual(shards.published);
});

test('invariant 35: a new owner puts nothing in order before it has taken what the one before delivered', async () => {
  const shards = new ThreeShards(after);
  await shards.change(before);
  for (let i = 0; i < 20; i++) shards.publish(before, `moved.${i % 2}`, `${i}`);
  await shards.change(after, () => shards.publish(after, 'moved.0', 'behind'));
  expect(shards.received).toEqual(shards.published);
});
