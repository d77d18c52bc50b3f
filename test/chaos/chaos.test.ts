import { expect, test } from 'vitest';
import { runChaos } from './chaos.js';

// Invariants 41, 42, 44, 46 and 52 of docs/INVARIANTS.md. For longer: npm run chaos -- --minutes 20

const seconds = Number(process.env.CHAOS_SECONDS ?? 15);
const seed = Number(process.env.CHAOS_SEED ?? 1);

test(`what was acknowledged is there, once, in order and unaltered, however brokers end for ${seconds} s`, async () => {
  const { kills, acknowledged, changes, confirmed } = await runChaos({ seconds, seed });
  expect(kills).toBeGreaterThan(0);
  expect(acknowledged).toBeGreaterThan(0);
  expect(changes).toBeGreaterThan(0);
  expect(confirmed).toBeGreaterThan(0);
}, 3_600_000);
