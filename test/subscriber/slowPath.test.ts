import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SlowEvent, SlowPath, slowStateAfter } from '../../src/subscriber/slowPath.js';

// Invariant 18 of docs/INVARIANTS.md.

const events = fc.array(fc.constantFrom<SlowEvent>('notTaken', 'paced', 'caughtUp'), { maxLength: 30 });

test('one lags from what it did not take until it has caught up, whatever else happens', () => {
  fc.assert(
    fc.property(events, (happened) => {
      const path = new SlowPath();
      for (const [i, event] of happened.entries()) {
        const before = path.lagging;
        const changed = path.on(event);
        // the last event alone says where it is: the plainest model there is
        expect(path.lagging).toBe(happened[i] !== 'caughtUp');
        expect(changed).toBe(path.lagging !== before);
      }
    }),
  );
});

test('the table has no way out of a state but the named one', () => {
  expect(slowStateAfter('current', 'caughtUp')).toBe('current');
  expect(slowStateAfter('lagging', 'notTaken')).toBe('lagging');
  expect(slowStateAfter('lagging', 'paced')).toBe('lagging');
});
