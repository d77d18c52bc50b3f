import { expect, test } from 'vitest';
import { arrivalsPerTurn } from '../../src/base/limits.js';
import { Turn } from '../../src/base/turn.js';
import { Arrivals } from '../../src/broker/arrivals.js';

test('of a storm of connections some are begun a turn, in their order, until all are', async () => {
  const begun: number[] = [];
  const perTurn: number[] = [];
  const all = 10 * arrivalsPerTurn + 1;
  await new Promise<void>((resolve) => {
    const turn = new Turn(() => {
      const before = begun.length;
      if (arrivals.doWork()) turn.request();
      perTurn.push(begun.length - before);
      if (arrivals.isEmpty) resolve();
    });
    const arrivals = new Arrivals<number>(turn, (id) => begun.push(id));
    for (let id = 0; id < all; id++) arrivals.add(id);
    // as the messages of a port do, all of them come in one step
    expect(begun).toEqual([]);
  });
  expect(begun).toEqual(Array.from({ length: all }, (_, id) => id));
  expect(Math.max(...perTurn)).toBe(arrivalsPerTurn);
});
