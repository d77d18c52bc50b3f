import { expect, test } from 'vitest';
import { hashBytes, hashSeedStable, mixHash } from '../../src/base/hash.js';

/** Published values of FNV-1a with 32 bits: whoever changes them moves every topic to another owner. */
test.each([
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
])('FNV-1a of %j', (text, hash) => {
  const bytes = Buffer.from(text);
  expect(hashBytes(bytes, 0, bytes.length, hashSeedStable) >>> 0).toBe(hash);
});

/** The finalizer of MurmurHash3, from its reference implementation. */
test.each([
  [0, 0],
  [1, 0x514e28b7],
  [0xffffffff | 0, 0x81f16f39],
])('the mixed hash of %i', (hash, mixed) => {
  expect(mixHash(hash)).toBe(mixed);
});
