import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TopicCounts } from '../../src/router/topicCounts.js';
import { RouterUnderTest } from './brokerModel.js';

// Invariant 55 of docs/INVARIANTS.md.

const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('publish' as const), topic: fc.nat(30), times: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('report' as const) }) },
);

function sweep({ router }: RouterUnderTest): void {
  let isRound = false;
  while (!isRound) isRound = router.topics.sweepStep((topic) => router.counts.visit(topic));
  router.counts.endSweep();
}

test('counts of topics that come and go only grow while they are shown, what is left only grows, and nothing is counted twice', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      const under = new RouterUnderTest(0, 1);
      const { router } = under;
      const { topics } = router;
      router.counts.begin(topics, 4);
      const model = new Map<string, number>();
      let total = 0;
      let others = 0;
      let shown = new Map<string, number>();
      for (const each of operations) {
        if (each.kind === 'publish') {
          const name = `t.${each.topic}`;
          const topic = under.topic(name);
          topic.usedSweep = topics.sweep;
          topic.published += each.times;
          total += each.times;
          model.set(name, (model.get(name) ?? 0) + each.times);
        } else if (each.kind === 'sweep') {
          sweep(under);
        } else {
          const report = router.counts.report(total);
          const now = new Map(
            report.topics.flatMap(({ topic, published }) => (published > 0 ? [[topic, published]] : [])),
          );
          expect(now.size).toBeLessThanOrEqual(4);
          expect(report.others).toBeGreaterThanOrEqual(others);
          for (const [name, published] of now) {
            expect(published).toBeLessThanOrEqual(model.get(name) as number);
            // one that was displaced and came again may begin anew
            if (shown.has(name) && published < (shown.get(name) as number)) expect(model.size).toBeGreaterThan(4);
          }
          // while there is room for all, each has all of its own
          if (model.size <= 4) {
            const counted = [...model].filter(([, published]) => published > 0);
            expect(now).toEqual(new Map(counted));
            expect(report.others).toBe(0);
          }
          others = report.others;
          shown = now;
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('a subject that becomes the busiest gets the place of the one that is least so', () => {
  const under = new RouterUnderTest(0, 1);
  const { router } = under;
  const { topics } = router;
  router.counts.begin(topics, 2);
  const publish = (name: string, times: number): void => {
    const topic = under.topic(name);
    topic.usedSweep = topics.sweep;
    topic.published += times;
  };
  publish('early', 1);
  publish('busy', 1_000);
  publish('late', 5);
  sweep(under);
  publish('busy', 1_000);
  publish('late', 500);
  sweep(under);
  publish('late', 500);
  sweep(under);
  expect(router.counts.report(3_006).topics.map(({ topic }) => topic)).toEqual(['busy', 'late']);
  expect(new TopicCounts().report(7)).toEqual({ topics: [], others: 7 });
});
