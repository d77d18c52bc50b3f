import { expect, test } from 'vitest';
import { demand } from '../../src/base/demand.js';
import type { LocalSubscription } from '../../src/router/interestEntry.js';
import { roomUnbounded } from '../../src/router/queueInterest.js';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

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
