import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mixHash } from '../../src/base/hash.js';
import { QueueName } from '../../src/router/queueNames.js';
import { QueueRoute } from '../../src/router/queueRoute.js';
import { partOf, routeOf } from './routes.js';

// Invariant 17 of docs/INVARIANTS.md, where it is about keys.
// Invariant 23, where it is about who has room.

const counts = fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }).filter((all) => all.some((count) => count > 0));

test('in a round every gateway has as many turns as members, wherever the round begins', () => {
  fc.assert(
    fc.property(counts, fc.nat(1000), (members, turn) => {
      const route = routeOf(members, 'q', turn);
      const turns = members.map(() => 0);
      for (let i = 0; i < 3 * route.total; i++) turns[route.next()]!++;
      expect(turns).toEqual(members.map((count) => 3 * count));
    }),
  );
});

test('the next but one is never that one, and none only when no other has a member', () => {
  fc.assert(
    fc.property(counts, fc.nat(), fc.nat(20), (members, which, turn) => {
      const route = routeOf(members, 'q', turn);
      const except = which % members.length;
      for (let i = 0; i < 10; i++) {
        const gateway = route.nextExcept(except);
        if (members.every((count, other) => other === except || count === 0)) expect(gateway).toBe(-1);
        else {
          expect(gateway).not.toBe(except);
          expect(members[gateway]).toBeGreaterThan(0);
        }
      }
    }),
  );
});

const rooms = fc.array(fc.nat(3), { minLength: 6, maxLength: 6 });

test('those with room have as many turns as members until it is spent, and nobody else has one', () => {
  fc.assert(
    fc.property(counts, rooms, fc.nat(20), fc.integer({ min: -1, max: 5 }), (members, room, turn, except) => {
      const route = routeOf(members, 'q', turn, room);
      expect(route.bounded).toBe(true);
      const left = members.map((count, gateway) => (count > 0 ? room[gateway]! : 0));
      const choices = () => left.filter((rest, gateway) => rest > 0 && gateway !== except).length;
      while (choices() > 0) {
        const gateway = route.nextWithRoom(except);
        expect(gateway).not.toBe(except);
        expect(left[gateway]).toBeGreaterThan(0);
        route.spend(gateway);
        left[gateway]!--;
      }
      expect(route.nextWithRoom(except)).toBe(-1);
    }),
  );
});

test('a gateway with room on two subjects spends one after the other; one without a bound spends nothing', () => {
  const name = new QueueName('q', 0, 1);
  const route = new QueueRoute(name, 2);
  for (const room of [1, 2]) route.add(partOf(name, [1, 0], [room, 0]));
  for (let i = 0; i < 3; i++) {
    expect(route.nextWithRoom(-1)).toBe(0);
    route.spend(0);
  }
  expect(route.nextWithRoom(-1)).toBe(-1);
  const unbounded = routeOf([1, 1]);
  for (let i = 0; i < 10; i++) unbounded.spend(unbounded.nextWithRoom(-1));
  expect([unbounded.bounded, unbounded.nextWithRoom(-1) >= 0]).toEqual([false, true]);
});

test('topics of one group begin with different members', () => {
  const name = new QueueName('q', 0, 1);
  const firsts = Array.from({ length: 6 }, () => {
    const route = new QueueRoute(name, 3);
    route.add(partOf(name, [1, 1, 1]));
    return route.next();
  });
  expect(firsts.filter((gateway) => gateway === 0)).toHaveLength(2);
  expect(firsts.filter((gateway) => gateway === 1)).toHaveLength(2);
});

const keys = Array.from({ length: 2000 }, (_, i) => mixHash(i * 2654435761));

test('a key has one gateway that has members, whoever had the last turn', () => {
  fc.assert(
    fc.property(counts, fc.nat(0xffffffff), fc.nat(20), (members, key, turn) => {
      const route = routeOf(members, 'q', turn);
      const gateway = route.gatewayOf(key);
      expect(members[gateway]).toBeGreaterThan(0);
      route.next();
      expect(routeOf(members).gatewayOf(key)).toBe(gateway);
      expect(route.gatewayOf(key)).toBe(gateway);
    }),
  );
});

test('without one gateway a key goes to another, and only its keys move', () => {
  fc.assert(
    fc.property(counts, fc.nat(), fc.nat(0xffffffff), (members, which, key) => {
      const route = routeOf(members);
      const except = which % members.length;
      const gateway = route.gatewayOf(key, except);
      if (members.every((count, other) => other === except || count === 0)) expect(gateway).toBe(-1);
      else expect(members[gateway]).toBeGreaterThan(0);
      expect(gateway).not.toBe(except);
      if (route.gatewayOf(key) !== except) expect(gateway).toBe(route.gatewayOf(key));
      // the same as if that gateway had no members at all
      const others = members.map((count, other) => (other === except ? 0 : count));
      if (gateway >= 0) expect(routeOf(others).gatewayOf(key)).toBe(gateway);
    }),
  );
});

test('a member more takes keys, and moves none between the others', () => {
  fc.assert(
    fc.property(counts, fc.nat(), (members, which) => {
      const more = members.map((count, gateway) => (gateway === which % members.length ? count + 1 : count));
      const [before, after] = [routeOf(members), routeOf(more)];
      for (const key of keys.slice(0, 200)) {
        const moved = after.gatewayOf(key);
        if (moved !== before.gatewayOf(key)) expect(moved).toBe(which % members.length);
      }
    }),
  );
});

test('every gateway has the keys of its members', () => {
  const route = routeOf([1, 0, 3, 4]);
  const shares = [0, 0, 0, 0];
  for (const key of keys) shares[route.gatewayOf(key)]! += 8 / keys.length;
  expect(shares[1]).toBe(0);
  for (const [gateway, members] of [1, 0, 3, 4].entries())
    expect(Math.abs(shares[gateway]! - members)).toBeLessThan(0.5);
});
