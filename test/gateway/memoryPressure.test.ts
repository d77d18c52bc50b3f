import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBudgetMemory, MemoryBudget } from '../../src/gateway/memoryBudget.js';
import { type MemoryOwner, MemoryPressure } from '../../src/gateway/memoryPressure.js';

// Invariant 30 of docs/INVARIANTS.md.

const threads = 3;
const maxBytes = 4 * 1024 * 1024;

class Held implements MemoryOwner {
  readonly heldBytes: number;
  readonly stalled: boolean;

  constructor(kilobytes: number, stalled: boolean) {
    this.heldBytes = kilobytes * 1024;
    this.stalled = stalled;
  }

  isStalled(): boolean {
    return this.stalled;
  }
}

/** A thread that holds what it is told to. */
class Gateway {
  readonly budget: MemoryBudget;
  readonly pressure: MemoryPressure;
  readonly ended: Held[] = [];
  readonly held: Set<Held>;
  spareBytes: number;
  relieved = 0;

  constructor(memory: SharedArrayBuffer, self: number, held: Held[], spareBytes: number) {
    this.held = new Set(held);
    this.spareBytes = spareBytes;
    this.budget = new MemoryBudget(memory, self, maxBytes);
    const gateway = this;
    this.pressure = new MemoryPressure(this.budget, {
      get heldBytes() {
        return [...gateway.held].reduce((sum, { heldBytes }) => sum + heldBytes, gateway.spareBytes);
      },
      visitOwners: (see) => this.held.forEach(see),
      trim: () => {
        this.spareBytes = 0;
      },
      endOwner: (holder, cause) => {
        expect(cause).toMatchObject({ heldBytes: holder.heldBytes, maxBytes });
        expect(cause.usedBytes).toBeGreaterThanOrEqual(maxBytes * 0.9);
        this.held.delete(holder as Held);
        this.ended.push(holder as Held);
      },
      onRelieved: () => this.relieved++,
    });
  }
}

const holders = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 600 }), fc.boolean()).map(([kilobytes, stalled]) => new Held(kilobytes, stalled)),
  { maxLength: 30 },
);

test('what holds most is ended first, wherever it is, those that stopped reading before those that read, until nine tenths are held', () => {
  fc.assert(
    fc.property(
      fc.tuple(holders, holders, holders),
      fc.nat(2 * 1024 * 1024),
      fc.array(fc.nat(threads - 1), { minLength: 1, maxLength: 40 }),
      (lists, spareBytes, schedule) => {
        const memory = createBudgetMemory(threads);
        const gateways = lists.map((list, self) => new Gateway(memory, self, list, self === 0 ? spareBytes : 0));
        const used = () => gateways[0]!.budget.usedBytes;
        let nowMs = 0;
        const turn = (gateway: Gateway) => {
          nowMs += 10;
          gateway.pressure.doWork(nowMs);
        };
        // everybody has said what it holds, and what its largest is
        gateways.forEach(({ budget, held }) => {
          budget.report([...held].reduce((sum, { heldBytes }) => sum + heldBytes, 0));
        });
        for (const { pressure } of gateways) pressure.tick(nowMs);
        const usedBefore = used();
        for (const thread of schedule) turn(gateways[thread]!);
        // as often as there may be somebody to end
        for (let i = 0; i < 100; i++) gateways.forEach(turn);
        const ended = gateways.flatMap((gateway) => gateway.ended);
        const kept = gateways.flatMap(({ held }) => [...held]);
        const rank = ({ heldBytes, stalled }: Held) => gateways[0]!.budget.rankOf(heldBytes, stalled);
        if (usedBefore + spareBytes + 1024 < maxBytes) expect(ended).toEqual([]);
        if (ended.length > 0) {
          const least = Math.min(...ended.map(rank));
          for (const holder of kept) expect(rank(holder)).toBeLessThanOrEqual(least);
          // one less ended would not have been enough
          const last = ended.find((holder) => rank(holder) === least) as Held;
          expect(used() + last.heldBytes + 1024 * threads).toBeGreaterThanOrEqual(maxBytes * 0.9);
        }
        expect(gateways.map(({ pressure }) => pressure.short)).toEqual([false, false, false]);
        expect(used()).toBeLessThan(maxBytes);
        for (const { pressure } of gateways) pressure.tick(nowMs);
      },
    ),
  );
});

test('what is too small to be worth it is not ended: publishers wait', () => {
  const memory = createBudgetMemory(1);
  const many = Array.from({ length: 2_000 }, () => new Held(3, true));
  const gateway = new Gateway(memory, 0, many, 0);
  gateway.pressure.doWork(0);
  expect([gateway.pressure.short, gateway.ended.length, gateway.relieved]).toEqual([true, 0, 0]);
  for (const holder of many.slice(0, 1_000)) gateway.held.delete(holder);
  gateway.pressure.doWork(1);
  expect([gateway.pressure.short, gateway.ended.length, gateway.relieved]).toEqual([false, 0, 1]);
});
