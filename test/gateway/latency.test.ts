import { expect, test } from 'vitest';
import { quantile } from '../../src/base/histogram.js';
import { histogramIn, ownTallyRow } from '../../src/base/tally.js';
import { Work } from '../../src/base/work.js';
import { Latency } from '../../src/gateway/latency.js';
import { randomFrom } from '../sim/random.js';

// Invariant 55 of docs/INVARIANTS.md.

/** Shapes of load: how many read a turn at most, how long one read takes, how many messages it has, and how long a write takes, in microseconds. */
const loads = {
  'one publisher': { reads: 1, readUs: 200, messages: 4_000, writeUs: 300 },
  'a crowd with a message each': { reads: 300, readUs: 6, messages: 1, writeUs: 900 },
  'a few, seldom': { reads: 3, readUs: 15, messages: 20, writeUs: 40 },
  'very long turns': { reads: 900, readUs: 30, messages: 5, writeUs: 4_000 },
};

test.each(Object.entries(loads))(
  '%s: what is counted agrees with a probe that times every message by itself',
  (_, load) => {
    const pick = randomFrom(7);
    const work = new Work();
    const row = ownTallyRow();
    let nowUs = 0;
    let looks = 0;
    const latency = new Latency(row, work, () => {
      looks++;
      return nowUs / 1000;
    });
    const probed: number[] = [];
    let batches = 0;
    for (let turn = 0; turn < 400; turn++) {
      nowUs += pick(5_000);
      const waiting: { readUs: number; messages: number }[] = [];
      const reads = 1 + pick(load.reads);
      for (let i = 0; i < reads; i++) {
        const readMs = latency.readAt();
        const messages = 1 + pick(load.messages);
        waiting.push({ readUs: nowUs, messages });
        // some of a read may be carried out by itself
        latency.note(readMs, Math.ceil(messages / 2));
        latency.note(readMs, Math.floor(messages / 2));
        const tookUs = load.readUs * (0.5 + pick(100) / 100);
        nowUs += tookUs;
        // a unit of work is some 20 ns
        work.units += tookUs * 50;
      }
      batches += reads + 1;
      work.nextTurn();
      nowUs += load.writeUs * (0.5 + pick(100) / 100);
      looks++;
      latency.written(nowUs / 1000);
      for (const { readUs, messages } of waiting) for (let i = 0; i < messages; i++) probed.push(nowUs - readUs);
    }
    probed.sort((a, b) => a - b);
    const counted = histogramIn(row, 'readToWritten');
    for (const part of [0.5, 0.99]) {
      const exact = probed[Math.ceil(probed.length * part) - 1] as number;
      expect(Math.abs(quantile(counted, part) / exact - 1), `p${part * 100}`).toBeLessThan(0.1);
    }
    // the clock is looked at no more than once a batch
    expect(looks).toBeLessThanOrEqual(batches);
  },
);

test('what was read and is not written yet waits for its turn, and is counted once', () => {
  const work = new Work();
  const row = ownTallyRow();
  let nowMs = 0;
  const latency = new Latency(row, work, () => nowMs);
  const readMs = latency.readAt();
  expect(latency.any).toBe(false);
  latency.note(readMs, 3);
  nowMs = 5;
  latency.written(nowMs);
  // the rest of that read had no room before
  latency.note(readMs, 1);
  latency.written(50);
  latency.written(500);
  const counted = histogramIn(row, 'readToWritten');
  expect([quantile(counted, 0.75), quantile(counted, 1)].map((us) => Math.round(us / 1_000))).toEqual([5, 50]);
});
