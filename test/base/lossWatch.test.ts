import { expect, test } from 'vitest';
import { LossWatch } from '../../src/base/lossWatch.js';
import type { Subscription } from '../../src/gateway/subscription.js';
import { idleConnection, subscribed } from '../gateway/connections.js';

const windowMs = 10_000;

function watchOf(): { watch: LossWatch<Subscription>; losing: [string, number, number][]; settled: () => number } {
  const losing: [string, number, number][] = [];
  let settled = 0;
  const watch = new LossWatch<Subscription>(
    windowMs,
    () => settled++,
    ({ sid }, dropped, delivered) => losing.push([sid, dropped, delivered]),
  );
  return { watch, losing, settled: () => settled };
}

test('one warning a window, for those that lost more than a hundredth', () => {
  const { watch, losing } = watchOf();
  const [much, little] = ['1', '2'].map((sid) => subscribed(idleConnection(1), 'a', sid));
  much!.delivered = little!.delivered = 5_000;
  for (let i = 0; i < 11; i++) watch.note(much!, 1, 0);
  watch.note(little!, 10, 0);
  watch.review(100);
  much!.delivered += 989;
  little!.delivered += 990;
  watch.review(windowMs - 1);
  expect(losing).toEqual([]);
  watch.review(windowMs);
  expect(losing).toEqual([['1', 11, 989]]);
  expect(watch.size).toBe(0);
  watch.review(3 * windowMs);
  expect(losing).toHaveLength(1);
  watch.note(much!, 1, 4 * windowMs);
  watch.review(4 * windowMs);
  watch.review(5 * windowMs);
  expect(losing.slice(1)).toEqual([['1', 1, 0]]);
});

test('counts are settled only when a window begins or ends, once for all of them', () => {
  const { watch, settled } = watchOf();
  watch.review(0);
  expect(settled()).toBe(0);
  for (const sid of ['1', '2']) watch.note(subscribed(idleConnection(1), 'a', sid), 1, 0);
  watch.review(1);
  expect(settled()).toBe(1);
  watch.review(2);
  expect(settled()).toBe(1);
  watch.review(windowMs);
  expect(settled()).toBe(2);
});

test('who has ended is not spoken of', () => {
  const { watch, losing } = watchOf();
  const subscription = subscribed(idleConnection(1), 'a', '1');
  watch.note(subscription, 1, 0);
  watch.forget(subscription);
  watch.review(windowMs);
  expect(losing).toEqual([]);
});
