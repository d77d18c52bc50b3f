import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JournalMemory } from '../../src/base/kernel.js';

const mask = (1n << 64n) - 1n;
const [p1, p2, p3, p4, p5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;
const rotate = (value: bigint, bits: bigint) => ((value << bits) | (value >> (64n - bits))) & mask;
const round = (sum: bigint, word: bigint) => (rotate((sum + word * p2) & mask, 31n) * p1) & mask;
const merge = (hash: bigint, sum: bigint) => ((hash ^ round(0n, sum)) * p1 + p4) & mask;

/** XXH64 as its specification describes it, with one number for all 64 bits. */
function model(bytes: Buffer, seed: bigint): bigint {
  let at = 0;
  let hash = (seed + p5) & mask;
  if (bytes.length >= 32) {
    const sums = [seed + p1 + p2, seed + p2, seed, seed - p1].map((sum) => sum & mask);
    for (; at + 32 <= bytes.length; at += 32)
      for (let i = 0; i < 4; i++) sums[i] = round(sums[i]!, bytes.readBigUInt64LE(at + 8 * i));
    hash = sums.reduce((all, sum, i) => all + rotate(sum, [1n, 7n, 12n, 18n][i]!), 0n) & mask;
    hash = sums.reduce(merge, hash);
  }
  hash = (hash + BigInt(bytes.length)) & mask;
  for (; at + 8 <= bytes.length; at += 8)
    hash = (rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * p1 + p4) & mask;
  for (; at + 4 <= bytes.length; at += 4)
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt32LE(at)) * p1) & mask), 23n) * p2 + p3) & mask;
  for (; at < bytes.length; at++) hash = (rotate(hash ^ ((BigInt(bytes[at]!) * p5) & mask), 11n) * p1) & mask;
  hash = ((hash ^ (hash >> 33n)) * p2) & mask;
  hash = ((hash ^ (hash >> 29n)) * p3) & mask;
  return hash ^ (hash >> 32n);
}

const memory = new JournalMemory(64 * 1024);
const view = Buffer.from(memory.bytes.buffer);

function hashed(bytes: Uint8Array, seed: bigint, at: number): bigint {
  view.set(bytes, at);
  view.writeBigUInt64LE(seed, 8);
  memory.hash64(at, bytes.length, 8, 0);
  return view.readBigUInt64LE(0);
}

/** Published values. */
test.each([
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
])('XXH64 of %j', (text, hash) => {
  expect(hashed(Buffer.from(text), 0n, 4096)).toBe(hash);
});

test('XXH64 of any bytes, wherever they lie, with any seed', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.bigInt({ min: 0n, max: mask }),
      fc.nat(15),
      (bytes, seed, offset) => {
        expect(hashed(bytes, seed, 4096 + offset)).toBe(model(Buffer.from(bytes), seed));
      },
    ),
    { numRuns: 500 },
  );
});
