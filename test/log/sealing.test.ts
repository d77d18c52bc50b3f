import { expect, test } from 'vitest';
import { journalBusySealMs, journalSealMs } from '../../src/base/limits.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import type { Storage } from '../../src/log/storage.js';
import type { Timers } from '../../src/log/timers.js';
import { randomFrom } from '../sim/random.js';
import { runOf, simSetting, subjectOf } from './durableRun.js';
import { openAll } from './recordMap.js';
import { SimDisk } from './simDisk.js';

// Invariant 41 of docs/INVARIANTS.md.

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Time that passes by so many milliseconds, and how often somebody was woken meanwhile. */
class PassingTimers implements Timers {
  wakes = 0;
  #nowMs = 0;
  #later: { atMs: number; action: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  soon(action: () => void): void {
    setImmediate(action);
  }

  after(milliseconds: number, action: () => void): void {
    this.#later.push({ atMs: this.#nowMs + milliseconds, action });
  }

  pass(milliseconds: number): void {
    this.#nowMs += milliseconds;
    const due = this.#later.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#later = this.#later.filter(({ atMs }) => atMs > this.#nowMs);
    this.wakes += due.length;
    for (const { action } of due) action();
  }
}

class Site {
  readonly disk = new SimDisk(randomFrom(1), true);
  readonly timers = new PassingTimers();
  readonly #storages: DurableStorages;
  #number = 1;

  constructor() {
    for (const directory of ['/journal', '/streams']) this.disk.directories.add(directory);
    this.#storages = new DurableStorages(simSetting(this.disk, this.timers, () => this.#number++));
  }

  /** Lets the disk do what it is asked, and whoever is told go on. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await settled();
      while (this.disk.step()) quiet = 0;
    }
  }

  async stream(): Promise<Storage> {
    await Promise.all([openAll(this.#storages), this.settle()]);
    const made = this.#storages.create('A', '', 1);
    await this.settle();
    return await made;
  }

  /** A message each step, for so long. */
  async write(storage: Storage, steps: number, stepMs: number): Promise<void> {
    for (let i = 0; i < steps; i++) {
      storage.append(subjectOf('a'), runOf([`${i}`]), 0, 1, 5);
      await this.settle();
      this.timers.pass(stepMs);
      await this.settle();
    }
  }

  /** How many writes come while nothing is stored. */
  async writesWithin(milliseconds: number): Promise<number> {
    const { writes } = this.disk;
    for (let ms = 0; ms < milliseconds; ms += 10) {
      this.timers.pass(10);
      await this.settle();
    }
    return this.disk.writes - writes;
  }
}

test('a journal to which blocks come all the time is looked after seldom, and sealed once they end', async () => {
  const site = new Site();
  const storage = await site.stream();
  await site.write(storage, 400, 5);
  expect(site.timers.wakes).toBeLessThan(2000 / journalBusySealMs + 5);
  expect(await site.writesWithin(2 * journalBusySealMs)).toBeGreaterThan(0);
  expect(await site.writesWithin(1000)).toBe(0);
});

test('what comes behind a seal by itself is sealed soon', async () => {
  const site = new Site();
  const storage = await site.stream();
  await site.write(storage, 40, 5);
  await site.writesWithin(1000);
  await site.write(storage, 1, 0);
  expect(await site.writesWithin(journalSealMs)).toBe(1);
});
