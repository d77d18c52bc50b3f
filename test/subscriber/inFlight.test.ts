import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InFlight } from '../../src/subscriber/inFlight.js';

// Invariant 23 of docs/INVARIANTS.md.

interface Message {
  readonly bytes: number;
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ give: fc.nat(50) }) },
  { weight: 3, arbitrary: fc.record({ acknowledge: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ prefetch: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.constant('takeAll' as const) },
);

test('what is in hand is what was given and not acknowledged, oldest first, and each is acknowledged once', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(3), (steps, waiting) => {
      const inFlight = new InFlight<number, Message>(4, ({ bytes }) => bytes);
      let model: { key: number; message: Message }[] = [];
      let prefetch = 4;
      let last = 0;
      for (const each of steps) {
        if (each === 'takeAll') {
          expect(inFlight.takeAll()).toEqual(model.map(({ message }) => message));
          model = [];
        } else if ('prefetch' in each) inFlight.prefetch = prefetch = each.prefetch;
        else if ('give' in each) {
          if (inFlight.room(0, false) === 0) continue;
          const message = { bytes: each.give };
          inFlight.add(++last, message);
          model.push({ key: last, message });
        } else {
          const known = model.find(({ key }) => key === each.acknowledge);
          expect(inFlight.take(each.acknowledge)).toBe(known?.message);
          model = model.filter((other) => other !== known);
        }
        expect([...inFlight.keys]).toEqual(model.map(({ key }) => key));
        expect([inFlight.count, inFlight.bytes]).toEqual([
          model.length,
          model.reduce((sum, { message }) => sum + message.bytes, 0),
        ]);
        const used = model.length + waiting;
        expect(inFlight.room(waiting, false)).toBe(Math.max(0, prefetch - used));
        expect(inFlight.room(waiting, true)).toBe(used === 0 ? prefetch : 0);
      }
    }),
    { numRuns: 500 },
  );
});
