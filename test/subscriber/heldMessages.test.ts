import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageView } from '../../src/base/messageView.js';
import { type HeldMessage, HeldMessages } from '../../src/subscriber/heldMessages.js';
import { messageOf } from '../gateway/messages.js';

// Invariant 23 of docs/INVARIANTS.md, where it is about what waits.

function textOf(held: HeldMessages<string>, message: HeldMessage<string>): string {
  const view = new MessageView();
  held.show(message, view);
  expect(view.work).toBe(true);
  return Buffer.from(view.bytes.subarray(view.starts[0], view.ends[0])).toString();
}

test('what is kept is shown as it came, whatever else is kept and released', () => {
  const step = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 40_000, size: 'max' }), fc.nat(100));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const held = new HeldMessages<string>();
      const model: { text: string; message: HeldMessage<string> }[] = [];
      for (const each of steps) {
        if (typeof each === 'string') model.push({ text: each, message: held.keep('t', messageOf(each), 0) });
        else {
          const [gone] = model.splice(each % Math.max(1, model.length), 1);
          if (gone !== undefined) held.release(gone.message);
        }
        for (const { text, message } of model) expect(textOf(held, message)).toBe(text);
        expect([held.count, held.heldBytes > 0]).toEqual([model.length, model.length > 0]);
      }
    }),
    { numRuns: 50 },
  );
});

test('messages take about what they are counted as', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = async (): Promise<number> => {
    // what is freed of buffers is so only in a later turn
    for (let i = 0; i < 3; i++) {
      collect();
      await setImmediate();
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const message = messageOf('.'.repeat(100));
  const held = new HeldMessages<string>();
  const messages: unknown[] = new Array(100_000).fill(null);
  const before = await used();
  for (let i = 0; i < messages.length; i++) messages[i] = held.keep('t', message, 0);
  const taken = (await used()) - before;
  expect(messages.includes(null)).toBe(false);
  expect(held.heldBytes / taken).toBeGreaterThan(0.8);
  expect(held.heldBytes / taken).toBeLessThan(1.4);
});
