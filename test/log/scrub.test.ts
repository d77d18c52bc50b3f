import { expect, test } from 'vitest';
import { journalPath } from '../../src/log/journalFiles.js';
import { scrubFile } from '../../src/log/scrub.js';
import { smallShape } from './durableRun.js';
import type { SimDisk } from './simDisk.js';
import { filesInUse, randomBytes, storedDirectory } from './storedDirectory.js';

// Invariant 41 of docs/INVARIANTS.md.

const directory = '/data/journal-1/1';

function scrub(disk: SimDisk, number: number, onRead = (_: number) => {}) {
  const task = { directory, number, id: randomBytes(8), shape: smallShape };
  return scrubFile(disk, task, onRead);
}

test('a bit flipped in a block of a sealed file is found where it is, and nothing where none is', async () => {
  const disk = await storedDirectory(11, 200);
  const sealed = filesInUse(disk, directory).slice(0, -1);
  expect(sealed.length).toBeGreaterThan(1);
  for (const number of sealed.slice(0, 3)) {
    // behind it lies what the file had when it was another one
    let writtenTo = 0;
    const note = (bytes: number) => {
      if (bytes < smallShape.fileBytes) writtenTo = bytes;
    };
    expect(scrub(disk, number, note)).toEqual([]);
    const bytes = disk.files().get(journalPath(directory, number))!;
    let found = 0;
    for (let at = 3; at < writtenTo; at += 101) {
      bytes[at]! ^= 4;
      const gaps = scrub(disk, number);
      const position = number * smallShape.fileBytes + at;
      for (const gap of gaps)
        expect(gap.position <= position && position < gap.position + gap.bytes, `${at}`).toBe(true);
      if (gaps.length > 0) found++;
      // what fills a block up to a page is not checked
      else expect(bytes[at], `${at}`).toBe(4);
      bytes[at]! ^= 4;
    }
    expect(found).toBeGreaterThan(10);
  }
});
