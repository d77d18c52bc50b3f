import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageBlockBytes, partialSpareBytesMax, partialSparesMax, partialSpareTakesMin } from '../../src/base/limits.js';
import { PartialBuffers } from '../../src/gateway/partialBuffers.js';

const isBlock = (bytes: Uint8Array) => bytes.buffer instanceof SharedArrayBuffer;

const step = fc.oneof(
  fc.record({
    kind: fc.constant('take' as const),
    needed: fc.oneof(fc.nat(15_000), fc.nat(4 * pageBlockBytes)),
    came: fc.integer({ min: 1, max: 2 * pageBlockBytes }),
  }),
  fc.record({ kind: fc.constant('give' as const), which: fc.nat(100), isWhole: fc.boolean() }),
);

test('a buffer is with one operation at a time, has room for what has come, and takes memory for little more', () => {
  let reused = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const buffers = new PartialBuffers();
      const taken: { buffer: Uint8Array; written: number }[] = [];
      for (const each of steps) {
        if (each.kind === 'give') {
          const [one] = taken.splice(each.which % Math.max(1, taken.length), 1);
          if (one === undefined) continue;
          if (each.isWhole) buffers.give(one.buffer, one.written);
          else buffers.drop(one.buffer, one.written);
          continue;
        }
        const written = each.needed === 0 ? each.came : Math.min(each.came, each.needed);
        const buffer = buffers.take(each.needed, written);
        expect(taken.some((other) => other.buffer === buffer)).toBe(false);
        expect(buffer.length).toBeGreaterThanOrEqual(written);
        const memory = buffers.memoryBytes(buffer, written);
        expect(memory).toBeGreaterThanOrEqual(written);
        // a spare may have four times what is asked for: what is needed, or twice what has come when nobody knows
        expect(memory).toBeLessThanOrEqual(4 * (each.needed === 0 ? 2 * written : Math.max(each.needed, written)));
        if (buffer.length < pageBlockBytes) reused++;
        taken.push({ buffer, written });
      }
    }),
    { numRuns: 200 },
  );
  expect(reused).toBeGreaterThan(0);
});

test('few are kept for who sends one after the other, none that are large in all, and those are ordinary memory', () => {
  for (const [given, kept, lengthBytes] of [
    [8, 4, partialSpareBytesMax / 4],
    [2 * partialSparesMax, partialSparesMax, 1024],
  ] as const) {
    const buffers = new PartialBuffers();
    const first = Array.from({ length: given }, () => buffers.take(lengthBytes, 1));
    for (const each of first) buffers.give(each, lengthBytes);
    const again = Array.from({ length: given }, () => buffers.take(lengthBytes, 1));
    expect(again.filter((each) => !isBlock(each))).toHaveLength(kept);
  }
});

test('what a crowd gives back drives out no spare that is used, and one that is not after a while', () => {
  const buffers = new PartialBuffers();
  const most = partialSpareBytesMax / 4;
  for (let i = 0; i < 5; i++) buffers.give(buffers.take(1024, 1), i < 4 ? most : 1024);
  expect(isBlock(buffers.take(1024, 1))).toBe(true);
  for (let i = 1; i < partialSpareTakesMin; i++) buffers.drop(buffers.take(1024, 1), 1);
  buffers.give(buffers.take(1024, 1), 1024);
  expect(isBlock(buffers.take(1024, 1))).toBe(false);
});

test('a block that is given back keeps none of its pages', () => {
  const buffers = new PartialBuffers();
  const pageBytes = 4096;
  const written = pageBlockBytes - pageBytes;
  const block = buffers.take(written, 1).fill(1);
  buffers.drop(block, written);
  expect(buffers.take(written, 1)).toBe(block);
  // pages that were given back read as zeros; those at its ends are others', too
  const released = block.subarray(pageBytes, written - pageBytes);
  expect(released.every((byte) => byte === 0)).toBe(true);
  expect(block[pageBlockBytes - 1]).toBe(1);
});
