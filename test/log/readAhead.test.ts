import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readBlocksMax } from '../../src/base/limits.js';
import type { Disk, DiskFile } from '../../src/log/disk.js';
import type { DurableStorages } from '../../src/log/durableStorages.js';
import { systemDisk } from '../../src/log/files.js';
import { committed, type Storage } from '../../src/log/storage.js';
import { runOf, subjectOf } from './durableRun.js';
import { openAll } from './recordMap.js';
import { storagesFolder, storagesIn } from './storagesIn.js';

// Who reads on finds the next block in memory. It takes the place of none that others want.

const perBlock = 3;
const blocks = readBlocksMax + 2;

/** A disk whose reads of blocks are counted, and can be held up. */
class CountedDisk {
  reads = 0;
  gate: Promise<void> = Promise.resolve();
  #underWay = 0;
  #waiting: { reads: number; resolve: () => void } | null = null;
  /** Told when a file of the journal was closed that was written to. */
  onJournalClosed = () => {};
  readonly disk: Disk = {
    ...systemDisk,
    open: async (path, use) => {
      const file = await systemDisk.open(path, use);
      if (use === 'read') return this.#counted(file);
      const close = file.close.bind(file);
      file.close = () => close().then(() => this.onJournalClosed());
      return file;
    },
  };

  /** Resolves when so many were begun: a file may have to be opened first. */
  begun(reads: number): Promise<void> {
    if (this.reads >= reads) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = { reads, resolve };
    });
  }

  #counted(file: DiskFile): DiskFile {
    return {
      ...file,
      read: async (bytes, position) => {
        this.reads++;
        if (this.reads === this.#waiting?.reads) this.#waiting.resolve();
        this.#underWay++;
        await this.gate;
        const read = await file.read(bytes, position);
        this.#underWay--;
        return read;
      },
      close: () => {
        expect(this.#underWay).toBe(0);
        return file.close();
      },
    } as DiskFile;
  }
}

let data: string;
let counted: CountedDisk;
let storages: DurableStorages;
let storage: Storage;

beforeEach(async () => {
  data = storagesFolder();
  counted = new CountedDisk();
  storages = storagesIn(data, counted.disk);
  await openAll(storages);
  storage = await storages.create('A', '{}', 1);
  for (let block = 0; block < blocks; block++) {
    storage.append(subjectOf('s'), runOf(['one', 'two', 'three']), 0, perBlock, 1);
    await committed(storage);
  }
  await storages.close();
  storages = storagesIn(data, counted.disk);
  [{ storage }] = (await openAll(storages)) as unknown as [{ storage: Storage }];
  counted.reads = 0;
});

afterEach(async () => {
  await storages.close();
  rmSync(data, { recursive: true });
});

/** Reads on in a block, up to its end; resolves when that was shown. */
function readOn(block: number): Promise<number> {
  const first = block * perBlock + 1;
  let shown = 0;
  return new Promise((resolve, reject) =>
    storage.readOn(
      first,
      first + perBlock,
      (records) => {
        shown += records?.count ?? 0;
        return true;
      },
      () => resolve(shown),
      ({ reason }) => reject(new Error(reason)),
    ),
  );
}

/** Shows one message of a block; resolves when it was shown. */
function readOne(block: number): Promise<void> {
  return new Promise((resolve, reject) =>
    storage.read(
      block * perBlock + 2,
      () => resolve(),
      ({ reason }) => reject(new Error(reason)),
    ),
  );
}

test('every block is read once, while the one before it is looked at', async () => {
  for (let block = 0; block < blocks; block++) {
    expect(await readOn(block)).toBe(perBlock);
    await counted.begun(Math.min(block + 2, blocks));
    expect(counted.reads).toBe(Math.min(block + 2, blocks));
  }
});

test('who reads one message has nothing read ahead', async () => {
  await readOne(0);
  expect(counted.reads).toBe(1);
});

test('what is read ahead takes the place of nothing that somebody wanted', async () => {
  for (let block = 0; block < blocks; block++) if (block !== 1 && block !== 2) await readOne(block);
  expect(counted.reads).toBe(readBlocksMax);
  await readOn(0);
  await counted.begun(readBlocksMax + 1);
  expect(counted.reads).toBe(readBlocksMax + 1);
  for (let block = 0; block < blocks; block++) if (block !== 1 && block !== 2) await readOne(block);
  await readOne(1);
  expect(counted.reads).toBe(readBlocksMax + 1);
});

test('a file is closed when what is read ahead of it has come', async () => {
  await readOne(0);
  let open = () => {};
  counted.gate = new Promise((resolve) => {
    open = resolve;
  });
  await readOn(0);
  await counted.begun(2);
  expect(counted.reads).toBe(2);
  const journalClosed = new Promise<void>((resolve) => {
    counted.onJournalClosed = resolve;
  });
  const closed = storages.close();
  // what is read from comes behind what is written to
  await journalClosed;
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  open();
  await closed;
  storages = storagesIn(data, counted.disk);
  await openAll(storages);
});
