import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Audience } from '../../src/gateway/audience.js';
import { PlanEntry } from '../../src/gateway/fanoutPlan.js';
import { Unsettled } from '../../src/gateway/unsettled.js';
import { idleConnection, subscribed } from './connections.js';

// Invariant 25 of docs/INVARIANTS.md.

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      entry: fc.nat(4),
      messages: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retire' as const), entry: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
);

test('every subscription has been counted what it was delivered, and only entries that delivered something are looked at', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const unsettled = new Unsettled();
      const connection = idleConnection(1);
      const entries = Array.from({ length: 5 }, (_, i) => {
        const subscriptions = Array.from({ length: i + 1 }, (_, k) => subscribed(connection, 'a', `${i}.${k}`));
        return new PlanEntry(new Audience([connection]), [], false, subscriptions);
      });
      const delivered = [0, 0, 0, 0, 0];
      const fresh = new Set<number>();
      for (const next of [...steps, { do: 'settle' as const }]) {
        if (next.do === 'deliver') {
          entries[next.entry]!.count(next.messages, unsettled);
          delivered[next.entry]! += next.messages;
          fresh.add(next.entry);
        } else if (next.do === 'retire') {
          entries[next.entry]!.settle();
          fresh.delete(next.entry);
        } else {
          expect(unsettled.settle()).toBe([...fresh].reduce((sum, entry) => sum + entry + 1, 0));
          fresh.clear();
          for (const [i, { subscriptions }] of entries.entries())
            for (const subscription of subscriptions) expect(subscription.delivered).toBe(delivered[i]);
        }
      }
    }),
  );
});
