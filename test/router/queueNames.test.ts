import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type QueueName, QueueNames } from '../../src/router/queueNames.js';

test('names in use have slots of their own, dense, and serials that never come back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('q', 'r', 's', 't'), fc.boolean()), { maxLength: 60 }), (steps) => {
      const names = new QueueNames();
      const held: QueueName[] = [];
      const slotsBySerial = new Map<number, string>();
      let most = 0;
      for (const [text, acquire] of steps) {
        if (acquire) {
          const name = names.acquire(text);
          held.push(name);
          const known = slotsBySerial.get(name.serial) ?? `${name.slot} ${text}`;
          expect(known).toBe(`${name.slot} ${text}`);
          slotsBySerial.set(name.serial, known);
        } else {
          const at = held.findIndex((name) => name.text === text);
          if (at >= 0) names.release(held.splice(at, 1)[0]!);
        }
        const alive = new Set(held);
        most = Math.max(most, alive.size);
        expect(names.size).toBe(alive.size);
        expect(new Set([...alive].map((name) => name.slot)).size).toBe(alive.size);
        for (const name of alive) {
          expect(names.find(name.text)).toBe(name);
          expect(name.slot).toBeLessThan(most);
        }
      }
    }),
  );
});
