import fc from 'fast-check';
import { expect, test } from 'vitest';
import { durableAnswerMs, healthTickMs } from '../../src/base/limits.js';
import { DurableInFlight } from '../../src/gateway/durables/durableInFlight.js';
import type { DurableReader } from '../../src/gateway/durables/durableReader.js';
import type { OutgoingRequest } from '../../src/gateway/durables/outgoing.js';
import { NoAnswerError, Questions } from '../../src/gateway/durables/questions.js';

// Invariant 54 of docs/INVARIANTS.md.

const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), sequence: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ kind: fc.constantFrom('take' as const, 'renew' as const), delivery: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(70) }),
);

test('what is in flight is known by its delivery and its sequence, and the time of each begins with its last sign', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 5 }), (steps, prefetch) => {
      const inFlight = new DurableInFlight(prefetch, 50);
      const model = new Map<number, { sequence: number; sinceMs: number }>();
      let [nowMs, last] = [1000, 0];
      for (const each of steps) {
        if (each.kind === 'add') {
          const earlier = [...model].find(([, { sequence }]) => sequence === each.sequence)?.[0] ?? 0;
          expect(inFlight.earlierOf(each.sequence)).toBe(earlier);
          // it takes the place of the one that came before
          if (earlier !== 0) expect(inFlight.take(earlier)?.sequence).toBe(each.sequence);
          model.delete(earlier);
          inFlight.add(++last, { sequence: each.sequence, consumerSequence: last, deliveries: 1 }, nowMs);
          model.set(last, { sequence: each.sequence, sinceMs: nowMs });
        } else if (each.kind === 'pass') {
          nowMs += each.ms;
          for (let due = inFlight.overdue(nowMs); due !== 0; due = inFlight.overdue(nowMs)) {
            expect(model.get(due)!.sinceMs).toBeLessThanOrEqual(nowMs - 50);
            inFlight.take(due);
            model.delete(due);
          }
        } else {
          const known = model.get(each.delivery);
          const found = each.kind === 'take' ? inFlight.take(each.delivery) : inFlight.renew(each.delivery, nowMs);
          expect(found?.sequence).toBe(known?.sequence);
          if (each.kind === 'take') model.delete(each.delivery);
          else if (known !== undefined) {
            model.delete(each.delivery);
            model.set(each.delivery, { ...known, sinceMs: nowMs });
          }
        }
        const oldestMs = Math.min(...[...model.values()].map(({ sinceMs }) => sinceMs + 50));
        expect([inFlight.deliveries, inFlight.size, inFlight.room, inFlight.dueMs]).toEqual([
          [...model.keys()],
          model.size,
          Math.max(0, prefetch - model.size),
          oldestMs,
        ]);
        expect(oldestMs).toBeGreaterThan(nowMs);
      }
    }),
  );
});

function questions() {
  const posted: OutgoingRequest[] = [];
  const clock = { nowMs: 1000 };
  const asking = new Questions(
    (request) => void posted.push(request),
    () => {},
    () => clock.nowMs,
  );
  const reader = (inbox: string) => ({ inbox, subscription: { connection: {} } }) as unknown as DurableReader;
  return { asking, posted, clock, reader };
}

test('a question is answered once, by its own answer; who asks knows why there is none', async () => {
  const { asking, posted, reader } = questions();
  const [one, other] = [reader('_INBOX.1.'), reader('_INBOX.2.')];
  const first = asking.ask(one, 'a', 'x', true);
  const second = asking.ask(one, 'b', 'y', false);
  const third = asking.ask(other, 'c', 'z', false);
  expect(posted.map(({ subject, reply, needsRight }) => [subject, reply, needsRight])).toEqual([
    ['a', `_INBOX.1.${first.token}`, true],
    ['b', `_INBOX.1.${second.token}`, false],
    ['c', `_INBOX.2.${third.token}`, false],
  ]);
  asking.answer(other, first.token, Buffer.from('not its own'));
  asking.answer(one, first.token, Buffer.from('yes'));
  asking.answer(one, first.token, Buffer.from('again'));
  asking.refuse(one, first.token, 'too late');
  expect(await first.answer).toBe('yes');
  posted[1]!.onRefused('nobody answers for streams');
  await expect(second.answer).rejects.toThrow('nobody answers for streams');
  asking.end(one);
  expect(asking.size).toBe(1);
  asking.end(other);
  await expect(third.answer).rejects.toBeInstanceOf(NoAnswerError);
  expect(asking.size).toBe(0);
});

test('what is not answered in its time never is', async () => {
  const { asking, clock, reader } = questions();
  const one = reader('_INBOX.1.');
  const early = asking.ask(one, 'a', '', true);
  clock.nowMs += durableAnswerMs / 2;
  const late = asking.ask(one, 'b', '', true);
  clock.nowMs += durableAnswerMs / 2 - 1;
  asking.doWork();
  expect(asking.size).toBe(2);
  clock.nowMs += 2 * healthTickMs;
  asking.doWork();
  await expect(early.answer).rejects.toThrow('no answer within');
  asking.answer(one, early.token, Buffer.from('late'));
  expect(asking.size).toBe(1);
  asking.answer(one, late.token, Buffer.from('in time'));
  expect(await late.answer).toBe('in time');
});
