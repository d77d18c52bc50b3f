import { expect, test } from 'vitest';
import { fullness } from '../../src/base/fullness.js';
import { heapPart } from '../../src/base/heapPart.js';
import { planHeapPart, topicNameBytesMax, topicsMax } from '../../src/base/limits.js';
import { FakePlan } from './brokerModel.js';
import { TableOfTopics } from './topics.js';

// Invariant 30 of docs/INVARIANTS.md.

test('long names make room for each other as many short ones do, but for those that are full', () => {
  const topics = new TableOfTopics();
  const long = 'x'.repeat(32_000);
  const full = topics.obtain(`full${long}`);
  full.endpointsFull = new Map([[1, fullness.full]]);
  const count = Math.floor(topicNameBytesMax / long.length);
  expect(count).toBeLessThan(topicsMax);
  for (let i = 0; i < count; i++) {
    topics.obtain(`${i}${long}`);
    expect(topics.table.heldBytes).toBeLessThanOrEqual(topicNameBytesMax);
  }
  expect(topics.find(`${count - 1}${long}`)?.live).toBe(true);
  expect(full.live).toBe(true);
  expect(topics.forgotten.length).toBeGreaterThan(count / 3);
  // short ones have room all the same
  expect(topics.obtain('a').live).toBe(true);
});

test('plans that take more than they may are dropped, others before the newest, and the topics stay', () => {
  const topics = new TableOfTopics();
  const each = heapPart(planHeapPart) / 10;
  const all = Array.from({ length: 30 }, (_, i) => {
    const topic = topics.obtain(`t${i}`);
    const plan = new FakePlan(each);
    topics.table.setPlan(topic, plan);
    expect(topic.plan).toBe(plan);
    expect(topics.table.heldBytes).toBeLessThan(11 * each);
    return { topic, plan };
  });
  expect(all.every(({ topic }) => topic.live)).toBe(true);
  for (const { topic, plan } of all) expect(plan.retired).toBe(topic.plan === null ? 1 : 0);
  for (const { topic } of all) topics.table.setPlan(topic, null);
  expect(topics.table.heldBytes).toBeLessThan(1_000);
});
