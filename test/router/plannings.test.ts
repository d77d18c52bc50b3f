import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planUnits, thingsInPart } from '../../src/base/limits.js';
import { sliceThings } from '../../src/base/slices.js';
import { cost } from '../../src/base/work.js';
import type { InterestEntry, LocalSubscription } from '../../src/router/interestEntry.js';
import type { Topic, TopicPlan } from '../../src/router/topic.js';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

// Invariant 39 of docs/INVARIANTS.md.

/** A plan that knows whom it is for. */
class ListPlan {
  readonly heldBytes = 0;
  readonly units = 3;
  readonly subscriptions: LocalSubscription[] = [];
  retire(): void {}
}

const planner = {
  /** Subscriptions that have been planned since the start. */
  planned: 0,
  *make(_: Topic, entries: readonly InterestEntry[]): Generator<void, ListPlan> {
    const plan = new ListPlan();
    for (const { local } of entries)
      for (let i = 0; i < local.length; i++) {
        planner.planned++;
        plan.subscriptions.push(local[i]!);
        if (plan.subscriptions.length % sliceThings === 0) yield;
      }
    return plan;
  },
  join(plans: readonly TopicPlan[]): ListPlan {
    const all = new ListPlan();
    for (const { subscriptions } of plans as ListPlan[]) for (const each of subscriptions) all.subscriptions.push(each);
    return all;
  },
};

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
      router.plannings.planner = planner;
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
  router.plannings.planner = planner;
  planner.planned = 0;
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
  expect(planner.planned).toBe(names.length * crowd);
  expect(topics.every((topic) => (topic.plan as ListPlan).subscriptions.length === crowd)).toBe(true);
});

test('a topic that somebody makes new all the time is planned all the same', () => {
  const under = new RouterUnderTest(0, 2);
  const { router } = under;
  router.plannings.planner = planner;
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

/** So many patterns that take `a.b.….x`: one for each way to write `a` or `*` where it has an `a`. */
const patterns = Array.from({ length: crowd }, (_, i) =>
  [...Array.from({ length: 13 }, (_, bit) => ((i >> bit) & 1 ? '*' : 'a')), '>'].join('.'),
);
const taken = `${'a.'.repeat(13)}x`;

const swap = fc.record({
  which: fc.nat(crowd - 1),
  to: fc.constantFrom('plain', 'queue', 'nobody'),
  waits: fc.boolean(),
});

/** A topic that all patterns take, planned. */
function plannedCrowd() {
  const under = new RouterUnderTest(0, 2);
  const { router } = under;
  router.plannings.planner = planner;
  const topic = under.topic(taken);
  const local = patterns.map((subject) => subscriptionTo(subject, ''));
  for (const subscription of local) router.interest.addLocal(subscription);
  router.work.limit = 1e9;
  while (!router.ready(topic)) {
    router.work.nextTurn();
    router.plannings.doWork();
  }
  return { router, topic, local };
}

test('what changes of a crowd is planned alone, and its topic knows what it would know if all were planned', () => {
  fc.assert(
    fc.property(fc.array(swap, { maxLength: 40 }), (swaps) => {
      const { router, topic, local } = plannedCrowd();
      const there = new Set(local);
      for (const { which, to, waits } of swaps) {
        const before = local[which]!;
        if (there.delete(before)) router.interest.removeLocal(before);
        local[which] = subscriptionTo(before.subject, to === 'queue' ? 'q' : '');
        if (to !== 'nobody') {
          router.interest.addLocal(local[which]!);
          there.add(local[which]!);
        }
        if (waits) continue;
        router.work.nextTurn();
        router.plannings.doWork();
        expect(router.ready(topic)).toBe(true);
        const knows = known(topic);
        expect(new Set((topic.plan as ListPlan).subscriptions)).toEqual(there);
        expect((topic.plan as ListPlan).subscriptions).toHaveLength(there.size);
        const entries: InterestEntry[] = [];
        router.interest.match(taken, entries);
        topic.entries = [];
        router.learn(topic, entries);
        expect(known(topic)).toEqual(knows);
      }
    }),
    { numRuns: 20 },
  );
});

test('a change costs its part of a crowd and not all of it', () => {
  const { router, topic } = plannedCrowd();
  for (let i = 0; i < 10; i++) {
    planner.planned = 0;
    router.work.nextTurn();
    const other = subscriptionTo('a.>', '');
    router.interest.addLocal(other);
    expect(router.ready(topic)).toBe(true);
    router.interest.removeLocal(other);
    expect(router.ready(topic)).toBe(true);
    expect(planner.planned).toBeLessThanOrEqual(4 * thingsInPart);
    expect(router.work.units).toBeLessThanOrEqual(8 * thingsInPart * cost.planned);
  }
});
