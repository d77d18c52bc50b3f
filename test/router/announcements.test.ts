import { expect, test } from 'vitest';
import { mainAccount } from '../../src/base/account.js';
import { demand } from '../../src/base/demand.js';
import { crowdDeliveriesMin } from '../../src/base/limits.js';
import { cost } from '../../src/base/work.js';
import type { LocalSubscription } from '../../src/router/interestEntry.js';
import { roomUnbounded } from '../../src/router/queueInterest.js';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

// Of invariant 25 of docs/INVARIANTS.md: what a message costs others.

test('the first plain subscription of a subject and the end of the last one are announced, none between', () => {
  const { router, announced } = new RouterUnderTest(0, 2);
  const [first, second] = [subscriptionTo('a.*'), subscriptionTo('a.*')];
  router.interest.addLocal(first);
  router.interest.addLocal(second);
  router.interest.removeLocal(first);
  expect(announced).toEqual([{ subject: 'a.*', wanted: demand.all }]);
  router.interest.removeLocal(second);
  expect(announced.slice(1)).toEqual([{ subject: 'a.*', wanted: demand.none }]);
});

test('what a message costs is announced where very many take it, about, as often as they have doubled or halved', () => {
  const { router, announced } = new RouterUnderTest(0, 2);
  const all = Array.from({ length: 3 * crowdDeliveriesMin }, () => subscriptionTo('a.*'));
  const crowds = (): number[] => announced.splice(0).map((each) => ('crowd' in each && each.crowd) || 0);
  for (const each of all) router.interest.addLocal(each);
  expect(crowds()).toEqual([0, crowdDeliveriesMin, 2 * crowdDeliveriesMin]);
  for (const each of all.splice(2 * crowdDeliveriesMin)) router.interest.removeLocal(each);
  // who comes and goes at such a number is nobody's business
  for (let i = 0; i < 10; i++) {
    router.interest.removeLocal(all[0]!);
    router.interest.addLocal(all[0]!);
  }
  expect(crowds()).toEqual([]);
  for (const each of all) router.interest.removeLocal(each);
  // when they are few, and when there are none
  expect(crowds()).toEqual([0, 0]);
});

test('several subscriptions of one connection cost more than as many of others', () => {
  const { router, announced } = new RouterUnderTest(0, 2);
  const connection = {};
  for (let i = 0; i < crowdDeliveriesMin; i++) router.interest.addLocal({ ...subscriptionTo('a'), connection });
  const [, told] = announced as { crowd: number }[];
  expect(told!.crowd).toBe(crowdDeliveriesMin * cost.crowdDelivery + (crowdDeliveriesMin - 1) * cost.head);
});

test('what a message costs the dearest of the others counts for its topic, where very many take it there, by whatever they take it', () => {
  const under = new RouterUnderTest(0, 3);
  const { interest } = under.router;
  interest.setPlain('a.b', 1, demand.all, mainAccount, 128);
  interest.setPlain('a.*', 1, demand.all, mainAccount, 64);
  interest.setPlain('a.*', 2, demand.all);
  expect(under.topic('a.b').units).toBe(192 * cost.crowdDelivery);
  expect(under.topic('a.b').crowdUnitsOf(1024)).toBeGreaterThan(under.topic('a.b').crowdUnitsOf(16));
  expect(under.topic('a.c').units).toBe(64 * cost.crowdDelivery);
  interest.setPlain('a.*', 1, demand.none);
  expect(under.topic('a.b').units).toBe(128 * cost.crowdDelivery);
  interest.dropGateway(1);
  expect(under.topic('a.b').crowdUnits).toBe(0);
  // many who are one each are very many, too
  for (let i = 0; i < crowdDeliveriesMin; i++) interest.setPlain(`${'*.'.repeat(i)}>`, 1, demand.all);
  expect(under.topic(Array(crowdDeliveriesMin).fill('x').join('.')).units).toBe(
    crowdDeliveriesMin * cost.crowdDelivery,
  );
});

test('whether all plain subscriptions can do without some messages is announced whenever it changes', () => {
  const { router, announced } = new RouterUnderTest(0, 2);
  const [lossy, other, lossless] = [subscriptionTo('a', '', true), subscriptionTo('a', '', true), subscriptionTo('a')];
  for (const each of [lossy, other, lossless]) router.interest.addLocal(each);
  for (const each of [lossless, lossy, other]) router.interest.removeLocal(each);
  expect(announced.map((each) => 'wanted' in each && each.wanted)).toEqual([
    demand.some,
    demand.all,
    demand.some,
    demand.none,
  ]);
});

test('every change of the members of a queue group is announced', () => {
  const { router, announced } = new RouterUnderTest(0, 2);
  const members = [subscriptionTo('a', 'q'), subscriptionTo('a', 'q'), subscriptionTo('a', 'r')];
  for (const member of members) router.interest.addLocal(member);
  for (const member of members) router.interest.removeLocal(member);
  expect(announced).toEqual([
    { subject: 'a', queue: 'q', members: 1, room: roomUnbounded },
    { subject: 'a', queue: 'q', members: 2, room: roomUnbounded },
    { subject: 'a', queue: 'r', members: 1, room: roomUnbounded },
    { subject: 'a', queue: 'q', members: 1, room: roomUnbounded },
    { subject: 'a', queue: 'q', members: 0, room: 0 },
    { subject: 'a', queue: 'r', members: 0, room: 0 },
  ]);
});

test('what members have room for is told when they come and go, and again when it is asked to be', () => {
  const { router, announced } = new RouterUnderTest(0, 2);
  const member = { ...subscriptionTo('a', 'q'), workRoom: 3 };
  const other = { ...subscriptionTo('a', 'q'), workRoom: 2 };
  router.interest.addLocal(member);
  router.interest.addLocal(other);
  const { part } = member as LocalSubscription;
  other.workRoom = 1;
  router.interest.tellRoom(part!);
  router.interest.removeLocal(member);
  expect(announced.map((each) => 'room' in each && [each.members, each.room])).toEqual([
    [1, 3],
    [2, 5],
    [2, 4],
    [1, 1],
  ]);
});

test('what others want is not announced again', () => {
  const { router, announced } = new RouterUnderTest(0, 2);
  router.interest.setPlain('a', 1, demand.all);
  router.interest.setQueue('a', 'q', 1, 2);
  expect(announced).toEqual([]);
});
