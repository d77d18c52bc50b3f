import { beforeEach, expect, test } from 'vitest';
import { type Fullness, fullness } from '../../src/base/fullness.js';
import { holdReviewMs, stopAllowanceMs } from '../../src/base/limits.js';
import { Backpressure } from '../../src/gateway/backpressure.js';
import { LagBounds } from '../../src/gateway/connection/lag.js';
import type { Connection } from '../../src/gateway/connection.js';
import type { FanoutPlan } from '../../src/gateway/fanoutPlan.js';
import type { Topic } from '../../src/router/topic.js';
import { RouterUnderTest } from '../router/brokerModel.js';
import { idleConnection, planOf, subscribed } from './connections.js';

// Invariant 32 of docs/INVARIANTS.md.

/** Who has anything pending is full, and does not lag. */
const bounds = new LagBounds(8, 0);

let announced: [string, Fullness][];
let backpressure: Backpressure;

beforeEach(() => {
  announced = [];
  backpressure = new Backpressure({
    onFullness: (topic, state) => announced.push([topic.text, state]),
    onLagging: () => {},
    onSpent: () => {},
    onGroupSpent: () => {},
  });
});

interface Subscriber {
  queue?: string;
  maxMessages?: number;
}

function topicWith(...subscribers: Subscriber[]): { topic: Topic; plan: FanoutPlan; connections: Connection[] } {
  const under = new RouterUnderTest(0, 1);
  const connections = subscribers.map(({ queue, maxMessages }, i) => {
    const connection = idleConnection(i + 1);
    const subscription = subscribed(connection, 'a', '1', queue);
    subscription.maxMessages = maxMessages ?? 0;
    under.router.interest.addLocal(subscription);
    return connection;
  });
  const topic = under.topic('a');
  const plan = planOf(topic);
  topic.plan = plan;
  return { topic, plan, connections };
}

function setFull(connection: Connection, full: boolean): void {
  connection.lag.judge(full ? 1 : 0, bounds);
  backpressure.note(connection, 0);
}

test('publishers wait when every subscriber is full, and go on when one is ready', () => {
  const { topic, plan, connections } = topicWith({}, {});
  setFull(connections[0]!, true);
  backpressure.afterDelivery(topic, plan, 0);
  expect(announced).toEqual([]);
  setFull(connections[1]!, true);
  backpressure.afterDelivery(topic, plan, 0);
  backpressure.afterDelivery(topic, plan, 0);
  expect(announced).toEqual([['a', fullness.full]]);
  backpressure.review(0);
  expect(announced).toHaveLength(1);
  setFull(connections[0]!, false);
  backpressure.review(0);
  expect(announced.slice(1)).toEqual([['a', fullness.ready]]);
  expect(backpressure.dueMs).toBe(Number.POSITIVE_INFINITY);
});

test('one that takes nothing is waited for no longer than a moment', () => {
  const { topic, plan, connections } = topicWith({});
  const connection = connections[0]!;
  setFull(connection, true);
  backpressure.afterDelivery(topic, plan, 0);
  backpressure.review(stopAllowanceMs - holdReviewMs);
  expect(announced).toHaveLength(1);
  backpressure.review(stopAllowanceMs);
  expect(announced.slice(1)).toEqual([['a', fullness.ready]]);
  // and not again until it takes something
  backpressure.afterDelivery(topic, plan, stopAllowanceMs);
  expect(announced).toHaveLength(2);
  connection.lag.noteProgress();
  backpressure.afterDelivery(topic, plan, stopAllowanceMs);
  expect(announced.slice(2)).toEqual([['a', fullness.full]]);
});

test('all members of a queue group must be full, and nobody waits for one who ends after some messages', () => {
  const queue = topicWith({ queue: 'q' }, { queue: 'q' });
  setFull(queue.connections[0]!, true);
  backpressure.afterDelivery(queue.topic, queue.plan, 0);
  expect(announced).toEqual([]);
  setFull(queue.connections[1]!, true);
  backpressure.afterDelivery(queue.topic, queue.plan, 0);
  expect(announced).toEqual([['a', fullness.full]]);
  const limited = topicWith({}, { maxMessages: 3 });
  for (const connection of limited.connections) setFull(connection, true);
  announced.length = 0;
  backpressure.afterDelivery(limited.topic, limited.plan, 0);
  expect(announced).toEqual([]);
});

test('a full connection that closes lets publishers go on', () => {
  const { topic, plan, connections } = topicWith({});
  setFull(connections[0]!, true);
  backpressure.afterDelivery(topic, plan, 0);
  connections[0]!.enter('closing', 'test');
  backpressure.note(connections[0]!, 0);
  expect(backpressure.any).toBe(false);
  backpressure.review(0);
  expect(announced.slice(1)).toEqual([['a', fullness.ready]]);
});

test('a topic that was forgotten or is planned anew is announced as ready', () => {
  for (const change of [{ live: false }, { plan: null }]) {
    const { topic, plan, connections } = topicWith({});
    setFull(connections[0]!, true);
    backpressure.afterDelivery(topic, plan, 0);
    Object.assign(topic, change);
    announced.length = 0;
    backpressure.review(0);
    expect(announced).toEqual([['a', fullness.ready]]);
    setFull(connections[0]!, false);
  }
});

test('a group that was waited for long enough on one shard is not waited for on another, until it has taken enough there', () => {
  const { topic } = topicWith({ queue: 'g' });
  const groupOf = (queue: string, inProcess = false) => ({ queue, inProcess, overworked: false });
  let other!: Backpressure;
  const one = new Backpressure({
    onFullness: () => {},
    onLagging: () => {},
    onSpent: () => {},
    onGroupSpent: (queue, spent) => other.onGroupSpent(0, queue, spent),
  });
  other = new Backpressure({
    onFullness: (each, state) => announced.push([each.text, state]),
    onLagging: () => {},
    onSpent: () => {},
    onGroupSpent: () => {},
  });
  const here = groupOf('g');
  const there = groupOf('g');
  expect(one.block(topic, here)).toBe(true);
  expect(other.block(topic, there)).toBe(true);
  one.spend(topic.text);
  // what is held up there goes on at once, and nothing is held up anew
  expect(announced).toEqual([
    ['a', fullness.working],
    ['a', fullness.dropping],
  ]);
  expect(other.block(topic, there)).toBe(false);
  expect(other.block(topic, groupOf('innocent'))).toBe(true);
  expect(other.block(topic, groupOf('g', true))).toBe(true);
  one.unblock(here);
  expect(other.block(topic, there)).toBe(true);
});

test('a journal that is behind is said as such, not as a subscriber that is, and is said once a topic', () => {
  const { topic } = topicWith({});
  const journal = { journal: 'synced' };
  expect([backpressure.block(topic, journal), backpressure.block(topic, journal)]).toEqual([true, true]);
  expect(announced).toEqual([['a', fullness.behind]]);
  backpressure.unblock(journal);
  expect(announced.slice(1)).toEqual([['a', fullness.ready]]);
});
