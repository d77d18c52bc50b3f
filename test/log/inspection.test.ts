import { expect, test } from 'vitest';
import { writeChecked } from '../../src/log/checkedFile.js';
import { Inspection } from '../../src/log/inspection.js';
import { journalPath } from '../../src/log/journalFiles.js';
import { smallShape } from './durableRun.js';
import type { SimDisk } from './simDisk.js';
import { drive, inspected, settingOf, shardOf, shards, storedDirectory, withStreams } from './storedDirectory.js';

// Invariants 41, 47 and 53 of docs/INVARIANTS.md.

/** A bit is flipped every so many bytes: `INSPECT_FLIP_STEP=1 npx vitest run test/log/inspection.test.ts` for all of them. */
const step = Number(process.env.INSPECT_FLIP_STEP ?? 4999);

const lock = '/data/lock';

test('what a broker has left is found whole, as it was, and a broker goes on with it', async () => {
  const disk = await storedDirectory(3);
  const before = disk.copy().files();
  const { findings, contents } = await inspected(disk);
  expect(findings).toEqual([]);
  expect([...contents.keys()].sort()).toEqual(['a', 'b', 'c', 'd']);
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
    for (let at = 0; at < bytes.length; at += bytes.length < 1_000 ? 29 : step) {
      bytes[at]! ^= 1 << (at & 7);
      const { findings, contents } = await inspected(disk);
      if (findings.length === 0) expect(contents, `a bit flipped in ${path} at ${at}`).toEqual(expected);
      else found++;
      bytes[at]! ^= 1 << (at & 7);
    }
  }
  expect(found).toBeGreaterThan(15);
});

test('what a stop has left for the next start is checked, too', async () => {
  const disk = await storedDirectory(13, 10);
  const [path, bytes] = [...disk.files()].find(([each]) => each.endsWith('.snap'))!;
  for (const at of [0, 9, 17, 30]) {
    bytes[at]! ^= 1;
    expect((await inspected(disk)).findings.map(({ file }) => file)).toEqual([path]);
    bytes[at]! ^= 1;
  }
});

/** File and offset of the first block that has records of a stream. */
function firstBlockOf(disk: SimDisk, name: string): [string, number] {
  const inspection = Inspection.open(settingOf(disk));
  inspection.read(() => {});
  const stream = inspection.streams.find((each) => each.name === name)!;
  const positions: number[] = [];
  inspection.storageOf(stream).forEachBlock((position) => positions.push(position));
  const { fileBytes } = smallShape;
  const number = Math.floor(positions[0]! / fileBytes);
  return [journalPath(`/data/journal-1/${shardOf(name, shards)}`, number), positions[0]! - number * fileBytes];
}

test('what a disk cannot read is damage, and the rest is read', async () => {
  const disk = await storedDirectory(13);
  const expected = (await inspected(disk)).contents;
  const [badFile, badAt] = firstBlockOf(disk, 'a');
  const openNow = disk.openNow.bind(disk);
  disk.openNow = (path, use) => {
    const file = openNow(path, use);
    const readNow = file.readNow.bind(file);
    const bad = path === badFile ? badAt : path.startsWith('/data/streams/') ? 0 : Number.NaN;
    file.readNow = (bytes, position) => {
      if (position <= bad && bad < position + bytes.length)
        throw Object.assign(new Error('i/o error'), { code: 'EIO' });
      return readNow(bytes, position);
    };
    return file;
  };
  const { findings, streams, contents } = await inspected(disk);
  expect(findings.filter(({ file }) => file.startsWith('/data/streams/')).length).toBe(streams.length);
  const inJournal = findings.filter(({ file }) => file.endsWith('.jnl'));
  expect(inJournal).toEqual([expect.objectContaining({ file: badFile, offset: badAt })]);
  const lost = inJournal[0]!.lost.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const records = (all: Map<string, string[]>) => [...all.values()].flat().length;
  expect(records(contents)).toBeGreaterThanOrEqual(records(expected) - lost);
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
