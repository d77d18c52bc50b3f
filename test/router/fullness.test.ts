import { expect, test } from 'vitest';
import { demand } from '../../src/base/demand.js';
import { fullness } from '../../src/base/fullness.js';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

function wantedBy(...gateways: number[]): RouterUnderTest {
  const under = new RouterUnderTest(0, 3);
  for (const gateway of gateways) {
    if (gateway === 0) under.router.interest.addLocal(subscriptionTo('a'));
    else under.router.interest.setPlain('a', gateway, demand.all);
  }
  return under;
}

test('a topic is full when every gateway that wants it is, and ready when one is', () => {
  const under = wantedBy(0, 1, 2);
  const topic = under.topic('a');
  const seen = [0, 1, 2].map((gateway) => {
    under.router.setFull('a', gateway, fullness.full);
    return topic.full;
  });
  expect(seen).toEqual([false, false, true]);
  under.router.setFull('a', 1, fullness.ready);
  expect(topic.full).toBe(false);
});

test('a queue group counts like subscribers: all gateways with members must be full', () => {
  const under = wantedBy(0);
  under.router.interest.setQueue('a', 'q', 1, 2);
  const topic = under.topic('a');
  under.router.setFull('a', 0, fullness.full);
  expect(topic.full).toBe(false);
  under.router.setFull('a', 1, fullness.full);
  expect(topic.full).toBe(true);
});

test('one who comes new and has room makes a full topic ready, one who goes leaves it full', () => {
  const under = wantedBy(1);
  under.router.setFull('a', 1, fullness.full);
  expect(under.topic('a').full).toBe(true);
  under.router.interest.setPlain('a', 2, demand.all);
  expect(under.topic('a').full).toBe(false);
  under.router.interest.setPlain('a', 2, demand.none);
  expect(under.topic('a').full).toBe(true);
});

test('what was announced before the topic was known holds for it', () => {
  const under = wantedBy(1);
  under.router.setFull('a', 1, fullness.full);
  expect(under.topic('a').full).toBe(true);
});

test('an end without a beginning is nothing', () => {
  const under = wantedBy(1);
  under.router.setFull('a', 1, fullness.ready);
  expect(under.topic('a')).toMatchObject({ full: false, fullGateways: null });
});

test('one blocked gateway is enough, until it says that it is ready', () => {
  const under = wantedBy(0, 1, 2);
  const topic = under.topic('a');
  under.router.setFull('a', 2, fullness.blocked);
  expect(topic.full).toBe(true);
  under.router.setFull('a', 2, fullness.full);
  expect(topic.full).toBe(false);
  under.router.setFull('a', 2, fullness.blocked);
  under.router.setFull('a', 2, fullness.ready);
  expect(topic.full).toBe(false);
});
