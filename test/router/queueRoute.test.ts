import fc from 'fast-check';
import { expect, test } from 'vitest';
import { QueueName } from '../../src/router/queueNames.js';
import { QueueRoute } from '../../src/router/topic.js';

const counts = fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }).filter((all) => all.some((count) => count > 0));

function routeOf(members: readonly number[], turn = 0): QueueRoute {
  const name = new QueueName('q', 0, 1);
  name.turn = turn;
  const route = new QueueRoute(name, members.length);
  route.add(Int32Array.from(members));
  return route;
}

test('in a round every gateway has as many turns as members, wherever the round begins', () => {
  fc.assert(
    fc.property(counts, fc.nat(1000), (members, turn) => {
      const route = routeOf(members, turn);
      const turns = members.map(() => 0);
      for (let i = 0; i < 3 * route.total; i++) turns[route.next()]!++;
      expect(turns).toEqual(members.map((count) => 3 * count));
    }),
  );
});

test('the next but one is never that one, and none only when no other has a member', () => {
  fc.assert(
    fc.property(counts, fc.nat(), fc.nat(20), (members, which, turn) => {
      const route = routeOf(members, turn);
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

test('topics of one group begin with different members', () => {
  const name = new QueueName('q', 0, 1);
  const firsts = Array.from({ length: 6 }, () => {
    const route = new QueueRoute(name, 3);
    route.add(Int32Array.of(1, 1, 1));
    return route.next();
  });
  expect(firsts.filter((gateway) => gateway === 0)).toHaveLength(2);
  expect(firsts.filter((gateway) => gateway === 1)).toHaveLength(2);
});
