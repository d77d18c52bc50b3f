import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Inspection } from '../../src/log/inspection.js';
import { type CopiedStream, repair } from '../../src/log/repair.js';
import { metaName } from '../../src/log/streamFile.js';
import { randomFrom } from '../sim/random.js';
import type { SimDisk } from './simDisk.js';
import { drive, inspected, randomBytes, settingOf, shardOf, storedDirectory, withStreams } from './storedDirectory.js';

// Invariants 47 and 53 of docs/INVARIANTS.md.

const runs = Number(process.env.REPAIR_RUNS ?? 10);
const hostileRuns = Number(process.env.INSPECT_RUNS ?? 40);

async function repaired(disk: SimDisk, to = '/new'): Promise<CopiedStream[]> {
  const inspection = Inspection.open(settingOf(disk));
  inspection.read(() => {});
  const copied: CopiedStream[] = [];
  const nameLost = (number: number) => ({ name: `lost${number}`, description: 'lost' });
  const setting = {
    ...settingOf(disk, to),
    shardOf,
    randomBytes,
    nameLost,
    onCopied: (each: CopiedStream) => copied.push(each),
  };
  await drive(disk, repair(inspection, setting));
  await drive(disk, inspection.close());
  return copied;
}

function flip(disk: SimDisk, random: (bound: number) => number): void {
  const files = [...disk.files().entries()].filter(([path]) => path.startsWith('/data/'));
  const [, bytes] = files[random(files.length)]!;
  for (let left = 1 + random(3); left > 0; left--) if (bytes.length > 0) bytes[random(bytes.length)]! ^= 1 << random(8);
}

test('what is repaired has all that could be read, is whole, and a broker goes on with it', async () => {
  const whole = await storedDirectory(6);
  let damaged = 0;
  for (let seed = 0; seed < runs; seed++) {
    const disk = whole.copy();
    flip(disk, randomFrom(seed));
    const before = disk.copy().files();
    const { findings, streams, contents } = await inspected(disk);
    if (findings.length > 0) damaged++;
    await repaired(disk);
    for (const [path, bytes] of before)
      if (path !== '/data/lock') expect(Buffer.compare(disk.files().get(path)!, bytes), path).toBe(0);
    const again = await inspected(disk, '/new');
    expect(again.findings, `seed ${seed}`).toEqual([]);
    const names = new Map(streams.map(({ name, number }) => [name ?? `${number}`, name ?? `lost${number}`]));
    const expected = new Map([...contents].map(([name, texts]) => [names.get(name)!, texts]));
    expect(again.contents, `seed ${seed}`).toEqual(expected);
    await withStreams(disk, '/new', async (_, byName) => {
      expect([...byName.keys()].sort()).toEqual([...expected.keys()].sort());
    });
  }
  expect(damaged).toBeGreaterThan(1);
});

test('a stream whose own file is damaged keeps its messages under another name', async () => {
  const disk = await storedDirectory(7);
  const { streams, contents } = await inspected(disk);
  const { number } = streams.find(({ name }) => name === 'b')!;
  const meta = [...disk.files()].find(([path]) => path.endsWith(metaName(number)))!;
  meta[1][20]! ^= 1;
  const copied = await repaired(disk);
  const messages = contents.get('b')!.filter((text) => !/^(next|noted)/.test(text)).length;
  expect(copied.filter(({ isRenamed }) => isRenamed)).toEqual([
    { number, name: `lost${number}`, isRenamed: true, messages, unreadable: [] },
  ]);
  expect((await inspected(disk, '/new')).contents.get(`lost${number}`)).toEqual(contents.get('b'));
});

test('nothing is written over, and a repair whose disk gets full leaves no directory that looks whole', async () => {
  const disk = await storedDirectory(8);
  await expect(repaired(disk, '/data')).rejects.toThrow('/data is not empty');
  disk.capacityBytes = 0;
  await expect(repaired(disk)).rejects.toThrow('ENOSPC');
  expect(disk.namesNow('/new')).toEqual([]);
});

test('whatever bytes stand in the files, they are read to their end', async () => {
  const whole = await storedDirectory(9, 25);
  const change = fc.record({ file: fc.nat(), at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
      const disk = whole.copy();
      const files = [...disk.files()].filter(([path, { length }]) => path.startsWith('/data/') && length > 0);
      for (const { file, at, bytes } of changes) {
        const target = files[file % files.length]![1];
        const start = at % target.length;
        target.set(bytes.subarray(0, target.length - start), start);
      }
      // only what says that it is of another version, or another directory's, is refused
      await inspected(disk).catch((error: Error) => expect(error.message).toMatch(/version|another data directory/));
    }),
    { numRuns: hostileRuns },
  );
});
