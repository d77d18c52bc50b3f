import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeKernelBytes } from '../../src/base/kernel.js';
import { runMessagesMax } from '../../src/base/limits.js';
import { MessageView, positionBytes } from '../../src/base/messageView.js';

const ofKernel = new MessageView(takeKernelBytes(positionBytes) as Uint8Array);
const lengths = fc.array(fc.nat(100_000), { minLength: 1, maxLength: runMessagesMax });

test.each([
  ["in the kernel's memory", ofKernel],
  ['outside of it', new MessageView()],
])('the messages of a run have together what each of them has: %s', (_, view) => {
  fc.assert(
    fc.property(lengths, fc.nat(runMessagesMax), (all, cut) => {
      let at = 0;
      all.forEach((length, i) => {
        view.starts[i] = at;
        at += length;
        view.ends[i] = at;
        at += 7;
      });
      const some = Math.min(cut, all.length);
      expect(view.messageBytes(some)).toBe(all.slice(0, some).reduce((sum, length) => sum + length, 0));
    }),
  );
  expect(ofKernel.positionsAddress).toBeGreaterThanOrEqual(0);
});
