import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/gateway/connection.js';
import { Subscription } from '../../src/gateway/subscription.js';
import { Interest } from '../../src/router/interest.js';
import { heapBytes } from '../heap.js';

// Invariant 30 of docs/INVARIANTS.md.

/** How far the estimate may be from the heap, either way. */
const factorMax = 1.5;
const long = 'x'.repeat(4_000);

interface Kind {
  readonly count: number;
  readonly subject: (i: number) => string;
  readonly queue?: (i: number) => string;
  readonly sid?: (i: number) => string;
}

const kinds: Readonly<Record<string, Kind>> = {
  'one subject': { count: 24_000, subject: () => 'a.b.c' },
  'a subject each': { count: 24_000, subject: (i) => `a.b.c${i}` },
  'a pattern each': { count: 24_000, subject: (i) => `a.c${i}.*` },
  'patterns that share their beginnings': { count: 24_000, subject: (i) => `a.c${i}.x${i % 7}.*.y${i % 3}.>` },
  'a group': { count: 24_000, subject: () => 'a.b', queue: () => 'q' },
  'a group each': { count: 24_000, subject: (i) => `a.b${i}`, queue: (i) => `q${i}` },
  'long sids': { count: 3_000, subject: () => 'a.b', sid: (i) => `${i}${long}` },
  'long group names': { count: 3_000, subject: () => 'a.b', queue: (i) => `${i}${long}` },
  'long subjects': { count: 3_000, subject: (i) => `${i}${long}` },
  'long patterns': { count: 3_000, subject: (i) => `${i}.${long}.*` },
  'patterns of many tokens': { count: 3_000, subject: (i) => `${i}.${'a.'.repeat(2_000)}*` },
  'one long subject': { count: 12_000, subject: () => long },
};

/** Texts as they come from a client: nobody else has them. */
const fresh = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');

function interest(): Interest {
  return new Interest(4, 0, { announceInbox() {}, announcePlain() {}, announceQueue() {} }, () => {});
}

function expectNear(estimate: number, heap: number): void {
  expect(estimate).toBeGreaterThan(heap / factorMax);
  expect(estimate).toBeLessThan(heap * factorMax);
}

describe.each(Object.entries(kinds))('%s', (_, { count, subject, queue = () => '', sid = String }) => {
  test('what subscriptions of this thread take is told as it is, and gone when they are', () => {
    const connection = { id: 1, subscriptions: new Map<string, Subscription>() } as unknown as Connection;
    const fill = (known: Interest, upTo: number) => {
      for (let i = 0; i < upTo; i++) {
        const subscription = new Subscription(connection, fresh(subject(i)), fresh(queue(i)), fresh(sid(i)));
        connection.subscriptions.set(subscription.sid, subscription);
        known.addLocal(subscription);
      }
    };
    // what the engine makes of the code that runs first takes memory, too
    fill(interest(), count / 4);
    connection.subscriptions.clear();
    const known = interest();
    const before = heapBytes();
    fill(known, count);
    expectNear(known.heldBytes, heapBytes() - before);
    for (const subscription of connection.subscriptions.values()) known.removeLocal(subscription);
    expect(known.heldBytes).toBe(0);
  });

  test('so is what other threads want', () => {
    const known = interest();
    const before = heapBytes();
    const want = (members: number) => {
      for (let i = 0; i < count; i++) {
        if (queue(i) === '') known.setPlain(fresh(subject(i)), 1, members === 0 ? 0 : 2);
        else known.setQueue(fresh(subject(i)), fresh(queue(i)), 1, members);
      }
    };
    want(1);
    // a few entries take nothing
    if (known.size + known.queueNames.size >= count) expectNear(known.heldBytes, heapBytes() - before);
    want(0);
    expect(known.heldBytes).toBe(0);
  });
});
