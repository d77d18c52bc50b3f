import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FanoutPlan } from '../../src/gateway/fanoutPlan.js';
import { Looks } from '../../src/gateway/looks.js';
import { RouterUnderTest } from '../router/brokerModel.js';
import { idleConnection, planOf, subscribed } from './connections.js';

// Invariant 25 of docs/INVARIANTS.md.

const change = fc.record({ connection: fc.nat(3), ends: fc.boolean() });
const membership = fc.record({
  connection: fc.nat(3),
  queue: fc.constantFrom('', '', 'q'),
  maxMessages: fc.constantFrom(0, 0, 5),
});

test('a plan holds exactly until one of its own connections looks different, and shows none that has ended', () => {
  fc.assert(
    fc.property(fc.array(membership, { maxLength: 6 }), fc.array(change, { maxLength: 6 }), (members, changes) => {
      const under = new RouterUnderTest(0, 1);
      const looks = new Looks();
      const connections = [1, 2, 3, 4].map((id) => idleConnection(id));
      // each has something else too: whoever has nothing changes nothing
      for (const connection of connections) subscribed(connection, 'other', 'other');
      for (const [i, { connection, queue, maxMessages }] of members.entries()) {
        const one = subscribed(connections[connection]!, 'a.b', String(i), queue);
        one.maxMessages = maxMessages;
        under.router.interest.addLocal(one);
      }
      const planAnew = () => planOf(under.topic('a.b'), looks);
      const included = (plan: FanoutPlan) =>
        new Set([
          ...plan.entries.flatMap(({ audience }) => audience.members),
          ...plan.limited.map(({ subscription }) => subscription.connection),
          ...[...plan.queues.values()].flatMap((queue) => queue.members.map((member) => member.connection)),
        ]);
      let plan = planAnew();
      for (const { connection: which, ends } of changes) {
        const connection = connections[which]!;
        const concerned = included(plan).has(connection);
        looks.change(connection);
        if (ends && connection.state === 'open') connection.enter('closed', 'test');
        expect(plan.isCurrent(looks)).toBe(!concerned);
        expect(plan.isCurrent(looks)).toBe(!concerned);
        if (concerned) plan = planAnew();
        for (const each of included(plan)) expect(each.state).toBe('open');
      }
    }),
  );
});
