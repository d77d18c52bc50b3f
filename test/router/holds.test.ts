import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { demand } from '../../src/base/demand.js';
import { fullness } from '../../src/base/fullness.js';
import { blockWindowMs, holdSliceMs, lagBudget } from '../../src/base/limits.js';
import { type Hold, type Holds, Waiter } from '../../src/router/holds.js';
import type { Topic } from '../../src/router/topic.js';
import { RouterUnderTest } from './brokerModel.js';

// Invariants 31 and 32 of docs/INVARIANTS.md.

const blockMaxMs = 2_000;
let nowMs: number;
let under: RouterUnderTest;
let holds: Holds;
let spent: string[];

beforeEach(() => begin());

function begin(): void {
  nowMs = 1_000;
  under = new RouterUnderTest(0, 3, 'topic', () => nowMs);
  holds = under.router.holds;
  holds.blockMaxMs = blockMaxMs;
  spent = [];
  holds.onSpent = ({ text }) => spent.push(text);
}

/** A topic that the other endpoints want. */
function topicOf(subject: string, ...patterns: string[]): Topic {
  for (const pattern of [subject, ...patterns]) under.router.interest.setPlain(pattern, 1, demand.all);
  return under.topic(subject);
}

/** Asks until it goes, looking again when it is due; returns how long that took. */
function wait(topic: Topic, waiter: Waiter, mostMs = 100_000): number {
  const startMs = nowMs;
  while (holds.active > 0 && holds.ask(topic, waiter, true) === 'waits' && nowMs - startMs < mostMs) {
    nowMs = Math.min(holds.dueMs, startMs + mostMs);
    holds.dueMs = Number.POSITIVE_INFINITY;
  }
  return nowMs - startMs;
}

test('publishers wait for a client that blocks no longer than they may, and those that block are told', () => {
  const topic = topicOf('a');
  holds.setFull('a', 1, fullness.blocked);
  expect(wait(topic, new Waiter())).toBe(blockMaxMs);
  expect(spent).toEqual(['a']);
  // whoever comes then: another publisher, another that blocks
  holds.setFull('a', 2, fullness.blocked);
  expect(wait(topic, new Waiter())).toBe(0);
  expect(spent).toEqual(['a', 'a']);
  nowMs += blockWindowMs * 2;
  expect(wait(topic, new Waiter())).toBe(blockMaxMs);
});

test('a publisher of many topics waits no longer than one of a single topic', () => {
  const waiter = new Waiter();
  let waitedMs = 0;
  for (let i = 0; i < 1_000; i++) {
    const topic = topicOf(`a.${i}`);
    holds.setFull(topic.text, 1, fullness.blocked);
    waitedMs += wait(topic, waiter);
  }
  expect(waitedMs).toBe(blockMaxMs);
});

test('with a whole minute there is no limit, with nothing nobody waits', () => {
  const topic = topicOf('a');
  holds.setFull('a', 1, fullness.blocked);
  holds.blockMaxMs = 0;
  expect(wait(topic, new Waiter())).toBe(0);
  holds.blockMaxMs = blockWindowMs;
  expect(wait(topic, new Waiter(), 1_000_000)).toBe(1_000_000);
});

test('for those of the process itself publishers wait without limit', () => {
  const topic = topicOf('a');
  holds.setFull('a', 1, fullness.held);
  expect(wait(topic, new Waiter(), 1_000_000)).toBe(1_000_000);
  expect(spent).toEqual([]);
});

test('for one that lags publishers wait in short pieces, of all topics that it takes and of no others', () => {
  const one = topicOf('a.b', 'a.>');
  const other = topicOf('a.c', 'a.>');
  const none = topicOf('b');
  holds.setLagging('a.>', 1, true);
  const waiter = new Waiter();
  for (let i = 0; i < 10; i++) expect(wait(i % 2 === 0 ? one : other, waiter)).toBe(holdSliceMs);
  expect(holds.ask(none, waiter, true)).toBe('goes');
  holds.setLagging('a.>', 1, false);
  expect(holds.active).toBe(0);
});

test('one that a budget has run out for waits for nobody else on that account', () => {
  const topic = topicOf('a');
  const waiter = new Waiter();
  holds.setLagging('a', 1, true);
  let waitedMs = 0;
  for (let i = 0; i < 1_000; i++) waitedMs += wait(topic, waiter);
  expect(waitedMs).toBe(lagBudget.maxMs);
  // but for a client that blocks: that is another budget
  holds.setFull('a', 2, fullness.blocked);
  expect(wait(topic, waiter)).toBe(blockMaxMs);
});

test('while all subscribers are full nobody pays for waiting', () => {
  const topic = topicOf('a');
  const waiter = new Waiter();
  holds.setLagging('a', 1, true);
  holds.setFull('a', 1, fullness.full);
  expect(wait(topic, waiter, 100_000)).toBe(100_000);
  holds.setFull('a', 1, fullness.ready);
  let waitedMs = 0;
  for (let i = 0; i < 1_000; i++) waitedMs += wait(topic, waiter);
  expect(waitedMs).toBe(lagBudget.maxMs);
});

test('who only looks in is charged for the moment, not for the time it stayed away', () => {
  const topic = topicOf('a');
  const waiter = new Waiter();
  holds.setFull('a', 1, fullness.blocked);
  let asked = 0;
  for (; holds.ask(topic, waiter, false) === 'waits'; asked++) nowMs += 100;
  expect(asked).toBe(blockMaxMs / holdSliceMs);
});

test('a publisher that has gone waits for nothing', () => {
  const topic = topicOf('a');
  const waiter = new Waiter();
  holds.setFull('a', 1, fullness.blocked);
  expect(holds.ask(topic, waiter, true)).toBe('waits');
  holds.setFull('a', 1, fullness.ready);
  expect(holds.active).toBe(1);
  holds.forget(waiter);
  expect(holds.active).toBe(0);
});

test('an endpoint that has gone holds nobody up, and one that comes late is told who does', () => {
  const topic = topicOf('a');
  holds.setFull('a', 1, fullness.blocked);
  holds.setLagging('a', 1, true);
  holds.setFull('b', 0, fullness.full);
  holds.setLagging('c.*', 0, true);
  const told: unknown[] = [];
  holds.replay({ topicFull: (...full) => told.push(full), lagging: (...lags) => told.push(lags) });
  expect(told).toEqual([
    ['b', fullness.full],
    ['c.*', true],
  ]);
  under.router.dropGateway(1);
  holds.setFull('b', 0, fullness.ready);
  holds.setLagging('c.*', 0, false);
  expect(holds.active).toBe(0);
  expect(topic.endpointsFull).toBe(null);
});

test('what a group drops goes to the others, and is told to who asks', () => {
  const topic = topicOf('a');
  const waiter = new Waiter();
  const outcomes: Hold[] = [];
  for (const state of [fullness.dropping, fullness.blocked, fullness.dropping, fullness.ready]) {
    holds.setFull('a', 1, state);
    outcomes.push(holds.active === 0 ? 'goes' : holds.ask(topic, waiter, true));
  }
  expect(outcomes).toEqual(['drops', 'waits', 'drops', 'goes']);
});

/** One step of time, in which somebody may begin or end to hold publishers up. */
const step = fc.record({
  ms: fc.integer({ min: 1, max: 2_000 }),
  endpoint: fc.integer({ min: 1, max: 2 }),
  topic: fc.integer({ min: 0, max: 2 }),
  change: fc.constantFrom('block', 'unblock', 'lag', 'catch up', 'pattern lags', 'pattern catches up'),
});

describe('whoever holds up, comes and goes', () => {
  test.each(['topic', 'publisher'] as const)('no %s waits longer in any window than it may', (who) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 100 }), (steps) => {
        begin();
        const topics = [0, 1, 2].map((i) => topicOf(`a.${i}`, 'a.*'));
        const waiter = new Waiter();
        const waits: { startMs: number; endMs: number }[] = [];
        for (const { ms, endpoint, topic, change } of steps) {
          const subject = `a.${topic}`;
          if (change === 'block') holds.setFull(subject, endpoint, fullness.blocked);
          else if (change === 'unblock') holds.setFull(subject, endpoint, fullness.ready);
          else if (change === 'lag' || change === 'catch up') holds.setLagging(subject, endpoint, change === 'lag');
          else holds.setLagging('a.*', endpoint, change === 'pattern lags');
          const endMs = nowMs + ms;
          for (let turn = 0; nowMs < endMs; turn++) {
            const startMs = nowMs;
            // of a publisher the topics change, of a topic the publishers
            const one = who === 'publisher' ? (topics[turn % 3] as Topic) : (topics[0] as Topic);
            const by = who === 'publisher' ? waiter : new Waiter();
            wait(one, by, endMs - nowMs);
            holds.forget(by);
            if (nowMs > startMs) waits.push({ startMs, endMs: nowMs });
            nowMs += 9;
          }
        }
        for (const { endMs } of waits)
          for (const windowMs of [lagBudget.windowMs, blockWindowMs]) {
            const inWindow = waits.reduce(
              (sum, span) => sum + Math.max(0, Math.min(span.endMs, endMs) - Math.max(span.startMs, endMs - windowMs)),
              0,
            );
            const lagMaxMs = (lagBudget.maxMs * windowMs) / lagBudget.windowMs;
            expect(inWindow).toBeLessThanOrEqual(blockMaxMs + lagMaxMs);
          }
      }),
      { numRuns: 20 },
    );
  });
});

test('a journal that is behind has publishers wait to all that its stream takes by the pattern, also to subjects that are new', () => {
  under.router.setOwner('x.>', 1);
  under.router.setOwner('y.>', 1);
  const ask = (subject: string) => holds.ask(under.topic(subject), new Waiter(), true);
  holds.setFull('x.1', 1, fullness.behind);
  expect([ask('x.1'), ask('x.2'), ask('y.1'), ask('z')]).toEqual(['waits', 'waits', 'goes', 'goes']);
  holds.setFull('x.2', 1, fullness.behind);
  holds.setFull('x.1', 1, fullness.ready);
  expect([ask('x.1'), ask('x.3')]).toEqual(['waits', 'waits']);
  holds.setFull('x.2', 1, fullness.ready);
  expect([ask('x.1'), ask('x.3'), holds.active]).toEqual(['goes', 'goes', 0]);
});
