import { expect, test } from 'vitest';
import { departureSubscriptionsMax, departureUnits } from '../../src/base/limits.js';
import { cost, Work } from '../../src/base/work.js';
import { Departures } from '../../src/gateway/departures.js';
import type { Subscription } from '../../src/gateway/subscription.js';
import { idleConnection, subscribed } from './connections.js';

// Invariant 25 of docs/INVARIANTS.md.

test('subscriptions of connections that have ended are taken away some a turn, each once, and none while nobody can be told', () => {
  const work = new Work();
  const ended: Subscription[] = [];
  let told = true;
  const departures = new Departures(
    work,
    (some) => {
      ended.push(...some);
      work.units += some.length * cost.departure;
    },
    () => told,
  );
  const perTurn = Math.ceil(departureUnits / cost.departure);
  const all: Subscription[] = [];
  for (const id of [1, 2, 3]) {
    const connection = idleConnection(id);
    for (let i = 0; i < perTurn * 2 + 5; i++) all.push(subscribed(connection, `s.${i}`, String(i)));
    departures.add(connection);
  }
  told = false;
  expect(departures.doWork()).toBe(true);
  expect(ended).toEqual([]);
  told = true;
  let turns = 0;
  for (let more = true; more; turns++) {
    const before = ended.length;
    work.nextTurn();
    more = departures.doWork();
    expect(ended.length - before).toBeLessThanOrEqual(perTurn);
    expect(departures.size).toBe(all.length - ended.length);
  }
  expect(new Set(ended)).toEqual(new Set(all));
  expect(ended.length).toBe(all.length);
  expect(turns).toBeGreaterThan(6);
});

test('of a crowd that leaves together a turn takes no more away at once than its part, and whoever is many has to wait', () => {
  const work = new Work();
  const departures = new Departures(
    work,
    (some) => {
      work.units += some.length * cost.departure;
    },
    () => true,
  );
  expect(departures.takesNow(departureSubscriptionsMax + 1)).toBe(false);
  let taken = 0;
  while (departures.takesNow(50)) taken += 50;
  expect(taken * cost.departure).toBeLessThanOrEqual(departureUnits);
  expect((taken + 50) * cost.departure).toBeGreaterThan(departureUnits);
  work.nextTurn();
  expect(departures.takesNow(50)).toBe(true);
  // nobody overtakes those that wait
  const connection = idleConnection(1);
  subscribed(connection, 's', '1');
  departures.add(connection);
  expect(departures.takesNow(1)).toBe(false);
  departures.doWork();
  expect(departures.takesNow(1)).toBe(true);
});
