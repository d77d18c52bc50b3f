import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalQueue } from '../../src/gateway/fanoutPlan.js';
import { idleConnection, subscribed } from './connections.js';
import { headOf } from './messages.js';

/** A group with a member on each connection; `behind` are those that do not keep up, `gone` those that are closing. */
function queueOf(count: number, { behind = [] as number[], gone = [] as number[] } = {}): LocalQueue {
  const queue = new LocalQueue();
  for (let i = 0; i < count; i++) {
    const connection = idleConnection(i + 1);
    if (behind.includes(i)) connection.pending = { bytes: 1 } as never;
    if (gone.includes(i)) connection.state = 'closing';
    queue.add(subscribed(connection, 'a', '1', 'q'), headOf('a', '1'));
  }
  return queue;
}

const turns = (queue: LocalQueue, count: number, except = 0) => Array.from({ length: count }, () => queue.next(except));

test('members take turns, wherever they begin', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), fc.nat(100), (count, start) => {
      const queue = queueOf(count);
      queue.startAt(start);
      const seen = turns(queue, 3 * count);
      for (let member = 0; member < count; member++) expect(seen.filter((turn) => turn === member)).toHaveLength(3);
      expect(new Set(seen.slice(0, count)).size).toBe(count);
    }),
  );
});

test('one that is behind is passed over while another keeps up, and has its turns when none does', () => {
  expect(new Set(turns(queueOf(3, { behind: [1] }), 6))).toEqual(new Set([0, 2]));
  expect(turns(queueOf(3, { behind: [0, 1, 2] }), 6).sort()).toEqual([0, 0, 1, 1, 2, 2]);
});

test('one that is being closed gets nothing', () => {
  expect(new Set(turns(queueOf(3, { gone: [0] }), 6))).toEqual(new Set([1, 2]));
  expect(queueOf(2, { gone: [0, 1] }).next(0)).toBe(-1);
});

test('a publisher that wants no echo is left out, alone or not', () => {
  expect(new Set(turns(queueOf(3), 6, 2))).toEqual(new Set([0, 2]));
  expect(queueOf(1).next(1)).toBe(-1);
  expect(queueOf(2, { behind: [1] }).next(1)).toBe(1);
});
