import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fullness } from '../../src/base/fullness.js';
import { topicIdleSweeps } from '../../src/base/limits.js';
import type { Topic } from '../../src/router/topic.js';
import { TableOfTopics } from './topics.js';

/** What the table should be: subjects of two accounts with the sweep in which they were used last. */
class Model {
  readonly used = new Map<string, number>();
  sweeps = 0;

  sweep(kept: ReadonlySet<string>): void {
    for (const [subject, used] of this.used)
      if (this.sweeps - used >= topicIdleSweeps && !kept.has(subject)) this.used.delete(subject);
    this.sweeps++;
  }
}

function check(topics: TableOfTopics, model: Model, names: readonly string[]): void {
  const { table } = topics;
  expect(table.size).toBe(model.used.size);
  const seen: Topic[] = [];
  table.forEach((topic) => {
    seen.push(topic);
  });
  expect(seen.map((topic) => topic.text).sort()).toEqual([...model.used.keys()].sort());
  expect(new Set(seen.map((topic) => topic.slot)).size).toBe(seen.length);
  for (const name of names) {
    const topic = topics.find(name);
    expect(topic?.text ?? null).toBe(model.used.has(name) ? name : null);
    if (topic !== null) expect(topic.live).toBe(true);
  }
  // forgotten are those that were made and are not here any more, each told once
  expect(new Set(topics.forgotten).size).toBe(topics.forgotten.length);
  expect(topics.forgotten.every((topic) => !topic.live)).toBe(true);
  expect(topics.made.length).toBe(topics.forgotten.length + seen.length);
  expect(new Set(topics.made.map((topic) => topic.serial)).size).toBe(topics.made.length);
}

test('whatever is used and forgotten, the table holds what a map would', () => {
  // more names than half of the smallest table, so that it grows, shrinks, and has long runs of probes between
  const names = Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? `t.${i}` : `1 t.${i - 1}`));
  const use = fc.record({
    kind: fc.constant('use' as const),
    from: fc.nat(399),
    count: fc.integer({ min: 1, max: 250 }),
  });
  const keep = fc.record({ kind: fc.constant('keep' as const), name: fc.nat(399) });
  const sweep = fc.record({ kind: fc.constant('sweep' as const) });
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.oneof(use, keep, sweep), { maxLength: 25 }), (seed, steps) => {
      const topics = new TableOfTopics(seed);
      const model = new Model();
      const kept = new Set<string>();
      for (const step of steps) {
        if (step.kind === 'use') {
          for (let i = step.from; i < step.from + step.count; i++) {
            const name = names[i % names.length]!;
            expect(topics.obtain(name).text).toBe(name);
            model.used.set(name, model.sweeps);
          }
        } else if (step.kind === 'keep') {
          // a topic that somebody announced as full is remembered, so that the end of it is understood
          const name = names[step.name]!;
          const topic = topics.find(name);
          if (topic === null) continue;
          if (kept.delete(name)) topic.endpointsFull = null;
          else {
            topic.endpointsFull = new Map([[0, fullness.full]]);
            kept.add(name);
          }
        } else {
          model.sweep(kept);
          const visited = topics.sweep();
          for (const name of model.used.keys()) expect(visited.some((topic) => topic.text === name)).toBe(true);
        }
        check(topics, model, names);
      }
    }),
    { numRuns: 60 },
  );
});
