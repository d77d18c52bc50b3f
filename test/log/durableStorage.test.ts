import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DurableStorage } from '../../src/log/durableStorage.js';
import type { DurableStorages } from '../../src/log/durableStorages.js';
import { committed, type RecordRun, type Storage } from '../../src/log/storage.js';
import { removeBelow, runOf, subjectOf, textOf } from './durableRun.js';
import { openAll } from './recordMap.js';
import { storagesFolder, storagesIn } from './storagesIn.js';

// Invariant 41 of docs/INVARIANTS.md.

let data: string;
const open: DurableStorages[] = [];

beforeEach(() => {
  data = storagesFolder();
});

afterEach(async () => {
  for (const storages of open.splice(0)) await storages.close();
  rmSync(data, { recursive: true });
});

function storagesOf(): DurableStorages {
  const storages = storagesIn(data);
  open.push(storages);
  return storages;
}

async function reopened(): Promise<Map<string, Storage>> {
  await open.pop()!.close();
  const found = await openAll(storagesOf());
  return new Map(found.map(({ name, storage }) => [name, storage]));
}

function read(storage: Storage, sequence: number): Promise<string | null> {
  return new Promise((resolve, reject) =>
    storage.read(
      sequence,
      (record) => resolve(record === null ? null : textOf(record)),
      ({ reason }) => reject(new Error(reason)),
    ),
  );
}

async function scanned(storage: Storage): Promise<string[]> {
  const records: string[] = [];
  await storage.scan((record) => records.push(textOf(record)));
  return records;
}

test('what was committed is there after a restart, with holes where records were removed', async () => {
  const storages = storagesOf();
  expect(await openAll(storages)).toEqual([]);
  const storage = await storages.create('A', '{"a":1}', 1);
  storage.append(subjectOf('s.1'), runOf(['one', 'two', 'three', 'four']), 0, 4, 1_000_000);
  expect(storage.nextSequence).toBe(5);
  expect(storage.committed).toBe(0);
  expect(await read(storage, 2)).toBe('2@1000000 s.1 two\r\n');
  await committed(storage);
  removeBelow(storage, 2);
  storage.remove(3, false);
  storage.skipTo(10);
  storage.append(subjectOf('s.2'), runOf(['ten']), 0, 1, 2_000_000);
  await committed(storage);
  const expected = ['2@1000000 s.1 two\r\n', '4@1000000 s.1 four\r\n', '10@2000000 s.2 ten\r\n'];
  for (let i = 0; i < 3; i++) {
    const again = (await reopened()).get('A')!;
    expect(again.nextSequence).toBe(11);
    expect(await scanned(again)).toEqual(expected);
    expect(await read(again, 3)).toBeNull();
    expect(await read(again, 4)).toBe(expected[1]);
  }
});

test('who reads on is shown what is there when it has been read: no record that goes meanwhile, and none in its place', async () => {
  const storages = storagesOf();
  await openAll(storages);
  const storage = await storages.create('A', '', 1);
  const texts = Array.from({ length: 40 }, (_, i) => `text ${i + 1}`);
  storage.append(subjectOf('s.1'), runOf(texts), 0, texts.length, 1_000_000);
  await committed(storage);
  const again = (await reopened()).get('A')!;
  const shown = (sequence: number, end: number, meanwhile: number[]) =>
    new Promise<(string | null)[]>((resolve, reject) => {
      const all: (string | null)[] = [];
      const show = (records: RecordRun | null): boolean => {
        if (records === null) all.push(null);
        else for (let i = 0; i < records.count; i++) all.push(textOf(records.view(i)));
        return true;
      };
      again.readOn(
        sequence,
        end,
        show,
        () => resolve(all),
        ({ reason }) => reject(new Error(reason)),
      );
      for (const each of meanwhile) again.remove(each, false);
    });
  const expected = (sequences: number[]) => sequences.map((each) => `${each}@1000000 s.1 text ${each}\r\n`);
  // the first look is at the disk
  expect(await shown(5, 30, [5])).toEqual([null]);
  expect(await shown(6, 12, [])).toEqual(expected([6, 7, 8, 9, 10, 11]));
  again.remove(9, false);
  again.remove(20, false);
  expect(await shown(6, 23, [])).toEqual(expected([6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22]));
  expect(await shown(40, 40, [])).toEqual(expected([40]));
});

test('descriptions are replaced, names have any bytes, what is destroyed is gone', async () => {
  const storages = storagesOf();
  await openAll(storages);
  await storages.create('../A/\0\u00ff', 'first', 7);
  await storages.create('B', 'b', 1);
  await storages.describe('../A/\0\u00ff', 'second');
  await storages.destroy('B');
  await open.pop()!.close();
  const found = await openAll(storagesOf());
  expect(found.map(({ name, description, storage }) => [name, description, storage.nextSequence])).toEqual([
    ['../A/\0\u00ff', 'second', 7],
  ]);
});

test('a journal uses its files again, and reads what lies in any of them', async () => {
  const storages = storagesOf();
  await openAll(storages);
  const [kept, passing] = [await storages.create('kept', '', 1), await storages.create('passing', '', 1)];
  const texts: string[] = [];
  for (let round = 0; round < 60; round++) {
    passing.append(subjectOf('p'), runOf(['x'.repeat(15_000)]), 0, 1, round);
    if (round >= 30) {
      kept.append(subjectOf('k'), runOf([`kept ${round}`]), 0, 1, round);
      texts.push(`${kept.nextSequence - 1}@${round} k kept ${round}\r\n`);
    }
    removeBelow(passing, passing.nextSequence - 1);
    await committed(passing);
  }
  await committed(kept);
  for (const text of texts) expect(await read(kept, Number(text.split('@')[0]))).toBe(text);
  expect(await scanned((await reopened()).get('kept')!)).toEqual(texts);
});

test('what is removed in order takes no memory, also when the first sequences were skipped', async () => {
  const storages = storagesOf();
  await openAll(storages);
  const storage = (await storages.create('A', '', 1000)) as DurableStorage;
  const emptyBytes = storage.memoryBytes;
  for (let round = 0; round < 20_000; round++) {
    storage.append(subjectOf('s'), runOf(['x']), 0, 1, round);
    if (round % 4 === 0) storage.skipTo(storage.nextSequence + 1);
    if (round > 10) storage.remove(storage.firstSequence);
  }
  await committed(storage);
  expect(storage.memoryBytes).toBeLessThan(emptyBytes + 2_000);
  const again = (await reopened()).get('A') as DurableStorage;
  expect([again.firstSequence, again.nextSequence]).toEqual([storage.firstSequence, storage.nextSequence]);
});
