import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  crowdShareUnits,
  crowdUnits,
  littleTurns,
  shareUnits,
  shareUnitsMin,
  shareUnitsShort,
  turnUnits,
} from '../../src/base/limits.js';
import { Turn } from '../../src/base/turn.js';
import { Work } from '../../src/base/work.js';
import type { Connection } from '../../src/gateway/connection.js';
import { Shares } from '../../src/gateway/shares.js';
import { idleConnection } from './connections.js';

// Invariant 25 of docs/INVARIANTS.md.

/** Connections with so much to do each, and turns that do it as the gateway does. */
class Floor {
  readonly work = new Work();
  readonly shares = new Shares(this.work, new Turn(() => {}));
  readonly left = new Map<Connection, number>();
  /** Who did something in the turn, in order. */
  active: Connection[] = [];

  /** @param kept whether what it has to do has been read, or waits in its socket */
  add(connection: Connection, units: number, kept: boolean): void {
    connection.input.parked = kept ? new Uint8Array(1) : null;
    this.left.set(connection, units);
  }

  /** Does operations of one connection, of `step` units each, until they are done or its share is spent. */
  run(connection: Connection, step: number): void {
    this.active.push(connection);
    this.shares.begin(connection);
    let left = this.left.get(connection) as number;
    while (left > 0 && !this.work.spent) {
      this.work.units += Math.min(step, left);
      left -= step;
    }
    this.left.set(connection, Math.max(0, left));
    this.shares.end(connection);
    if (left > 0) this.shares.defer(connection);
  }

  /** A turn: sockets that are read, then whoever waits. Returns the units it took. */
  turn(step: number, reading: Connection[]): number {
    this.active = [];
    this.work.nextTurn();
    for (const connection of reading.splice(0)) this.run(connection, step);
    this.shares.serve((connection) => {
      if (connection.parked) this.run(connection, step);
      else reading.push(connection);
      return connection.parked;
    });
    return this.work.units;
  }
}

const costs = fc.array(fc.record({ units: fc.nat(20 * shareUnits), kept: fc.boolean() }), { maxLength: 40 });

test('no turn takes much longer than it may, whoever has how much to do, and all of it is done', () => {
  fc.assert(
    fc.property(costs, fc.integer({ min: 1, max: 5000 }), (all, step) => {
      const floor = new Floor();
      const reading: Connection[] = [];
      for (const [i, { units, kept }] of all.entries()) {
        const connection = idleConnection(i + 1);
        floor.add(connection, units, kept);
        if (kept) floor.shares.defer(connection);
        else reading.push(connection);
      }
      // once, all sockets may bring something in the same turn: then each has the least share behind the turn's end
      const crowd = reading.length * (2 * shareUnitsMin + step);
      const most = 2 * turnUnits + 2 * (shareUnits + shareUnitsMin + step);
      for (let turns = 0; [...floor.left.values()].some((units) => units > 0); turns++) {
        expect(floor.turn(step, reading)).toBeLessThanOrEqual(most + (turns === 0 ? crowd : 0));
        expect(turns).toBeLessThan(10_000);
      }
    }),
    { numRuns: 200 },
  );
});

test('whoever waits is served in turn: each once before any of them twice', () => {
  const floor = new Floor();
  const hogs = Array.from({ length: 30 }, (_, i) => idleConnection(i + 1));
  for (const hog of hogs) {
    floor.add(hog, 1e9, true);
    floor.shares.defer(hog);
  }
  const served: Connection[] = [];
  while (served.length < 90) {
    floor.turn(100, []);
    expect(floor.active.length).toBeGreaterThan(0);
    served.push(...floor.active);
  }
  for (const round of [0, 1, 2]) expect(new Set(served.slice(30 * round, 30 * round + 30)).size).toBe(30);
});

test('one that has little to do is not held up by any number of those that have much', () => {
  const floor = new Floor();
  const hogs = Array.from({ length: 200 }, (_, i) => idleConnection(i + 1));
  for (const hog of hogs) {
    floor.add(hog, 1e9, true);
    floor.shares.defer(hog);
  }
  const small = idleConnection(1000);
  for (let i = 0; i < 20; i++) {
    floor.add(small, 50, false);
    floor.turn(100, [small]);
    expect(floor.left.get(small)).toBe(0);
  }
});

test('a share is a short one for as long as others have little to do, and a long one where nobody has', () => {
  const floor = new Floor();
  const hog = idleConnection(1);
  const small = idleConnection(2);
  floor.add(hog, 1e9, true);
  floor.shares.defer(hog);
  const alone = floor.turn(100, []);
  expect(alone).toBeGreaterThan(shareUnits);
  for (let i = 0; i < 10; i++) {
    floor.add(small, 50, false);
    const beside = floor.turn(100, [small]);
    expect(beside).toBeLessThanOrEqual(shareUnitsShort + shareUnitsMin + 50 + 100);
  }
  for (let i = 0; i < littleTurns; i++) expect(floor.turn(100, [])).toBeLessThan(shareUnits);
  expect(floor.turn(100, [])).toBe(alone);
});

test('a share is one, in however many pieces it is used', () => {
  const floor = new Floor();
  const connection = idleConnection(1);
  floor.add(connection, 1e9, false);
  floor.work.nextTurn();
  for (let i = 0; i < 50; i++) floor.run(connection, 1000);
  // after its share each piece is the least that a read has to do
  expect(floor.work.units).toBeLessThanOrEqual(shareUnits + 50 * (shareUnitsMin + 1000));
});

test('a crowd that all have something to be read at once has a turn end, too', () => {
  const floor = new Floor();
  const crowd = Array.from({ length: 1000 }, (_, i) => idleConnection(i + 1));
  for (const connection of crowd) floor.add(connection, 1e9, false);
  const most = crowdUnits + 2 * shareUnitsMin + crowd.length * (crowdShareUnits + 100);
  expect(floor.turn(100, crowd)).toBeLessThanOrEqual(most + turnUnits + 2 * shareUnits);
});
