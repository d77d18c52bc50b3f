import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planAheadMaxMs } from '../../src/base/limits.js';
import { Span } from '../../src/base/span.js';
import { PlansAhead } from '../../src/router/plansAhead.js';
import type { Topic } from '../../src/router/topic.js';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

// Invariant 39 of docs/INVARIANTS.md.

const threads = 3;
const crowd = 5_000;
const subject = 'a.b';

/** Threads that hear of each other when the test says so. */
class Threads {
  nowMs = 0;
  /** What is on its way, by who is to hear it; in order. */
  readonly inboxes: (() => void)[][] = Array.from({ length: threads }, () => []);
  readonly all = Array.from({ length: threads }, (_, self) => {
    const { router } = new RouterUnderTest(self, threads);
    router.ahead = new PlansAhead(
      router.plannings,
      {
        ask: (...asked) => {
          this.#others(self, (other) => this.all[other]!.onPlanAsked(self, ...asked));
          return threads - 1;
        },
        answer: (endpoint, number) => this.inboxes[endpoint]!.push(() => this.all[endpoint]!.ahead!.onMade(number)),
      },
      () => this.nowMs,
    );
    for (let i = 0; i < crowd; i++) router.interest.addLocal(subscriptionTo(subject, ''));
    router.work.limit = 1e9;
    return router;
  });

  #others(self: number, tell: (other: number) => void): void {
    for (const [other, inbox] of this.inboxes.entries()) if (other !== self) inbox.push(() => tell(other));
  }

  topic(thread: number): Topic {
    const bytes = Buffer.from(subject);
    return this.all[thread]!.topics.obtain(new Span(bytes), 0, bytes.length);
  }

  hear(thread: number): void {
    for (const tell of this.inboxes[thread]!.splice(0)) tell();
  }

  turn(thread: number): void {
    const router = this.all[thread]!;
    router.work.nextTurn();
    router.plannings.doWork();
  }

  /** Whether a publisher of the thread may go on. */
  goes(thread: number): boolean {
    const { ahead } = this.all[thread]!;
    const topic = this.topic(thread);
    if (this.all[thread]!.ready(topic) && !ahead!.has(topic)) return true;
    ahead!.ask(topic);
    return false;
  }
}

const step = fc.record({ thread: fc.nat(threads - 1), does: fc.constantFrom('turn', 'hear', 'publish') });

test('nothing is published to a topic that very many take before it is planned on every thread, whoever begins', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const threadsNow = new Threads();
      const went = new Set<number>();
      const publish = (thread: number) => {
        if (!threadsNow.goes(thread)) return;
        went.add(thread);
        for (const [other, router] of threadsNow.all.entries())
          expect(router.isFresh(threadsNow.topic(other)), `${thread} before ${other}`).toBe(true);
      };
      for (const { thread, does } of steps) {
        if (does === 'turn') threadsNow.turn(thread);
        else if (does === 'hear') threadsNow.hear(thread);
        else publish(thread);
      }
      for (let rounds = 0; went.size < threads; rounds++) {
        expect(rounds).toBeLessThan(100);
        for (let thread = 0; thread < threads; thread++) {
          threadsNow.hear(thread);
          publish(thread);
          threadsNow.turn(thread);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('a publisher waits for other threads no longer than it may, and for none that it need not ask', () => {
  const threadsNow = new Threads();
  const plan = (thread: number) => {
    for (let turns = 0; turns < 50; turns++) threadsNow.turn(thread);
  };
  expect(threadsNow.goes(0)).toBe(false);
  plan(0);
  expect(threadsNow.goes(0)).toBe(false);
  threadsNow.nowMs = planAheadMaxMs + 1;
  expect(threadsNow.goes(0)).toBe(true);
  // what is planned is not asked for again
  expect(threadsNow.inboxes.map((inbox) => inbox.length)).toEqual([0, 1, 1]);
  expect(threadsNow.goes(0)).toBe(true);
  threadsNow.hear(1);
  plan(1);
  threadsNow.hear(0);
  expect(threadsNow.goes(0)).toBe(true);
});
