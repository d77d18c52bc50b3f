import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InFlight } from '../../src/subscriber/inFlight.js';
import type { WorkAnswer } from '../../src/subscriber/workState.js';

// Invariant 23 of docs/INVARIANTS.md.

interface Message {
  readonly bytes: number;
  workingSinceMs: number;
}

interface Known {
  readonly key: number;
  readonly message: Message;
  state: 'working' | 'pausing';
  sinceMs: number;
}

const answers: WorkAnswer[] = ['ack', 'nack', 'nackLater', 'working', 'terminate'];
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ give: fc.nat(50) }) },
  { weight: 3, arbitrary: fc.record({ key: fc.nat(40), answer: fc.constantFrom(...answers) }) },
  { weight: 2, arbitrary: fc.record({ passes: fc.nat(15) }) },
  { weight: 1, arbitrary: fc.record({ prefetch: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.constant('takeAll' as const) },
);

/** What a member has in flight, as plainly as it can be said. */
class Model {
  known: Known[] = [];
  signMs = 0;

  inState(state: Known['state']): Known[] {
    return this.known.filter((each) => each.state === state);
  }

  /** What is worked on before what is held back, each in the order in which that began. */
  get inOrder(): Known[] {
    return [...this.inState('working'), ...this.inState('pausing')];
  }

  move(one: Known, state: Known['state'], nowMs: number): void {
    if (one.state === state) return;
    this.known = [...this.known.filter((other) => other !== one), one];
    one.state = state;
    one.sinceMs = nowMs;
  }

  dueMs(waitMs: number): number {
    const [oldest] = this.inState('working');
    return oldest === undefined ? Number.POSITIVE_INFINITY : Math.max(oldest.sinceMs, this.signMs) + waitMs;
  }
}

test('what is in flight is what was given and has not left it, each leaves it once, and the longest without a sign is due first', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(3), (steps, waiting) => {
      const inFlight = new InFlight<number, Message>(4, 10, ({ bytes }) => bytes);
      const model = new Model();
      let prefetch = 4;
      let last = 0;
      let nowMs = 0;
      const leave = (one: Known) => {
        expect(inFlight.take(one.key)).toBe(one.message);
        expect(inFlight.take(one.key)).toBeUndefined();
        model.known = model.known.filter((other) => other !== one);
      };
      for (const each of steps) {
        if (each === 'takeAll') {
          expect(inFlight.takeAll()).toEqual(model.inOrder.map(({ message }) => message));
          model.known = [];
        } else if ('prefetch' in each) inFlight.prefetch = prefetch = each.prefetch;
        else if ('passes' in each) nowMs += each.passes;
        else if ('give' in each) {
          if (inFlight.room(0, false) === 0) continue;
          const message = { bytes: each.give, workingSinceMs: -1 };
          inFlight.add(++last, message, nowMs);
          model.known.push({ key: last, message, state: 'working', sinceMs: nowMs });
        } else {
          const one = model.known.find(({ key }) => key === each.key);
          expect(inFlight.has(each.key)).toBe(one !== undefined);
          if (one === undefined) continue;
          inFlight.sign(nowMs);
          model.signMs = nowMs;
          const outcome = inFlight.on(each.key, each.answer, nowMs);
          if (each.answer === 'nackLater') model.move(one, 'pausing', nowMs);
          else if (each.answer === 'working') model.move(one, 'working', nowMs);
          else leave(one);
          const expected = {
            ack: 'done',
            nack: 'returned',
            nackLater: 'pausing',
            working: 'working',
            terminate: 'terminated',
          };
          expect(outcome).toBe(expected[each.answer]);
        }
        expect(inFlight.keys).toEqual(model.inOrder.map(({ key }) => key));
        expect(inFlight.oldest).toBe(model.inState('working')[0]?.key);
        expect(inFlight.dueMs).toBe(model.dueMs(10));
        expect([inFlight.count, inFlight.bytes]).toEqual([
          model.known.length,
          model.known.reduce((sum, { message }) => sum + message.bytes, 0),
        ]);
        const used = model.known.length + waiting;
        expect(inFlight.room(waiting, false)).toBe(Math.max(0, prefetch - used));
        expect(inFlight.room(waiting, true)).toBe(used === 0 ? prefetch : 0);
      }
    }),
    { numRuns: 500 },
  );
});
