import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesEqualAt, pooledBytes } from '../../src/base/bytes.js';
import { hashSpan, placeOf, Span, spanAround, spanEqualAt } from '../../src/base/span.js';

const content = fc.uint8Array({ minLength: 1, maxLength: 40 });

test('bytes are equal exactly when each is', () => {
  fc.assert(
    fc.property(content, fc.nat(), fc.nat(255), fc.nat(7), (expected, place, value, start) => {
      const bytes = new Uint8Array(start + expected.length + 3);
      bytes.set(expected, start);
      bytes[start + (place % expected.length)] = value;
      const equal = Buffer.from(bytes.subarray(start, start + expected.length)).equals(expected);
      expect(bytesEqualAt(bytes, start, expected)).toBe(equal);
      expect(spanEqualAt(new Span(bytes), start, placeOf(expected))).toBe(equal);
      const pooled = pooledBytes(expected.length);
      pooled.set(expected);
      const { byteOffset } = pooled;
      const within = { span: spanAround(pooled), start: byteOffset, end: byteOffset + pooled.length };
      expect(spanEqualAt(new Span(bytes), start, within)).toBe(equal);
    }),
    { numRuns: 500 },
  );
});

test('a hash depends on the bytes, their number and the seed, not on where they lie', () => {
  fc.assert(
    fc.property(content, fc.nat(7), fc.integer(), (bytes, start, seed) => {
      const around = new Uint8Array(start + bytes.length + 5).fill(0x55);
      around.set(bytes, start);
      const hash = hashSpan(new Span(bytes), 0, bytes.length, seed);
      expect(hashSpan(new Span(around), start, start + bytes.length, seed)).toBe(hash);
      expect(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32).toBe(true);
    }),
  );
});

test('hashes of many similar subjects fill a table evenly', () => {
  const buckets = new Int32Array(1024);
  for (let i = 0; i < 1 << 17; i++) {
    const span = new Span(Buffer.from(`prices.${i}.x`));
    buckets[hashSpan(span, 0, span.bytes.length, 12345) & 1023]!++;
  }
  // a mean of 128, and a deviation of 11.3: six of them
  expect(Math.min(...buckets)).toBeGreaterThan(128 - 68);
  expect(Math.max(...buckets)).toBeLessThan(128 + 68);
});
