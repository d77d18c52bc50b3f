import { expect, test } from 'vitest';
import { topicIdleSweeps, topicsMax } from '../../src/base/limits.js';
import { TableOfTopics } from './topics.js';

test('subjects that are used once leave nothing behind, neither topics nor slots', () => {
  const topics = new TableOfTopics();
  let slotMax = 0;
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 3_000; i++) slotMax = Math.max(slotMax, topics.obtain(`_INBOX.${round}.${i}`).slot);
    topics.sweep();
  }
  expect(slotMax).toBeLessThan((topicIdleSweeps + 2) * 3_000);
  for (let i = 0; i <= topicIdleSweeps; i++) topics.sweep();
  expect(topics.table.size).toBe(0);
  expect(topics.forgotten).toHaveLength(60_000);
  // slots begin again where an unused table's would
  topics.sweep();
  const slots = Array.from({ length: 10 }, (_, i) => topics.obtain(`again.${i}`).slot);
  expect(Math.max(...slots)).toBeLessThan(3_000);
});

test('a topic that stays keeps its slot and serial while the table grows and shrinks around it', () => {
  const topics = new TableOfTopics();
  const first = topics.obtain('stays');
  const { slot, serial } = first;
  for (let i = 0; i < 5_000; i++) topics.obtain(`goes.${i}`);
  expect(topics.find('stays')).toBe(first);
  for (let i = 0; i < 6; i++) {
    expect(topics.obtain('stays')).toBe(first);
    topics.sweep();
  }
  expect(topics.table.size).toBe(1);
  expect(first).toMatchObject({ slot, serial, live: true });
  const others = Array.from({ length: 5_000 }, (_, i) => topics.obtain(`new.${i}`));
  expect(others.some((topic) => topic.slot === slot || topic.serial === serial)).toBe(false);
});

test('a full table makes room, and goes on finding what it kept', () => {
  const topics = new TableOfTopics();
  for (let i = 0; i < topicsMax + 10_000; i++) topics.obtain(`t.${i}`);
  const { table, forgotten, made } = topics;
  expect(table.size).toBeLessThanOrEqual(topicsMax);
  expect(table.size + forgotten.length).toBe(made.length);
  expect(forgotten.length).toBeGreaterThanOrEqual(10_000);
  let lost = 0;
  for (const topic of made) if ((topics.find(topic.text) === topic) !== topic.live) lost++;
  expect(lost).toBe(0);
});

test('a small table is swept in eight steps, each of a part of it, and a large one in steps of a bounded size', () => {
  const { table, obtain } = topicsIn(1_000);
  const visits: string[][] = [];
  let ends: boolean;
  do {
    expect(table.sweepBegins).toBe(visits.length === 0);
    const visited: string[] = [];
    ends = table.sweepStep(({ text }) => visited.push(text));
    visits.push(visited);
  } while (!ends);
  expect(table.sweepBegins).toBe(true);
  expect(visits.length).toBe(8);
  expect(Math.max(...visits.map(({ length }) => length))).toBeLessThan(1_000 / 2);
  expect(new Set(visits.flat()).size).toBe(1_000);
  for (let i = 0; i < 40_000; i++) obtain(`more.${i}`);
  let steps = 1;
  for (; !table.sweepStep(() => {}); steps++);
  expect(steps).toBeGreaterThan(8);
});

/** A table of so many topics. */
function topicsIn(count: number): { table: TableOfTopics['table']; obtain(name: string): void } {
  const topics = new TableOfTopics();
  for (let i = 0; i < count; i++) topics.obtain(`topic.${i}`);
  return { table: topics.table, obtain: (name) => void topics.obtain(name) };
}
