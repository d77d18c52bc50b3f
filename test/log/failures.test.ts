import { expect, test } from 'vitest';
import { journalPromptMs } from '../../src/base/limits.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import type { Storage } from '../../src/log/storage.js';
import { randomFrom } from '../sim/random.js';
import { removeBelow, runOf, simSetting, smallShape, subjectOf, textOf } from './durableRun.js';
import { readBack } from './readBack.js';
import { openAll } from './recordMap.js';
import { type Fault, SimDisk } from './simDisk.js';
import { SimTimers } from './simTimers.js';

// Invariants 41 and 48 of docs/INVARIANTS.md.

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A broker's streams on a simulated disk that does what is asked of it in order. */
class Site {
  readonly disk: SimDisk;
  readonly timers = new SimTimers();
  readonly storages: DurableStorages;
  readonly failures: string[] = [];
  #number = 1;

  constructor(durableAppends: boolean, buffered = false) {
    this.disk = new SimDisk(randomFrom(1), durableAppends);
    for (const directory of ['/journal', '/streams']) this.disk.directories.add(directory);
    this.storages = new DurableStorages(simSetting(this.disk, this.timers, () => this.#number++, buffered));
  }

  /** Lets things happen until there is nothing to do but to wait, and a little time pass. */
  async rest(): Promise<void> {
    await settled();
    for (let passed = 0; passed < 4; ) {
      if (!this.disk.step()) {
        if (!this.timers.hasSoon) passed++;
        if (!this.timers.step()) return;
      }
      await settled();
    }
  }

  async stream(): Promise<Storage> {
    await openAll(this.storages);
    const made = this.storages.create('A', '', 1);
    await this.rest();
    const storage = await made;
    storage.events = { onCommitted: () => {}, onFailed: ({ reason }) => this.failures.push(reason) };
    return storage;
  }
}

function append(storage: Storage, payload: string): void {
  storage.append(subjectOf('a'), runOf([payload]), 0, 1, 5);
}

function fault(kind: Fault['kind'], code: string): Fault {
  return { kind, code, countdown: 0 };
}

test.each([
  ['write', true],
  ['write', false],
  ['sync', false],
] as const)(
  'after a %s that failed nothing is committed, and what was before is read',
  async (kind, durableAppends) => {
    const site = new Site(durableAppends);
    const storage = await site.stream();
    append(storage, 'one');
    await site.rest();
    expect(storage.committed).toBe(1);
    site.disk.fault = fault(kind, 'EIO');
    append(storage, 'two');
    await site.rest();
    append(storage, 'three');
    await site.rest();
    expect(site.failures).toEqual(['simulated EIO']);
    expect(storage.committed).toBe(1);
    const read: string[] = [];
    storage.read(
      1,
      (record) => read.push(textOf(record!)),
      ({ reason }) => expect.fail(reason),
    );
    expect(read).toEqual(['1@5 a one\r\n']);
    const left = readBack(site.disk.crashed(() => 0)).streams.get('A')!.state;
    expect([...left.records.values()]).toEqual(read);
    await expect(site.storages.create('B', '', 1)).rejects.toThrow('simulated EIO');
  },
);

test('after a sync that failed a buffered journal takes nothing more, and a start brings what it had to the disk', async () => {
  const site = new Site(true, true);
  const storage = await site.stream();
  storage.syncMs = 10;
  site.disk.fault = fault('sync', 'EIO');
  append(storage, 'one');
  await site.rest();
  expect([storage.committed, site.failures]).toEqual([1, ['simulated EIO']]);
  append(storage, 'two');
  await site.rest();
  expect(storage.committed).toBe(1);
  const records = (disk: SimDisk) => [...readBack(disk, true).streams.get('A')!.state.records.values()];
  expect(records(site.disk.crashed(() => 0))).toEqual([]);
  const left = site.disk.killed(() => 1);
  expect(records(left)).toEqual(['1@5 a one\r\n']);
  expect(records(left.crashed(() => 0))).toEqual(['1@5 a one\r\n']);
});

test('a system that was slow to take a block of a buffered journal does not hold the thread again, until it is quick', async () => {
  const site = new Site(true, true);
  const storage = await site.stream();
  const waits: boolean[] = [];
  let tookMs = 0;
  const { writeNow, write } = site.disk;
  site.disk.writeNow = (...block) => {
    waits.push(true);
    site.timers.lose(tookMs);
    return writeNow.apply(site.disk, block);
  };
  site.disk.write = (...block) => {
    waits.push(false);
    site.timers.lose(tookMs);
    return write.apply(site.disk, block);
  };
  /** Whether the thread waits for a block, which takes so long, as those behind it do. */
  const waitsFor = async (milliseconds: number) => {
    tookMs = milliseconds;
    waits.length = 0;
    append(storage, 'one');
    await site.rest();
    expect(storage.committed).toBe(storage.position);
    return waits[0];
  };
  expect(await waitsFor(0)).toBe(true);
  expect(await waitsFor(journalPromptMs)).toBe(true);
  expect(await waitsFor(journalPromptMs)).toBe(false);
  expect(await waitsFor(0)).toBe(false);
  expect(await waitsFor(0)).toBe(true);
});

test('a full disk takes no more records, but what removes them, until there is room again', async () => {
  const site = new Site(true);
  const storage = await site.stream();
  const long = 'x'.repeat(9_000);
  // two files, and no third one
  site.disk.capacityBytes = 2.5 * smallShape.fileBytes;
  while (storage.intake !== 'full') {
    append(storage, long);
    await site.rest();
  }
  const stored = storage.nextSequence - 1;
  expect(storage.committed).toBe(storage.position);
  removeBelow(storage, stored);
  await site.rest();
  expect(storage.committed).toBe(storage.position);
  expect(storage.intake).toBe('open');
  for (let i = 0; i < 3; i++) append(storage, long);
  await site.rest();
  expect(site.failures).toEqual([]);
  const closed = site.storages.close();
  await site.rest();
  await closed;
  expect([...readBack(site.disk).streams.get('A')!.state.records.keys()]).toEqual([0, 1, 2, 3].map((i) => stored + i));
});

test('a disk that has no room for a name is a full one', async () => {
  const site = new Site(true);
  const storage = await site.stream();
  site.disk.fault = fault('open', 'ENOSPC');
  for (let i = 0; i < 20 && storage.intake !== 'full'; i++) {
    append(storage, 'x'.repeat(9_000));
    await site.rest();
  }
  expect([storage.intake, site.failures]).toEqual(['full', []]);
  site.disk.fault = null;
  await site.rest();
  expect([storage.intake, site.failures]).toEqual(['open', []]);
});

test('a shard keeps no more streams than what its files begin with has room for', async () => {
  const site = new Site(true);
  await site.stream();
  for (let i = 1; i < smallShape.streamsMax; i++) {
    const made = site.storages.create(`${i}`, '', 1);
    await site.rest();
    await made;
  }
  await expect(site.storages.create('more', '', 1)).rejects.toThrow('a shard keeps no more than 16 streams on disk');
});

test.each(['open', 'other', 'write', 'sync', 'syncDirectory'] as const)(
  'a stream that could not be made for a %s can be made later, once',
  async (kind) => {
    // a write that is on disk when it returns is not synced
    const site = new Site(kind !== 'sync');
    await site.stream();
    const tryIt = async () => {
      const made = site.storages.create('B', 'b', 1).then(
        () => 'made',
        (error: Error) => error.message,
      );
      await site.rest();
      return made;
    };
    site.disk.fault = fault(kind, 'EIO');
    expect(await tryIt()).toMatch(/^(simulated EIO|made)$/);
    expect(site.disk.fault).toBeNull();
    if (site.failures.length > 0) return;
    await tryIt();
    expect(readBack(site.disk).streams.get('B')?.meta.description).toBe('b');
    expect(site.disk.namesNow('/streams')).toHaveLength(2);
  },
);
