import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Due, DueList } from '../../src/base/dueList.js';

// Invariant 23 of docs/INVARIANTS.md.

class Thing implements Due {
  dueTick = 0;
}

const which = fc.nat(5);
const step = fc.oneof(
  fc.record({ put: which, inMs: fc.integer({ min: -20, max: 60 }) }),
  fc.record({ remove: which }),
  fc.record({ passes: fc.nat(40) }),
);

test('what is due comes once, never early and not a tick too late, and what was removed or put off does not', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const tickMs = 10;
      const list = new DueList<Thing>(tickMs);
      const things = Array.from({ length: 6 }, () => new Thing());
      const model = new Map<Thing, number>();
      let nowMs = 100;
      for (const each of steps) {
        if ('put' in each) {
          list.put(things[each.put]!, nowMs + each.inMs);
          model.set(things[each.put]!, nowMs + Math.max(0, each.inMs));
        } else if ('remove' in each) {
          list.remove(things[each.remove]!);
          model.delete(things[each.remove]!);
        } else {
          nowMs += each.passes;
          for (let due = list.next(nowMs); due !== null; due = list.next(nowMs)) {
            expect(model.get(due)).toBeLessThanOrEqual(nowMs);
            model.delete(due);
          }
          for (const dueMs of model.values()) expect(dueMs).toBeGreaterThan(nowMs - 2 * tickMs);
        }
        expect(list.size).toBe(model.size);
      }
    }),
    { numRuns: 500 },
  );
});
