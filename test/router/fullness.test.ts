import { expect, test } from 'vitest';
import { demand } from '../../src/base/demand.js';
import { fullness } from '../../src/base/fullness.js';
import type { Topic } from '../../src/router/topic.js';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

function wantedBy(...gateways: number[]): RouterUnderTest {
  const under = new RouterUnderTest(0, 3);
  for (const gateway of gateways) {
    if (gateway === 0) under.router.interest.addLocal(subscriptionTo('a'));
    else under.router.interest.setPlain('a', gateway, demand.all);
  }
  return under;
}

const isFull = (topic: Topic): boolean => topic.fullness >= fullness.full;

test('a topic is full when every gateway that wants it is, and ready when one is', () => {
  const under = wantedBy(0, 1, 2);
  const topic = under.topic('a');
  const seen = [0, 1, 2].map((gateway) => {
    under.router.holds.setFull('a', gateway, fullness.full);
    return isFull(topic);
  });
  expect(seen).toEqual([false, false, true]);
  under.router.holds.setFull('a', 1, fullness.ready);
  expect(isFull(topic)).toBe(false);
});

test('a queue group counts like subscribers: all gateways with members must be full', () => {
  const under = wantedBy(0);
  under.router.interest.setQueue('a', 'q', 1, 2);
  const topic = under.topic('a');
  under.router.holds.setFull('a', 0, fullness.full);
  expect(isFull(topic)).toBe(false);
  under.router.holds.setFull('a', 1, fullness.full);
  expect(isFull(topic)).toBe(true);
});

test('one who comes new and has room makes a full topic ready, one who goes leaves it full', () => {
  const under = wantedBy(1);
  under.router.holds.setFull('a', 1, fullness.full);
  expect(isFull(under.topic('a'))).toBe(true);
  under.router.interest.setPlain('a', 2, demand.all);
  expect(isFull(under.topic('a'))).toBe(false);
  under.router.interest.setPlain('a', 2, demand.none);
  expect(isFull(under.topic('a'))).toBe(true);
});

test('what was announced before the topic was known holds for it', () => {
  const under = wantedBy(1);
  under.router.holds.setFull('a', 1, fullness.full);
  expect(isFull(under.topic('a'))).toBe(true);
});

test('an end without a beginning is nothing', () => {
  const under = wantedBy(1);
  under.router.holds.setFull('a', 1, fullness.ready);
  expect(under.topic('a')).toMatchObject({ fullness: fullness.ready, endpointsFull: null });
});

test('one blocked gateway is enough, until it says that it is ready', () => {
  const under = wantedBy(0, 1, 2);
  const topic = under.topic('a');
  under.router.holds.setFull('a', 2, fullness.blocked);
  expect(isFull(topic)).toBe(true);
  under.router.holds.setFull('a', 2, fullness.full);
  expect(isFull(topic)).toBe(false);
  under.router.holds.setFull('a', 2, fullness.blocked);
  under.router.holds.setFull('a', 2, fullness.ready);
  expect(isFull(topic)).toBe(false);
});
