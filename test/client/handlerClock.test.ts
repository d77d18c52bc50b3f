import { expect, test } from 'vitest';
import { HistogramWriter, histogramNumbers, quantile } from '../../src/base/histogram.js';
import { HandlerClock } from '../../src/client/handlerClock.js';
import { randomFrom } from '../sim/random.js';

// Invariant 59 of docs/INVARIANTS.md.

/** What a handler's calls take, in microseconds. */
const handlers: Readonly<Record<string, (pick: (below: number) => number, call: number) => number>> = {
  'a very short one': (pick) => 1 + pick(3),
  'a short one': (pick) => 10 + pick(20),
  'a slow one': (pick) => 500 + pick(5_000),
  'one that is slow now and then': (pick) => (pick(20) === 0 ? 2_000 + pick(100) : 12 + pick(4)),
  'one with a rhythm': (_, call) => (call % 16 === 0 ? 40 : 20),
};

test.each(Object.entries(handlers))('%s: what is counted agrees with a probe that times every call', (name, take) => {
  const pick = randomFrom(3);
  const numbers = new Float64Array(histogramNumbers);
  let nowUs = 0;
  let looks = 0;
  const clock = new HandlerClock(new HistogramWriter(numbers), () => {
    looks++;
    return nowUs / 1000;
  });
  const probed: number[] = [];
  const calls = 200_000;
  for (let call = 0; call < calls; call++) {
    const tookUs = take(pick, call);
    clock.begin();
    nowUs += tookUs;
    clock.end();
    probed.push(tookUs);
  }
  probed.sort((a, b) => a - b);
  for (const part of [0.5, 0.99]) {
    const exact = probed[Math.ceil(calls * part) - 1] as number;
    expect(Math.abs(quantile(numbers, part) / exact - 1), `p${part * 100}`).toBeLessThan(0.1);
  }
  const counted = numbers.slice(0, -1).reduce((sum, count) => sum + count, 0);
  expect(calls - counted).toBeLessThan(name === 'a very short one' ? 255 : 31);
  // short ones are timed seldom, slow ones every time
  if (name === 'a very short one') expect(looks).toBeLessThan(calls / 60);
  if (name === 'a short one') expect(looks).toBeLessThan(calls / 7);
  if (name === 'a slow one') expect(looks).toBe(2 * calls);
});
