import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Audiences } from '../../src/gateway/audience.js';
import { idleConnection } from './connections.js';

const connections = Array.from({ length: 6 }, (_, i) => idleConnection(i + 1));
const members = fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 6 });

// Invariant 12
test('the same connections in any order are the same audience; others are another', () => {
  fc.assert(
    fc.property(members, members, (first, second) => {
      const audiences = new Audiences();
      const [a, b] = [first, second].map((some) => audiences.intern(some.map((i) => connections[i]!)));
      const same = [...first].sort().join() === [...second].sort().join();
      expect(a === b).toBe(same);
      expect(new Set(a!.members)).toEqual(new Set(first.map((i) => connections[i])));
    }),
  );
});

test('one connection alone is its own audience and takes no place', () => {
  const audiences = new Audiences();
  expect(audiences.intern([connections[0]!])).toBe(connections[0]!.solo);
  expect(audiences.size).toBe(0);
});

test('an audience that no plan uses any more is forgotten, an open one never', () => {
  const audiences = new Audiences();
  const [unused, marked, open] = [
    [0, 1],
    [1, 2],
    [2, 3],
  ].map((some) => audiences.intern(some.map((i) => connections[i]!)));
  audiences.sweep();
  expect(audiences.size).toBe(3);
  audiences.mark(marked!);
  open!.open = true;
  audiences.sweep();
  expect(audiences.size).toBe(2);
  expect(audiences.intern([connections[1]!, connections[2]!])).toBe(marked);
  expect(audiences.intern([connections[2]!, connections[3]!])).toBe(open);
  expect(audiences.intern([connections[0]!, connections[1]!])).not.toBe(unused);
});
