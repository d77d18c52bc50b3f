import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pacedBytesMax, pacedPingBytes } from '../../src/base/limits.js';
import { Pacing } from '../../src/gateway/policies/pacing.js';

// Invariant 22 of docs/INVARIANTS.md.

/** A client that reads now and then: what it has not read is what the pacing bounds. */
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ send: fc.integer({ min: 1, max: 3 * pacedPingBytes }) }) },
    { weight: 1, arbitrary: fc.constant('answer' as const) },
  ),
  { maxLength: 200 },
);

test('no more is under way than the bound and one delivery, and what was answered for may be sent again', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const pacing = new Pacing(0);
      /** Bytes before each PING that the client has not come to, and since the last one. */
      const ahead: number[] = [];
      let since = 0;
      for (const step of all) {
        if (step === 'answer') {
          pacing.answered(0);
          ahead.shift();
        } else if (pacing.roomBytes > 0) {
          since += step.send;
          if (pacing.sent(step.send)) {
            ahead.push(since);
            since = 0;
          }
        }
        const unread = ahead.reduce((sum, bytes) => sum + bytes, since);
        expect(pacing.roomBytes).toBe(Math.max(0, pacedBytesMax - unread));
        expect(pacing.unanswered).toBe(ahead.length);
        // whoever has no room will be asked for an answer that makes some
        expect(since).toBeLessThan(pacedPingBytes);
        expect(pacing.roomBytes > 0 || pacing.unanswered > 0).toBe(true);
      }
    }),
  );
});
