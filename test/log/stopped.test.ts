import { expect, test } from 'vitest';
import type { Damage } from '../../src/log/damage.js';
import type { Disk } from '../../src/log/disk.js';
import type { DurableStorage } from '../../src/log/durableStorage.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import { journalNumbers, journalPath } from '../../src/log/journalFiles.js';
import { readSnapshotNow, SnapshotWriter, snapshotNames } from '../../src/log/snapshotFile.js';
import type { Storage } from '../../src/log/storage.js';
import { randomFrom } from '../sim/random.js';
import { journalId, removeBelow, runOf, simSetting, smallShape, subjectOf, textOf } from './durableRun.js';
import { readBack } from './readBack.js';
import { openOwned, RecordMap } from './recordMap.js';
import { SimDisk } from './simDisk.js';
import { SimTimers } from './simTimers.js';

// Invariant 41 of docs/INVARIANTS.md.

const snapshot = '/journal/0/stopped.snap';
const running = '/journal/0/index.snap';

let numbers = 1;

interface Broker {
  readonly disk: SimDisk;
  readonly timers: SimTimers;
  readonly storages: DurableStorages;
}

function brokerOn(disk: SimDisk, seen: Disk = disk): Broker {
  const timers = new SimTimers();
  return { disk, timers, storages: new DurableStorages(simSetting(seen, timers, () => numbers++)) };
}

async function drive<T>({ disk, timers }: Broker, promise: Promise<T>): Promise<T> {
  const state = { over: false };
  const mark = () => {
    state.over = true;
  };
  promise.then(mark, mark);
  await new Promise((resolve) => setImmediate(resolve));
  for (let idle = 0; !state.over; ) {
    idle = disk.step() || timers.step() ? 0 : idle + 1;
    if (idle > 100) throw new Error('nothing happens any more');
    await new Promise((resolve) => setImmediate(resolve));
  }
  return promise;
}

function own(storage: Storage): RecordMap {
  const owner = new RecordMap();
  storage.owner = owner;
  return owner;
}

/** Streams of several files, some of what they had removed. */
async function fill(broker: Broker): Promise<void> {
  await drive(broker, openOwned(broker.storages));
  for (const name of ['a', 'b']) {
    const storage = await drive(broker, broker.storages.create(name, name, 1));
    const { records } = own(storage);
    for (let i = 0; i < 40; i++) {
      const payloads = [`${i}`, 'z'.repeat(3_000)];
      for (const [at, payload] of payloads.entries())
        records.set(storage.nextSequence + at, `${storage.nextSequence + at}@${i} a.b ${payload}\r\n`);
      storage.append(subjectOf('a.b'), runOf(payloads), 0, 2, i);
      for (let steps = 0; steps < 12; steps++) {
        if (!broker.disk.step()) broker.timers.step();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    removeBelow(storage, 7);
    storage.remove(20, false);
    storage.remove(33, false);
    for (const gone of [1, 2, 3, 4, 5, 6, 20, 33]) records.delete(gone);
  }
}

function stop(broker: Broker): Promise<void> {
  return drive(broker, broker.storages.close());
}

/** What storages show, and their owners know. */
async function contents(broker: Broker, streams: Awaited<ReturnType<typeof openOwned>>): Promise<string[][]> {
  const all: string[][] = [];
  for (const { storage, owner } of streams) {
    const texts: string[] = [`${storage.nextSequence}`];
    await drive(
      broker,
      storage.scan((record) => texts.push(textOf(record))),
    );
    expect(texts.slice(1)).toEqual([...owner.records.values()]);
    all.push(texts);
  }
  return all;
}

/** What a start finds on a disk, and which streams it knew before it read a journal. */
async function started(
  disk: SimDisk,
  seen: Disk = disk,
): Promise<{ texts: string[][]; restored: string[]; broker: Broker }> {
  const broker = brokerOn(disk, seen);
  const streams = await drive(broker, openOwned(broker.storages));
  const restored = streams.filter(({ owner }) => owner.restored).map(({ name }) => name);
  return { texts: await contents(broker, streams), restored, broker };
}

function emptyDisk(): SimDisk {
  const disk = new SimDisk(randomFrom(3), true);
  for (const directory of ['/journal', '/streams']) disk.directories.add(directory);
  return disk;
}

async function stoppedDisk(): Promise<SimDisk> {
  const disk = emptyDisk();
  const broker = brokerOn(disk);
  await fill(broker);
  await stop(broker);
  return disk;
}

/** Counts the bytes that are read while the thread waits. */
function counting(disk: SimDisk, count: (path: string, bytes: number) => void): Disk {
  return new Proxy<Disk>(disk, {
    get(target, name) {
      if (name !== 'openNow') return Reflect.get(target, name).bind(target);
      return (path: string, use: 'read' | 'write') => {
        const file = target.openNow(path, use);
        const readNow = file.readNow.bind(file);
        file.readNow = (bytes, position) => {
          const read = readNow(bytes, position);
          count(path, read);
          return read;
        };
        return file;
      };
    },
  });
}

test('a start behind a stop finds what the journal would have said, and reads its last file alone', async () => {
  const disk = await stoppedDisk();
  const without = disk.copy();
  for (const path of [snapshot, running]) without.files().get(path)!.fill(0);
  const read = new Set<string>();
  const { texts, restored, broker } = await started(
    disk,
    counting(disk, (path) => read.add(path)),
  );
  expect([...read].filter((path) => path.endsWith('.jnl')).length).toBe(1);
  expect(restored).toEqual(['a', 'b']);
  expect(await started(without)).toMatchObject({ texts, restored: [] });
  // it is not true any more as soon as something may be written
  expect(disk.namesNow('/journal/0')).not.toContain('stopped.snap');
  await stop(broker);
  expect(await started(disk)).toMatchObject({ texts, restored });
});

test('a bit flipped anywhere in what a stop has written, a piece of it, or that of another stop: the journal is read', async () => {
  const disk = await stoppedDisk();
  const old = disk.copy().files().get(snapshot)!;
  const expected = (await started(disk.copy())).texts;
  // behind what it has its last page is filled up
  for (let at = 0; at < old.length - 4096; at += at < 200 ? 17 : 4_001) {
    const image = disk.copy();
    image.files().get(snapshot)![at]! ^= 1 << (at & 7);
    const there = image.files().get(running)!;
    there[at % there.length]! ^= 1;
    const { texts, restored } = await started(image);
    expect([texts, restored], `a bit flipped at ${at}`).toEqual([expected, []]);
  }
  // a broker has been here meanwhile
  const { broker } = await started(disk);
  const storage = await drive(broker, broker.storages.create('c', 'c', 1));
  own(storage).records.set(1, '1@1 c later\r\n');
  storage.append(subjectOf('c'), runOf(['later']), 0, 1, 1);
  await stop(broker);
  const image = disk.copy();
  const later = (await started(image.copy())).texts;
  expect(later.length).toBe(3);
  expect(later.slice(0, 2)).toEqual(expected);
  image.files().get(snapshot)!.set(old);
  expect(await started(image)).toMatchObject({ texts: later, restored: ['a', 'b'] });
});

test('a start behind a kill goes on from what was written while the broker ran, and reads what follows', async () => {
  const disk = emptyDisk();
  const broker = brokerOn(disk);
  await fill(broker);
  for (let steps = 0; steps < 300; steps++) {
    if (!disk.step()) broker.timers.step();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const left = disk.killed(randomFrom(7));
  const all = journalNumbers(left.namesNow('/journal/0')).length;
  const without = left.copy();
  without.files().get(running)!.fill(0);
  const read = new Set<string>();
  const { texts, restored } = await started(
    left,
    counting(left, (path) => read.add(path)),
  );
  expect(restored).toEqual(['a', 'b']);
  expect([...read].filter((path) => path.endsWith('.jnl')).length).toBeLessThan(all - 2);
  expect(await started(without)).toMatchObject({ texts, restored: [] });
});

test('a file that is gone is missed, though a snapshot knows what it had', async () => {
  const whole = await stoppedDisk();
  const [a, b] = (await started(whole.copy())).texts;
  let missed = 0;
  for (const number of journalNumbers(whole.namesNow('/journal/0')).slice(0, -2)) {
    const disk = whole.copy();
    await drive(brokerOn(disk), disk.remove(journalPath('/journal/0', number)));
    const timers = new SimTimers();
    const damages: Damage[] = [];
    const setting = {
      ...simSetting(disk, timers, () => numbers++),
      onDamage: (damage: Damage) => damages.push(damage),
    };
    const broker = { disk, timers, storages: new DurableStorages(setting) };
    const texts = await contents(broker, await drive(broker, openOwned(broker.storages)));
    if (damages.length === 0) expect(texts).toEqual([a, b]);
    else missed++;
    await stop(broker);
  }
  expect(missed).toBeGreaterThan(2);
});

test('a snapshot of many pages is read as it was written, or not at all', async () => {
  const disk = new SimDisk(randomFrom(1), true);
  disk.directories.add('/d');
  const bytes = Uint8Array.from({ length: 2_500_000 }, (_, i) => i * 31);
  const { stopped } = snapshotNames;
  const written = (async () => {
    const writer = await SnapshotWriter.open(disk, '/d', stopped, journalId);
    for (const end of [5, 1_700_000, bytes.length]) await writer.write(bytes.subarray(writer.length - 8, end));
    await writer.finish();
  })();
  await drive({ disk, timers: new SimTimers(), storages: null as never }, written);
  const read = (id = journalId, from = disk) => readSnapshotNow(from, '/d', stopped, id);
  expect(Buffer.compare(read()!, bytes)).toBe(0);
  expect(read(journalId.toReversed())).toBeNull();
  const file = disk.files().get('/d/stopped.snap')!;
  for (const at of [0, 9, 20, 1_048_576, 1_048_600, 2_500_000]) {
    file[at]! ^= 4;
    expect(read(), `a bit flipped at ${at}`).toBeNull();
    file[at]! ^= 4;
  }
  // whole pages are missing
  const pageBytes = 1024 * 1024;
  const shorter = disk.copy();
  const rest = shorter.openNow('/d/stopped.snap', 'read');
  const readNow = rest.readNow.bind(rest);
  rest.readNow = (target, position) => readNow(target.subarray(0, Math.max(0, 2 * pageBytes - position)), position);
  shorter.openNow = () => rest;
  expect(read(journalId, shorter)).toBeNull();
});

test('a stop that finds no room for it is a stop, says so, and the next start reads the journal', async () => {
  const disk = new SimDisk(randomFrom(5), true);
  for (const directory of ['/journal', '/streams']) disk.directories.add(directory);
  const timers = new SimTimers();
  const reasons: string[] = [];
  const simulated = simSetting(disk, timers, () => numbers++);
  // what was written while it ran would do
  const place = { ...simulated.place, shape: { ...simulated.place.shape, checkpointBytes: Number.POSITIVE_INFINITY } };
  const setting = { ...simulated, place, onUnsaved: (reason: string) => reasons.push(reason) };
  const broker = { disk, timers, storages: new DurableStorages(setting) };
  await fill(broker);
  disk.capacityBytes = 0;
  await stop(broker);
  expect(reasons).toEqual([expect.stringContaining('ENOSPC')]);
  expect(disk.files().has(snapshot)).toBe(false);
  disk.capacityBytes = Number.POSITIVE_INFINITY;
  const next = brokerOn(disk);
  const streams = await drive(next, openOwned(next.storages));
  expect(streams.map(({ owner }) => owner.restored)).toEqual([false, false]);
  expect((await contents(next, streams)).map(([sequence]) => sequence)).toEqual(['81', '81']);
  await stop(next);
});

test('what is missing at the end of a journal is told of, where a stop has seen it', async () => {
  const disk = await stoppedDisk();
  const expected = (await started(disk.copy())).texts;
  const { end: endBefore } = readBack(disk.copy());
  const last = Math.floor((endBefore - 1) / smallShape.fileBytes);
  const bytesOf = (number: number) => disk.files().get(journalPath('/journal/0', number))!;
  // all that says that it was on disk is gone, too: without the snapshot it would look like a write that was torn
  bytesOf(last).fill(0);
  bytesOf(last - 1).fill(0, smallShape.fileBytes / 2);
  const damages: Damage[] = [];
  const timers = new SimTimers();
  const storages = new DurableStorages({
    ...simSetting(disk, timers, () => numbers++),
    onDamage: (damage) => damages.push(damage),
  });
  const streams = await drive({ disk, timers, storages }, openOwned(storages));
  let missing = 0;
  for (const [i, { storage }] of streams.entries()) {
    const { number, nextSequence } = storage as DurableStorage;
    const next = Number(expected[i]![0]);
    const told = damages.flatMap(({ lost }) => lost).filter(({ stream }) => stream === number);
    for (let sequence = nextSequence; sequence < next; sequence++, missing++)
      expect(told.some(({ first, last: end }) => first <= sequence && sequence <= end)).toBe(true);
  }
  expect(missing).toBeGreaterThan(0);
  const end = damages.at(-1)!;
  expect(end.position + end.bytes, 'up to where a stop has seen it').toBe(endBefore);
});
