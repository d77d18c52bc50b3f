import { expect, test } from 'vitest';
import { writeChecked } from '../../src/log/checkedFile.js';
import { drive, inspected, storedDirectory, withStreams } from './storedDirectory.js';

// Invariants 41 and 47 of docs/INVARIANTS.md.

/** A bit is flipped every so many bytes: `INSPECT_FLIP_STEP=1 npx vitest run test/log/inspection.test.ts` for all of them. */
const step = Number(process.env.INSPECT_FLIP_STEP ?? 1499);

const lock = '/data/lock';

test('what a broker has left is found whole, as it was, and a broker goes on with it', async () => {
  const disk = await storedDirectory(3);
  const before = disk.copy().files();
  const { findings, contents } = await inspected(disk);
  expect(findings).toEqual([]);
  expect([...contents.keys()].sort()).toEqual(['a', 'b', 'c']);
  expect([...contents.values()].flat().length).toBeGreaterThan(15);
  for (const [path, bytes] of disk.files())
    if (path !== lock) expect(Buffer.compare(bytes, before.get(path)!), path).toBe(0);
  await withStreams(disk, '/data', async (_, byName) => {
    for (const [name, [next]] of contents) expect(`next ${byName.get(name)!.nextSequence}`).toBe(next);
  });
});

test('a bit flipped anywhere in a data directory is found, or changes nothing', async () => {
  const disk = await storedDirectory(4);
  const expected = (await inspected(disk)).contents;
  let found = 0;
  for (const [path, bytes] of disk.files()) {
    // small files are looked at byte by byte
    for (let at = 0; at < bytes.length; at += bytes.length < 1_000 ? 13 : step) {
      bytes[at]! ^= 1 << (at & 7);
      const { findings, contents } = await inspected(disk);
      if (findings.length === 0) expect(contents, `a bit flipped in ${path} at ${at}`).toEqual(expected);
      else found++;
      bytes[at]! ^= 1 << (at & 7);
    }
  }
  expect(found).toBeGreaterThan(30);
});

test("a directory of a newer version, another directory's journal, and what is none are refused", async () => {
  const disk = await storedDirectory(5, 10);
  const other = disk.copy();
  await drive(disk, writeChecked(disk, '/data', 'shardcast.json', { version: 2 }));
  await expect(inspected(disk)).rejects.toThrow('/data/shardcast.json has version 2: this is for version 1');
  await expect(inspected(disk, '/streams')).rejects.toThrow('/streams is no data directory: it has no shardcast.json');
  const fields = JSON.parse(Buffer.from(other.files().get('/data/shardcast.json')!).toString());
  delete fields.check;
  await drive(other, writeChecked(other, '/data', 'shardcast.json', { ...fields, id: '00'.repeat(8) }));
  await expect(inspected(other)).rejects.toThrow('belongs to another data directory');
});
