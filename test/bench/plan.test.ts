import { describe, expect, it } from 'vitest';
import { deliveriesOwed, fanOutByTopic, planOf } from '../../bench/compare/plan.js';
import type { LoadScenario } from '../../bench/compare/scenario.js';
import { scenarios } from '../../bench/compare/scenarios.js';

const loads = scenarios.filter((scenario) => scenario.kind === 'load');

/** The same count the slow way: message by message, subscriber by subscriber. */
function owedOneByOne(scenario: LoadScenario, publisher: number, published: number): number {
  const plan = planOf(scenario);
  const cycle = plan.cycleOf(publisher);
  const sets = Array.from({ length: scenario.subscribers }, (_, subscriber) => {
    const topics = plan.subscriptionsOf(subscriber);
    return topics === 'all-by-wildcard' ? null : new Set(topics);
  });
  let owed = 0;
  for (let index = 0; index < published; index++) {
    const topic = cycle[index % cycle.length]!;
    for (const set of sets) if (set === null || set.has(topic)) owed++;
  }
  return owed;
}

describe.each(loads)('$name', (scenario) => {
  it('owes what counting one by one gives', () => {
    const plan = planOf(scenario);
    const fanOut = fanOutByTopic(plan, scenario.subscribers);
    for (const published of [0, 1, 7, 1_003]) {
      const publisher = scenario.publishers - 1;
      expect(deliveriesOwed(plan, publisher, published, fanOut)).toBe(owedOneByOne(scenario, publisher, published));
    }
  });

  it('rotates: each successive message goes to another topic when there are several', () => {
    const cycle = planOf(scenario).cycleOf(0);
    expect(new Set(cycle).size).toBe(cycle.length);
  });
});

it('scenarios can be told apart by id and by name', () => {
  expect(new Set(scenarios.map(({ id }) => id)).size).toBe(scenarios.length);
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
});
