import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mixHash } from '../../src/base/hash.js';
import { LocalQueue } from '../../src/gateway/fanoutPlan.js';
import { routeOf } from '../router/routes.js';
import { idleConnection, subscribed } from './connections.js';
import { headOf } from './messages.js';

// Invariant 17 of docs/INVARIANTS.md, where it is about keys.

/** A group with a member on each connection; `behind` are those that do not keep up, `gone` those that are closing. */
function queueOf(count: number, { name = 'q', behind = [] as number[], gone = [] as number[] } = {}): LocalQueue {
  const queue = new LocalQueue(name);
  for (let i = 0; i < count; i++) {
    const connection = idleConnection(i + 1);
    if (behind.includes(i)) connection.output.pending = { bytes: 1 } as never;
    if (gone.includes(i)) connection.enter('closing', 'test');
    queue.add(subscribed(connection, 'a', '1', name), headOf('a', '1'));
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

const keys = Array.from({ length: 2000 }, (_, i) => mixHash(i + 1));
const keyed = (count: number, options: { behind?: number[]; gone?: number[] } = {}) =>
  queueOf(count, { name: 'q@key', ...options });
/** The connection that has each key. */
const owners = (queue: LocalQueue, except = 0) =>
  keys.map((key) => queue.members[queue.ofKey(key, except)]?.connection.id ?? -1);

test('a name that ends in @key makes a group key-ordered', () => {
  expect([keyed(1).keyed, queueOf(1).keyed, queueOf(1, { name: 'q@keys' }).keyed]).toEqual([true, false, false]);
});

test('a key has one member, behind or not, and every member its share of the keys', () => {
  const free = owners(keyed(4));
  expect(owners(keyed(4, { behind: [1, 2] }))).toEqual(free);
  for (const id of [1, 2, 3, 4]) {
    const share = free.filter((owner) => owner === id).length;
    expect(Math.abs(share - keys.length / 4)).toBeLessThan(keys.length / 16);
  }
});

test('a member that comes or goes moves only its own keys, in whatever order the members stand', () => {
  const three = owners(keyed(3));
  const two = owners(keyed(3, { gone: [1] }));
  for (const [i, owner] of three.entries()) expect(two[i]).toBe(owner === 2 ? two[i] : owner);
  expect(two).not.toContain(2);
  const turned = new LocalQueue('q@key');
  const original = keyed(3);
  for (const member of [...original.members].reverse()) turned.add(member, headOf('a', '1'));
  expect(owners(turned)).toEqual(three);
});

test('a publisher that wants no echo has its keys taken by the others', () => {
  const all = owners(keyed(3));
  const others = owners(keyed(3), 2);
  for (const [i, owner] of all.entries()) expect(others[i]).toBe(owner === 2 ? others[i] : owner);
  expect(others).not.toContain(2);
  expect(keyed(1).ofKey(1, 1)).toBe(-1);
});

test('what the gateways were chosen by does not decide among the members of one', () => {
  const route = routeOf([2, 2, 2, 2], 'q@key');
  const queue = keyed(2);
  const here = keys.filter((key) => route.gatewayOf(key) === 1);
  const first = here.filter((key) => queue.ofKey(key, 0) === 0).length;
  expect(Math.abs(first - here.length / 2)).toBeLessThan(here.length / 8);
});
