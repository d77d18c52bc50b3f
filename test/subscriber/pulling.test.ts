import fc from 'fast-check';
import { expect, test } from 'vitest';
import { durablePullBytes, durablePullMs } from '../../src/base/limits.js';
import { readAck } from '../../src/protocol/ackMessage.js';
import { nsPerMs } from '../../src/protocol/streamApi/storedReading.js';
import { answerText, isPullToken, Pulling } from '../../src/subscriber/pulling.js';

// Invariant 54 of docs/INVARIANTS.md.

const asked = (body: string) => JSON.parse(body) as { batch: number; expires: number; max_bytes?: number };
/** What ends a request, and what follows. */
const ends = [
  [408, 'Request Timeout', 'again'],
  [409, 'Message Size Exceeds MaxBytes', 'again'],
  [409, 'Batch Completed', 'again'],
  [409, 'Exceeded MaxWaiting', 'later'],
  [409, 'Server Shutdown', 'later'],
  [409, 'Consumer Deleted', 'lost'],
  [503, '', 'lost'],
] as const;

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('ask' as const), room: fc.integer({ min: -1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('message' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('status' as const), end: fc.nat(ends.length - 1), old: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('heartbeat' as const) }) },
);

test('one request is under way, for as much as there is room for; what another one is told means nothing', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 7), (steps, max_batch) => {
      const pulling = new Pulling({ max_batch });
      let left = 0;
      let token = '';
      let isLong = false;
      const tokens = new Set<string>();
      for (const each of steps) {
        if (each.kind === 'ask') {
          const pull = pulling.ask(each.room);
          expect(pull !== null).toBe(left === 0 && each.room > 0);
          if (pull !== null) {
            left = isLong ? 1 : Math.min(each.room, max_batch || each.room);
            token = pull.token;
            expect(asked(pull.body)).toEqual({
              batch: left,
              expires: durablePullMs * nsPerMs,
              ...(isLong ? {} : { max_bytes: durablePullBytes }),
            });
            expect(isPullToken(token) && !tokens.has(token)).toBe(true);
            tokens.add(token);
          }
        } else if (each.kind === 'message') {
          pulling.onMessage();
          left = Math.max(0, left - 1);
          isLong = false;
        } else if (each.kind === 'heartbeat') expect(pulling.onStatus(token, 100, 'Idle Heartbeat')).toBe('ignored');
        else if (each.old || token === '') expect(pulling.onStatus('p0.5', 408, 'Request Timeout')).toBe('ignored');
        else {
          const [code, text, fate] = ends[each.end]!;
          expect(pulling.onStatus(token, code, text)).toBe(fate);
          left = 0;
          isLong = text === 'Message Size Exceeds MaxBytes';
        }
        expect(pulling.left).toBe(left);
      }
    }),
    { numRuns: 500 },
  );
});

test('a consumer that lets nobody wait for long is asked for no longer', () => {
  expect(asked(new Pulling({ max_expires: 5 * nsPerMs }).ask(1)!.body).expires).toBe(5 * nsPerMs);
  expect(asked(new Pulling({ max_expires: 2 * durablePullMs * nsPerMs }).ask(1)!.body).expires).toBe(
    durablePullMs * nsPerMs,
  );
});

test.each([
  ['ack', 0, { verdict: 'ack' }],
  ['nack', 0, { verdict: 'nak', delayMs: null }],
  ['nackLater', 1500, { verdict: 'nak', delayMs: 1500 }],
  ['working', 0, { verdict: 'progress' }],
  ['terminate', 0, { verdict: 'term' }],
] as const)('%s is read as it is said', (answer, delayMs, ack) => {
  expect(readAck(answerText(answer, delayMs))).toMatchObject(ack);
});
