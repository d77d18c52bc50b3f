import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeDecimal } from '../../src/base/bytes.js';

const guard = 0xee;

function written(value: number): string {
  const target = new Uint8Array(16).fill(guard);
  const end = writeDecimal(target, 2, value);
  expect([...target.subarray(0, 2), ...target.subarray(end)].every((byte) => byte === guard)).toBe(true);
  return Buffer.from(target.subarray(2, end)).toString();
}

test('a number is written as it prints', () => {
  fc.assert(fc.property(fc.nat(), (value) => void expect(written(value)).toBe(String(value))));
});

test('at both sides of every power of ten', () => {
  for (let bound = 10; bound < 2 ** 31; bound *= 10)
    for (const value of [bound - 1, bound, bound + 1]) {
      expect(written(value)).toBe(String(value));
    }
  for (const value of [0, 2 ** 31 - 1]) expect(written(value)).toBe(String(value));
});
