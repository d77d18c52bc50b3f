import { expect, test } from 'vitest';
import { type DiskKind, warningsOf } from '../../src/log/diskLook.js';
import { systemDisk } from '../../src/log/files.js';
import { randomFrom } from '../sim/random.js';
import { SimDisk } from './simDisk.js';

function diskOf(kind: DiskKind): SimDisk {
  const disk = new SimDisk(randomFrom(1), false);
  disk.directories.add('/data');
  disk.kind = kind;
  return disk;
}

/** Does what is asked of the disk, until it is known what is to be said of it; each look at the clock is so much later. */
async function look(disk: SimDisk, stepMs: number): Promise<string[]> {
  let [nowMs, done] = [0, false];
  const warnings = warningsOf(disk, () => (nowMs += stepMs), '/data').finally(() => {
    done = true;
  });
  while (!done) {
    disk.step();
    await new Promise(setImmediate);
  }
  return warnings;
}

test('of a disk that is quick nothing is said, and nothing is left on it', async () => {
  const disk = diskOf('local');
  expect(await look(disk, 5)).toEqual([]);
  expect(disk.namesNow('/data')).toEqual([]);
});

test.each([
  ['network', /^\/data is on a network/],
  ['rotating', /^\/data is on a disk that rotates/],
  ['memory', /^\/data is in memory/],
] as const)('whoever keeps streams on a disk of kind %s is warned', async (kind, text) => {
  expect(await look(diskOf(kind), 1)).toEqual([expect.stringMatching(text)]);
});

test('a slow flush is told of', async () => {
  expect(await look(diskOf('local'), 12.34)).toEqual(['/data takes 12.3 ms for a flush, and every commit as long']);
});

test('a full disk can be used', async () => {
  const disk = diskOf('local');
  disk.capacityBytes = 0;
  expect(await look(disk, 1)).toEqual([expect.stringMatching(/^\/data takes no file: .*ENOSPC/)]);
});

test('the system tells what a directory lies on', () => {
  expect(systemDisk.kindNow('/dev/shm')).toBe('memory');
  expect(() => systemDisk.kindNow('/not/there')).toThrow('ENOENT');
});
