import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Outbox, OutboxRecord } from '../../src/exchange/outbox.js';

// Invariant 4 of docs/INVARIANTS.md.

test('an outbox is a queue, however many leave and come', () => {
  const steps = fc.array(fc.record({ add: fc.nat(700), remove: fc.nat(700) }), { maxLength: 12 });
  fc.assert(
    fc.property(steps, (rounds) => {
      const outbox = new Outbox();
      const model: OutboxRecord[] = [];
      for (const { add, remove } of rounds) {
        for (let i = 0; i < add; i++) {
          const record = new OutboxRecord(4);
          outbox.add(record);
          model.push(record);
        }
        for (let i = 0; i < Math.min(remove, model.length); i++) {
          expect(outbox.first).toBe(model.shift());
          outbox.removeFirst();
        }
        expect(outbox.empty).toBe(model.length === 0);
        expect(outbox.first).toBe(model[0] ?? null);
      }
    }),
    { numRuns: 50 },
  );
});

test('a record grows and keeps what it holds', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }),
      fc.integer({ min: 2, max: 128 }),
      (words, max) => {
        const record = new OutboxRecord(4);
        record.words[0] = -1;
        let used = 1;
        for (const more of words) {
          record.extend(more * 4, max * 4);
          record.words.fill(more, used, used + more);
          used += more;
        }
        expect(record.lengthBytes).toBe(used * 4);
        expect([...record.words.subarray(0, used)]).toEqual([-1, ...words.flatMap((more) => Array(more).fill(more))]);
      },
    ),
  );
});
