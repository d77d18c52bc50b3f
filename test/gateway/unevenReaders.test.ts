import { describe, expect, test } from 'vitest';
import { holdSliceMs, lagBudget, stopAllowanceMs } from '../../src/base/limits.js';
import { randomFrom } from '../sim/random.js';
import { runUneven, type SimReader } from '../sim/unevenRun.js';

// Invariants 13 and 31 of docs/INVARIANTS.md.

const megabyte = 1_000_000;
const seeds = Array.from({ length: 6 }, (_, i) => i + 1);
const steady = (bytesPerMs: number): SimReader => ({ bytesPerMs, readsMs: 1, pausesMs: 0 });
const never = Number.POSITIVE_INFINITY;
/** Full speed, as these two cores have it: bytes in a millisecond. */
const fast = 300_000;

/** A scene in which a publisher is at full speed all the time, on a seeded number of topics. */
function run(seed: number, readers: SimReader[], durationMs: number, bytes = Number.POSITIVE_INFINITY) {
  const random = randomFrom(seed);
  const phases = readers.map(({ readsMs, pausesMs }) => random(readsMs + pausesMs));
  const topics = [1, 1, 10, 200][random(4)] as number;
  return runUneven({ readers, bytesPerMs: fast, bytes, topics, durationMs, phaseMs: (i) => phases[i] as number });
}

describe.each(seeds)('seed %i', (seed) => {
  test('readers at full speed that pause, on average a quarter of it, get all of a burst', () => {
    const random = randomFrom(seed);
    const readers: SimReader[] = [steady(fast * 2)];
    for (let i = random(4); i >= 0; i--) {
      const pausesMs = 20 + random(280);
      readers.push({ bytesPerMs: fast * 1.1, readsMs: Math.ceil(pausesMs / 3), pausesMs, wildcard: random(2) === 0 });
    }
    const bytes = 300 * megabyte;
    const { endedMs, readBytes, heldMs } = run(seed, readers, 15_000, bytes);
    expect(endedMs).toEqual(readers.map(() => never));
    for (const read of readBytes) expect(read).toBeGreaterThanOrEqual(bytes);
    expect(heldMs).toBeLessThanOrEqual(lagBudget.maxMs);
  });

  test('equal readers whose speeds change all the time get everything', () => {
    const random = randomFrom(seed);
    const readers = Array.from({ length: 2 + random(10) }, (): SimReader => {
      const pausesMs = 5 + random(40);
      return { bytesPerMs: fast * 2, readsMs: pausesMs, pausesMs };
    });
    const { endedMs } = run(seed, readers, 20_000);
    expect(endedMs).toEqual(readers.map(() => never));
  });

  test('one that is steadily slow costs the others a tenth at most, never long at a time, and is ended', () => {
    const random = randomFrom(seed);
    const part = 0.05 + random(100) / 200;
    const readers = [steady(fast * 2), { ...steady(fast * part), wildcard: random(2) === 0 }];
    const { endedMs, heldMs, longestHeldMs, publishedBytes } = run(seed, readers, 30_000);
    expect(heldMs).toBeLessThanOrEqual(lagBudget.maxMs);
    expect(publishedBytes).toBeGreaterThanOrEqual(0.88 * fast * 30_000);
    expect(endedMs[0]).toBe(never);
    expect(endedMs[1]).toBeLessThan(30_000);
    expect(longestHeldMs).toBeLessThanOrEqual(25);
  });

  test('one that stops costs three tenths of a second in all', () => {
    const random = randomFrom(seed);
    const stopsAtMs = random(3_000);
    const readers = [steady(fast * 2), { ...steady(fast * 2), stopsAtMs, wildcard: random(2) === 0 }];
    const { endedMs, heldMs } = run(seed, readers, 10_000);
    expect(heldMs).toBeLessThanOrEqual(stopAllowanceMs + holdSliceMs);
    expect(endedMs[1]).toBeLessThan(stopsAtMs + 1_000);
  });

  test('any number of slow ones, coming one by one, cost no more than one', () => {
    const random = randomFrom(seed);
    const readers = [
      steady(fast * 2),
      ...Array.from({ length: 5 + random(20) }, (): SimReader => steady(fast * (0.02 + random(100) / 120))),
    ];
    const { heldMs } = run(seed, readers, 30_000);
    expect(heldMs).toBeLessThanOrEqual(lagBudget.maxMs);
  });

  test('a topic that has slow readers only goes at the speed of the fastest, and that one loses nothing', () => {
    const random = randomFrom(seed);
    const best = fast * (0.2 + random(60) / 100);
    const { endedMs, readBytes } = run(seed, [steady(best), steady(best / 5)], 20_000);
    expect(endedMs[0]).toBe(never);
    expect(endedMs[1]).toBeLessThan(20_000);
    expect(readBytes[0]).toBeGreaterThan(0.8 * best * 20_000);
  });
});
