import { beforeEach, expect, test } from 'vitest';
import { stopAllowanceMs } from '../../src/base/limits.js';
import { LagBounds } from '../../src/gateway/connection/lag.js';
import type { Connection } from '../../src/gateway/connection.js';
import type { FanoutPlan } from '../../src/gateway/fanoutPlan.js';
import { Laggards } from '../../src/gateway/laggards.js';
import { RouterUnderTest } from '../router/brokerModel.js';
import { idleConnection, planOf, subscribed } from './connections.js';

// Invariant 13 of docs/INVARIANTS.md.

/** Who has anything pending lags, and is not full. */
const bounds = new LagBounds(0, 8);

let announced: [string, boolean][];
let laggards: Laggards;
let under: RouterUnderTest;
let connections: number;

beforeEach(() => {
  announced = [];
  laggards = new Laggards((...said) => announced.push(said));
  under = new RouterUnderTest(0, 1);
  connections = 0;
});

/** A connection with a subscription to each of the subjects. */
function reader(...subjects: string[]): Connection {
  const connection = idleConnection(++connections);
  for (const subject of subjects) under.router.interest.addLocal(subscribed(connection, subject, subject));
  return connection;
}

function lag(connection: Connection, lags: boolean, nowMs = 0): void {
  connection.lag.judge(lags ? 1 : 0, bounds);
  laggards.note(connection, nowMs);
}

function deliver(subject: string, nowMs = 0): void {
  const topic = under.topic(subject);
  topic.plan ??= planOf(topic);
  if (laggards.any) laggards.afterDelivery(topic, topic.plan as FanoutPlan, nowMs);
}

test('one that lags is announced by the subscriptions through which something comes, once each', () => {
  const slow = reader('a.*', 'b', 'never');
  reader('a.*', 'c');
  lag(slow, true);
  expect(announced).toEqual([]);
  for (let i = 0; i < 1_000; i++) deliver(`a.${i}`);
  deliver('b');
  deliver('c');
  expect(announced).toEqual([
    ['a.*', true],
    ['b', true],
  ]);
  lag(slow, false);
  expect(announced.slice(2)).toEqual([
    ['a.*', false],
    ['b', false],
  ]);
  deliver('b');
  expect(announced).toHaveLength(4);
});

test('a subject is announced until the last that lags has caught up, or is gone', () => {
  const [one, other] = [reader('a'), reader('a')];
  lag(one, true);
  deliver('a');
  lag(other, true);
  deliver('a');
  lag(one, false);
  expect(announced).toEqual([['a', true]]);
  other.enter('closing', 'test');
  laggards.note(other, 0);
  expect(announced.slice(1)).toEqual([['a', false]]);
  expect(laggards.waiting).toBe(false);
});

test('one that takes nothing is waited for so long in all, until it takes something', () => {
  const slow = reader('a');
  lag(slow, true, 1_000);
  // the time in which nobody waited for it does not count
  laggards.review(5_000);
  deliver('a', 5_000);
  laggards.review(5_000 + stopAllowanceMs - 1);
  expect(announced).toEqual([['a', true]]);
  laggards.review(5_000 + stopAllowanceMs);
  expect(announced.slice(1)).toEqual([['a', false]]);
  // nor does it get the time again by catching up and lagging
  lag(slow, false, 6_000);
  lag(slow, true, 6_000);
  deliver('a', 6_000);
  expect(announced).toHaveLength(2);
  slow.lag.noteProgress();
  laggards.review(7_000);
  deliver('a', 7_000);
  expect(announced.slice(2)).toEqual([['a', true]]);
  slow.lag.noteProgress();
  laggards.review(7_000 + stopAllowanceMs);
  laggards.review(7_000 + 2 * stopAllowanceMs - 1);
  expect(announced).toHaveLength(3);
});

test('when nobody is to be waited for, nobody is', () => {
  const slow = reader('a');
  lag(slow, true);
  deliver('a');
  laggards.clear();
  expect(announced).toEqual([
    ['a', true],
    ['a', false],
  ]);
  expect(laggards.any).toBe(false);
});
