import { expect, test } from 'vitest';
import { compactionSpareFiles, journalSpareFilesMax } from '../../src/base/limits.js';
import type { Damage } from '../../src/log/damage.js';
import type { DurableStorage } from '../../src/log/durableStorage.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import { journalNumbers } from '../../src/log/journalFiles.js';
import { randomFrom } from '../sim/random.js';
import { runOf, simSetting, smallShape, subjectOf, textOf } from './durableRun.js';
import { readBack } from './readBack.js';
import { openAll } from './recordMap.js';
import { SimDisk } from './simDisk.js';
import { SimTimers } from './simTimers.js';
import { StreamState } from './streamModel.js';

// Invariants 41 and 45 of docs/INVARIANTS.md.

/** The file in use, the next one, and those that are kept for later. */
const otherFiles = 2 + compactionSpareFiles + journalSpareFilesMax;
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Stream {
  readonly storage: DurableStorage;
  readonly state: StreamState;
  keptBytes: number;
}

/** Streams on a simulated disk, whose owner says what they have. */
class Site {
  readonly random: (bound: number) => number;
  disk: SimDisk;
  readonly timers = new SimTimers();
  readonly damages: Damage[] = [];
  readonly streams: Stream[] = [];
  readonly storages: DurableStorages;
  #number = 1;
  #text = 0;

  constructor(seed: number) {
    this.random = randomFrom(seed);
    this.disk = new SimDisk(this.random, true);
    for (const directory of ['/journal', '/streams']) this.disk.directories.add(directory);
    this.storages = new DurableStorages({
      ...simSetting(this.disk, this.timers, () => this.#number++),
      onDamage: (damage) => this.damages.push(damage),
    });
  }

  /** Lets things happen until there is nothing more to do, or a promise is settled. */
  async drive<T>(promise?: Promise<T>): Promise<T> {
    const state = { over: false };
    void promise?.finally(() => {
      state.over = true;
    });
    for (let passed = 0; !state.over && passed < 6; ) {
      await settled();
      if (this.disk.step()) passed = 0;
      else if (this.timers.hasSoon) this.timers.step();
      else {
        passed++;
        this.timers.step();
      }
    }
    if (promise !== undefined && !state.over) throw new Error('nothing happens any more');
    return promise as Promise<T>;
  }

  async open(streams: number): Promise<void> {
    await this.drive(openAll(this.storages));
    for (let i = 0; i < streams; i++) {
      const storage = (await this.drive(this.storages.create(`${i}`, '', 1))) as DurableStorage;
      this.streams.push({ storage, state: new StreamState(1), keptBytes: 0 });
    }
  }

  append(stream: Stream, lengthBytes: number): void {
    const { storage, state } = stream;
    const payload = `${this.#text++}`.padEnd(lengthBytes, '.');
    const sequence = storage.nextSequence;
    storage.append(subjectOf('a.b'), runOf([payload]), 0, 1, sequence);
    state.apply({ kind: 'append', sequence, text: `${sequence}@${sequence} a.b ${payload}\r\n` });
    this.#keep(stream, payload.length);
  }

  remove(stream: Stream, sequence: number): void {
    const text = stream.state.records.get(sequence)!;
    stream.storage.remove(sequence);
    stream.state.apply({ kind: 'remove', sequence });
    this.#keep(stream, -text.slice(text.indexOf('b') + 2, -2).length);
  }

  #keep(stream: Stream, bytes: number): void {
    stream.keptBytes += bytes;
    stream.storage.keptBytes = stream.keptBytes;
  }

  get keptBytes(): number {
    return this.streams.reduce((sum, stream) => sum + stream.keptBytes, 0);
  }

  get files(): number {
    return journalNumbers(this.disk.namesNow('/journal/0')).length;
  }

  /** What is stored is what should be: as it is read now, and by who opens it anew. */
  async check(): Promise<void> {
    for (const { storage, state } of this.streams) {
      for (const [sequence, text] of state.records) {
        const read = new Promise((resolve, reject) =>
          storage.read(
            sequence,
            (record) => resolve(record && textOf(record)),
            ({ reason }) => reject(new Error(reason)),
          ),
        );
        expect(await this.drive(read)).toBe(text);
      }
      const found = readBack(this.disk).streams.get(`${this.streams.findIndex((each) => each.storage === storage)}`)!;
      expect(found.state.equals(state)).toBe(true);
    }
    this.disk = this.disk.copy();
    const again = new DurableStorages(simSetting(this.disk, this.timers, () => this.#number++));
    for (const { name, storage } of await this.drive(openAll(again))) {
      const texts: string[] = [];
      await this.drive(storage.scan((record) => texts.push(textOf(record))));
      expect(texts).toEqual([...this.streams[Number(name)]!.state.records.values()]);
    }
  }
}

/** Those that have found something, or from 1 on as many as are asked for. */
const seedsAsked = Number(process.env.COMPACTION_SEEDS ?? 0);
const seeds = seedsAsked > 0 ? Array.from({ length: seedsAsked }, (_, i) => i + 1) : [1, 2, 3, 9, 16];

test.each(seeds)(
  'a journal is no longer than what its streams keep asks for, whatever they remove (%i)',
  async (seed) => {
    const site = new Site(seed);
    const { random } = site;
    await site.open(3);
    let longest = 0;
    for (let step = 0; step < 500; step++) {
      const stream = site.streams[random(3)]!;
      site.append(stream, random(10) === 0 ? random(15_000) : random(300));
      // one keeps its oldest, one its newest, one any
      const sequences = [...stream.state.records.keys()];
      const which = site.streams.indexOf(stream);
      if (sequences.length > 8)
        site.remove(stream, sequences[which === 0 ? sequences.length - 2 : which === 1 ? 0 : random(8)]!);
      if (random(3) > 0) await site.drive();
      // entries about the blocks before, heads, pages and the ends of files take some of it
      if (random(3) === 0) longest = Math.max(longest, site.files - (3 * site.keptBytes) / smallShape.fileBytes);
    }
    await site.drive();
    expect(longest).toBeLessThanOrEqual(otherFiles + 1);
    await site.check();
    expect(readBack(site.disk).end).toBeGreaterThan(20 * smallShape.fileBytes);
    expect(site.damages).toEqual([]);
  },
);

test('a thousand commits of one message each come to take little room', async () => {
  const site = new Site(7);
  await site.open(1);
  const [stream] = site.streams as [Stream];
  for (let i = 0; i < 1000; i++) {
    site.append(stream, 10);
    await site.drive();
  }
  // a page each
  expect(readBack(site.disk).end).toBeGreaterThan(80 * smallShape.fileBytes);
  expect(site.files).toBeLessThanOrEqual(otherFiles + 2);
  // those that come to lie beside each other are one run
  let runs = 0;
  stream.storage.forEachBlock(() => runs++);
  expect(runs).toBeLessThan(700);
  await site.check();
});

test('of a block that cannot be read nothing is copied, and its file stays', async () => {
  const site = new Site(9);
  await site.open(2);
  const [kept, passing] = site.streams as [Stream, Stream];
  site.append(kept, 100);
  await site.drive();
  const path = '/journal/0/0000000000.jnl';
  const bytes = site.disk.files().get(path)!;
  let at = 0;
  kept.storage.forEachBlock((position) => {
    at = position;
  });
  bytes.fill(0, at);
  for (let i = 0; i < 60; i++) {
    site.append(passing, 9_000);
    if (i > 0) site.remove(passing, i);
    await site.drive();
  }
  expect(site.damages).toMatchObject([{ file: path, lost: [{ stream: kept.storage.number, first: 1, last: 1 }] }]);
  expect(site.disk.namesNow('/journal/0')).toContain(path.slice('/journal/0/'.length));
});

test('a file that is used again while it is to be copied is no damage, and compaction goes on', async () => {
  const site = new Site(4);
  await site.open(1);
  const [stream] = site.streams as [Stream];
  const { disk } = site;
  const open = disk.open.bind(disk);
  let held: (() => void) | null = null;
  disk.open = async (path, use) => {
    if (use === 'read' && held === null)
      await new Promise<void>((resolve) => {
        held = resolve;
      });
    return open(path, use);
  };
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 60; i++) {
      site.append(stream, 3_000);
      await site.drive();
    }
  };
  const removeAll = (): void => {
    for (const sequence of [...stream.state.records.keys()]) site.remove(stream, sequence);
  };
  await fill();
  for (const sequence of [...stream.state.records.keys()].slice(1)) site.remove(stream, sequence);
  await fill();
  expect(held, 'what is left is to be copied').not.toBeNull();
  const [first] = journalNumbers(disk.namesNow('/journal/0'));
  removeAll();
  await fill();
  removeAll();
  await site.drive();
  expect(journalNumbers(disk.namesNow('/journal/0'))[0]).toBeGreaterThan(first!);
  held!();
  await site.drive();
  expect(site.damages).toEqual([]);
  // one message holds up no file
  site.append(stream, 100);
  await fill();
  for (const sequence of [...stream.state.records.keys()].slice(1)) site.remove(stream, sequence);
  await fill();
  removeAll();
  site.append(stream, 100);
  await site.drive();
  expect(site.files).toBeLessThanOrEqual(otherFiles + 2);
  expect(site.damages).toEqual([]);
});
