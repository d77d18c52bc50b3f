import { expect, test } from 'vitest';
import { BlockIndex } from '../../src/log/blockIndex.js';

test('an index finds what was added, and takes no memory for runs without records', () => {
  const dead = new Set<number>();
  const index = new BlockIndex((run) => dead.has(index.block(run)));
  for (let block = 0; block < 10_000; block++) {
    for (let i = 0; i < 3; i++) index.add(10 * block + i, 1, block, 4096, 64 + 8 * i);
    // all but one in a thousand are removed later
    if (block % 1000 > 0) dead.add(block - 1);
    if (block % 1000 === 1) dead.delete(block - 1);
  }
  expect(index.memoryBytes).toBeLessThan(2_000);
  for (let block = 0; block < 10_000; block += 1000) {
    const run = index.find(10 * block + 1);
    expect([index.block(run), index.blockBytes(run), index.offset(run)]).toEqual([block, 4096, 64]);
    expect(index.first(run)).toBe(10 * block);
    expect(index.end(run)).toBe(10 * block + 3);
    expect(index.find(10 * block + 3)).toBe(-1);
  }
});
