import { describe, expect, test } from 'vitest';
import { type Came, ImageRun, type ImageRunResult, keptTopics } from '../sim/imageRun.js';
import type { Item } from '../sim/imageThread.js';

// Invariant 20 of docs/INVARIANTS.md.

/** Replay a failure with `SIM_SEED=17 npx vitest run test/exchange/images`; more seeds with `SIM_SEEDS=500`. */
const firstSeed = Number(process.env.SIM_SEED ?? 1);
const seedCount = Number(process.env.SIM_SEEDS ?? (process.env.SIM_SEED === undefined ? 5 : 1));
const seeds = Array.from({ length: seedCount }, (_, i) => firstSeed + i);
const ample = { messagesMax: 1000, bytesMax: 10 * 1024 * 1024 };
const scarce = { messagesMax: 2, bytesMax: 10 * 1024 * 1024 };

function bySubject(items: Item[]): Map<string, Item[]> {
  const found = new Map<string, Item[]>();
  for (const item of items) found.set(item.subject, [...(found.get(item.subject) ?? []), item]);
  return found;
}

/** No message of a topic is missing after its image, or after the first of all; none comes twice. */
function expectGapless(items: Item[]): void {
  for (const [i, { subject, number, image }] of items.entries()) {
    const what = `${subject} ${number} ${image ? 'image' : 'live'} at ${i}`;
    if (image) expect(i, what).toBe(0);
    else if (i > 0) expect(number, what).toBe(items[i - 1].number + 1);
    else expect(number, what).toBe(0);
  }
}

/**
 * No live message comes twice, and an image says again what was last or tells what is newer. (Gaps may be before what
 * was sequenced after the subscription was known: a subscriber before it may have left its gateway something.)
 */
function expectRising(items: Item[]): void {
  for (const [i, { subject, number, image }] of items.entries()) {
    const what = `${subject} ${number} ${image ? 'image' : 'live'} at ${i}`;
    const last = i === 0 ? -1 : items[i - 1].number;
    if (image) {
      expect(keptTopics, what).toContain(subject);
      expect(number, what).toBeGreaterThanOrEqual(last);
    } else expect(number, what).toBeGreaterThan(last);
  }
}

/** Everything that was accepted after the subscription had been announced, itself and not only what replaced it. */
function expectAllSince({ taker, announcedTurn }: Came, result: ImageRunResult): void {
  const items = bySubject(taker.items);
  for (const [subject, turns] of result.accepted) {
    if (!subjectTaken(taker.subject, subject)) continue;
    const numbers = new Set(items.get(subject)?.map(({ number }) => number));
    for (const [number, turn] of turns.entries())
      if (turn > announcedTurn) expect(numbers, `${taker.subject} misses ${subject} ${number}`).toContain(number);
  }
}

const subjectTaken = (pattern: string, subject: string) =>
  new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replace('>', '.+')}$`).test(subject);

function expectLossless(result: ImageRunResult): void {
  expect(result.done, 'everything comes to an end').toBe(true);
  for (const [subject, items] of bySubject(result.witness.items))
    expect(items.map(({ number }) => number)).toEqual(result.accepted.get(subject)?.map((_, i) => i));
  expect(result.came.length).toBeGreaterThan(0);
  for (const came of result.came) {
    for (const items of bySubject(came.taker.items).values()) expectRising(items);
    if (!came.gone && came.announcedTurn >= 0) expectAllSince(came, result);
  }
}

/** With room for all, who asked as it came has an image of every kept topic that had a message, and all that followed. */
function expectImages(result: ImageRunResult): void {
  for (const { taker, fresh, gone, asked } of result.came) {
    if (!fresh || asked) continue;
    const items = bySubject(taker.items);
    for (const subject of keptTopics.filter((topic) => subjectTaken(taker.subject, topic))) {
      if (result.accepted.has(subject) && !gone)
        expect(items.has(subject), `${taker.subject} has ${subject}`).toBe(true);
      expectGapless(items.get(subject) ?? []);
    }
  }
}

describe.each([1, 4])('%i threads', (threads) => {
  test.each(seeds)('order by topic, seed %i', (seed) => {
    const result = new ImageRun({ threads, order: 'topic', seed, bounds: ample }).run();
    expectLossless(result);
    expectImages(result);
    expect(result.evicted).toBe(0);
  });

  test.each(seeds)('order by publisher, seed %i', (seed) => {
    const result = new ImageRun({ threads, order: 'publisher', seed, bounds: ample }).run();
    expectLossless(result);
    expectImages(result);
  });

  test.each(seeds)('values are dropped for others, seed %i', (seed) => {
    const result = new ImageRun({ threads, order: 'topic', seed, bounds: scarce }).run();
    expectLossless(result);
    expect(result.evicted).toBeGreaterThan(0);
  });
});
