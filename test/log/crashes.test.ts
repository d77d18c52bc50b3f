import { expect, test } from 'vitest';
import { CrashRun } from './crashRun.js';

// Invariants 41, 45, 48 and 53 of docs/INVARIANTS.md.

/** More for a longer look: `LOG_SEEDS=2000 npx vitest run test/log/crashes.test.ts`; from another seed on with `LOG_SEED`. */
const seeds = Number(process.env.LOG_SEEDS ?? 6);
const firstSeed = Number(process.env.LOG_SEED ?? 1);
const crashesPerStep = 3;

test.each([
  ['what was acknowledged, and no other', false],
  ['what it has brought to disk, of a buffered one, in order and without a hole; all when its broker is killed', true],
])('a crash leaves of a journal %s', { timeout: 0 }, async (_, buffered) => {
  let points = 0;
  let restored = 0;
  let resumed = 0;
  let renoted = 0;
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const run = new CrashRun(seed, crashesPerStep, buffered);
    try {
      await run.run();
    } catch (error) {
      throw new Error(`seed ${seed}, after ${run.points} crashes: ${(error as Error).stack}`);
    }
    points += run.points;
    restored += run.restored;
    resumed += run.resumed;
    renoted += run.renoted;
  }
  if (process.env.LOG_SEEDS !== undefined)
    console.log(
      `${points} crashes, behind ${resumed} a snapshot; ${restored} streams as a snapshot had them; ${renoted} notes anew`,
    );
  expect(points).toBeGreaterThan(seeds * 50);
  expect(restored).toBeGreaterThan(0);
  expect(resumed).toBeGreaterThan(0);
  expect(renoted).toBeGreaterThan(0);
});

/** Of blocks that a power failure had taken the first of, the next life took the last one for its own. */
test('what was brought to disk is there, though blocks of a life before lie behind it', async () => {
  await new CrashRun(100_023, crashesPerStep, true).run();
});
