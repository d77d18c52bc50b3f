import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planUnits } from '../../src/base/limits.js';
import { sliceThings } from '../../src/base/slices.js';
import { cost } from '../../src/base/work.js';
import type { InterestEntry, LocalSubscription } from '../../src/router/interest.js';
import type { Topic } from '../../src/router/topic.js';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

// Invariant 39 of docs/INVARIANTS.md.

/** A plan that knows whom it is for. */
class ListPlan {
  readonly heldBytes = 0;
  readonly units = 3;
  readonly subscriptions: LocalSubscription[] = [];
  retire(): void {}
}

function* makePlan(_: Topic, entries: readonly InterestEntry[]): Generator<void, ListPlan> {
  const plan = new ListPlan();
  for (const { local } of entries)
    for (let i = 0; i < local.length; i++) {
      plan.subscriptions.push(local[i]!);
      if (plan.subscriptions.length % sliceThings === 0) yield;
    }
  return plan;
}

/** What a topic is to know, in no particular order. */
function known({ wantedHere, remotes, queues, entries, wanted }: Topic): unknown {
  return {
    wantedHere,
    wanted,
    remotes: [...remotes].sort(),
    queues: queues.map(({ name, counts }) => `${name.text} ${counts.join()}`).sort(),
    entries: entries.map((entry) => `${entry.subject} ${entry.version}`).sort(),
  };
}

const crowd = 5_000;
const change = fc.record({
  kind: fc.constantFrom('nothing', 'add', 'remove', 'other', 'remote', 'pattern', 'atOnce'),
  which: fc.nat(),
});

test('a topic that thousands take knows the same when it was planned over turns, while interest changed, as when it was planned at once', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), fc.boolean(), (changes, grouped) => {
      const under = new RouterUnderTest(0, 2);
      const { router } = under;
      router.plannings.makePlan = makePlan;
      const topic = under.topic('a.b');
      const local: LocalSubscription[] = [];
      const add = (subject: string, queue: string) => {
        const subscription = subscriptionTo(subject, queue);
        router.interest.addLocal(subscription);
        local.push(subscription);
      };
      for (let i = 0; i < crowd; i++) add('a.b', grouped ? `q${i}` : '');
      router.work.limit = 1e9;
      let turns = 0;
      const left = [...changes];
      while (!router.ready(topic)) {
        router.work.nextTurn();
        expect(router.plannings.doWork()).toBe(true);
        const { kind, which } = left.shift() ?? { kind: 'nothing', which: 0 };
        if (kind === 'add') add('a.b', grouped ? `new${which}` : '');
        else if (kind === 'remove') router.interest.removeLocal(local.splice(which % local.length, 1)[0]!);
        else if (kind === 'other') add('a.c', '');
        else if (kind === 'pattern') add(which % 2 === 0 ? 'a.*' : '>', '');
        else if (kind === 'remote') router.interest.setPlain('a.>', 1, which % 2 === 0 ? 2 : 0);
        else if (kind === 'atOnce') router.freshen(topic);
        expect(++turns).toBeLessThan(50);
      }
      const sliced = known(topic);
      const plan = topic.plan as ListPlan | null;
      if (plan !== null) {
        const taking = local.filter(({ subject }) => subject !== 'a.c');
        expect(new Set(plan.subscriptions)).toEqual(new Set(taking));
        expect(plan.subscriptions).toHaveLength(taking.length);
      }
      topic.version = -1;
      topic.entries = [];
      router.freshen(topic);
      expect(sliced).toEqual(known(topic));
      while (router.plannings.doWork());
      expect(known(topic)).toEqual(sliced);
    }),
    { numRuns: 60 },
  );
});

test('no turn plans more than its part, and many that are waited for are planned in turns, each once', () => {
  const under = new RouterUnderTest(0, 2);
  const { router } = under;
  const plans: string[] = [];
  router.plannings.makePlan = (topic, entries) => {
    plans.push(topic.text);
    return makePlan(topic, entries);
  };
  const names = Array.from({ length: 9 }, (_, i) => `t.${i}`);
  const topics = names.map((name) => under.topic(name));
  for (let i = 0; i < crowd; i++) router.interest.addLocal(subscriptionTo('t.*', ''));
  router.work.limit = 1e9;
  for (let turns = 0; topics.filter((topic) => router.ready(topic)).length < topics.length; turns++) {
    router.work.nextTurn();
    router.plannings.doWork();
    expect(router.work.units).toBeLessThanOrEqual(planUnits + 2 * sliceThings * cost.planned);
    expect(turns).toBeLessThan(200);
  }
  expect([...plans].sort()).toEqual(names);
  expect(topics.every((topic) => (topic.plan as ListPlan).subscriptions.length === crowd)).toBe(true);
});

test('a topic that somebody makes new all the time is planned all the same', () => {
  const under = new RouterUnderTest(0, 2);
  const { router } = under;
  router.plannings.makePlan = makePlan;
  const topic = under.topic('a.b');
  for (let i = 0; i < crowd; i++) router.interest.addLocal(subscriptionTo('a.b', ''));
  router.work.limit = 1e9;
  let turns = 0;
  for (; ; turns++) {
    router.interest.addLocal(subscriptionTo('a.*', ''));
    if (router.ready(topic)) break;
    router.work.nextTurn();
    router.plannings.doWork();
    // what others tell comes before anything that was published
    router.interest.addLocal(subscriptionTo('>', ''));
    expect(turns).toBeLessThan(50);
  }
  expect(turns).toBeGreaterThan(1);
  expect(topic.wantedHere).toBe(true);
});
